"""Figures of the tools in a list of calls: number of calls and failures, percentiles of duration."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from statistics import quantiles
from typing import Any, NamedTuple

from conversations.models import ToolCall

from .lists import NewestPages
from .pages import duration


class CallPages(NewestPages):
    """Pages of calls, with the columns that the figures need."""

    columns = ("name", "status", "duration_ms")


class Figures(NamedTuple):
    """A tool's figures; the times are those of the calls that ran."""

    name: str
    calls: int
    failed: int
    p50: str
    p95: str
    p99: str

    @property
    def share(self) -> str:
        """The share of failed calls, in percent."""
        return f"{self.failed / self.calls:.1%}"


def figures(calls: Iterable[tuple[Any, ...]]) -> list[Figures]:
    """The figures of each tool, the most called first, and of all together where there are several."""
    by_name: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
    for _, name, status, milliseconds in calls:
        by_name[name].append((status, milliseconds))
    tools = sorted(by_name.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [_figures(name, outcomes) for name, outcomes in tools]
    return rows if len(rows) < 2 else [*rows, _figures("", list(chain.from_iterable(by_name.values())))]


def _figures(name: str, outcomes: list[tuple[str, int | None]]) -> Figures:
    times = [milliseconds for _, milliseconds in outcomes if milliseconds is not None]
    failed = sum(status == ToolCall.Status.ERROR for status, _ in outcomes)
    p50, p95, p99 = (duration(percentile(times, percent)) for percent in (50, 95, 99))
    return Figures(name, len(outcomes), failed, p50, p95, p99)


def percentile(values: list[Any], percent: int) -> float | None:
    """The percentile as PostgreSQL's `percentile_cont` has it; None of nothing."""
    if len(values) < 2:
        return float(values[0]) if values else None
    return float(quantiles(values, n=100, method="inclusive")[percent - 1])
