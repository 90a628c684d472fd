"""How often each tool of a list of calls was called, how often it failed, how long it took."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import quantiles
from typing import Any, NamedTuple

from conversations.models import ToolCall

from .lists import Newest
from .shown import seconds


class Calls(Newest):
    """Pages of calls, with what the figures are made of."""

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
        """The failed ones of all, in percent."""
        return f"{self.failed / self.calls:.1%}"


def figures(calls: Iterable[tuple[Any, ...]]) -> list[Figures]:
    """Each tool's figures over what was found, the most called first; for all of them together where there are several."""
    found: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
    for _, name, status, duration in calls:
        found[name].append((status, duration))
    told = [
        _figures(name, rows)
        for name, rows in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return told if len(told) < 2 else [*told, _figures("", [row for rows in found.values() for row in rows])]


def _figures(name: str, rows: list[tuple[str, int | None]]) -> Figures:
    times = [duration for _, duration in rows if duration is not None]
    failed = sum(status == ToolCall.Status.ERROR for status, _ in rows)
    p50, p95, p99 = (seconds(percentile(times, percent)) for percent in (50, 95, 99))
    return Figures(name, len(rows), failed, p50, p95, p99)


def percentile(values: list[Any], percent: int) -> float | None:
    """The percentile as PostgreSQL's `percentile_cont` has it; None of nothing."""
    if len(values) < 2:
        return float(values[0]) if values else None
    return float(quantiles(values, n=100, method="inclusive")[percent - 1])
