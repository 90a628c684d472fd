"""The report of a measurement: a table for people, everything as JSON, and whether the goals are met."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .machine import description

Tell = Callable[[str], None]
"""Tells the person who waits what is measured now."""


class Report(NamedTuple):
    """The outcome of a measurement."""

    text: str
    data: Mapping[str, Any]
    is_well: bool = True


class Figure(NamedTuple):
    """A figure, its unit, and the goal that it must not exceed."""

    name: str
    value: float
    unit: str = ""
    goal: float | None = None

    @property
    def is_well(self) -> bool:
        """Whether it meets its goal."""
        return self.goal is None or self.value <= self.goal


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns, aligned to the right but for the first."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    return "\n".join(
        "  ".join([cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])])
        for cells in (headings, *rows)
    )


def figures_table(figures: Sequence[Figure]) -> str:
    """A line a figure, with its goal."""
    rows = [
        (name, f"{value:.2f}", unit, "" if goal is None else f"{goal:g}")
        for name, value, unit, goal in figures
    ]
    return table(("", "value", "", "goal"), rows)


def are_well(figures: Sequence[Figure]) -> bool:
    """Whether every figure meets its goal."""
    return all(figure.is_well for figure in figures)


def report_data(**data: Any) -> dict[str, Any]:
    """The data, with the time and the machine of their measurement."""
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": description(), **data}


def figures_report(figures: Sequence[Figure], notes: str = "", **data: Any) -> Report:
    """The report of a measurement that is a list of figures."""
    text = figures_table(figures) + (f"\n\n{notes}" if notes else "")
    return Report(
        text, report_data(figures=[figure._asdict() for figure in figures], **data), are_well(figures)
    )
