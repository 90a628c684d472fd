"""The outcome of crashes, for people and as JSON."""

from typing import Any

from bench.machine import description

from .session import Outcome

PRINTED = 20
"""Violations that are printed; the JSON has all."""


def text(outcome: Outcome, seed: int) -> str:
    """A few lines."""
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(outcome.statuses.items()))
    lines = [
        f"{outcome.kills} kills, seed {seed}: {len(outcome.violations)} violations",
        f"{sum(outcome.statuses.values())} turns ({statuses}), {len(outcome.seconds)} of which met a kill",
        f"from the last kill to a turn's end: {outcome.median:.1f} s in the median, {outcome.longest:.1f} s at most",
        f"{outcome.frames} frames stored, each compared with what every client was shown",
    ]
    more = len(outcome.violations) - PRINTED
    return "\n".join([*lines, *outcome.violations[:PRINTED], *([f"and {more} more"] if more > 0 else [])])


def as_json(outcome: Outcome, seed: int) -> dict[str, Any]:
    """Everything."""
    times = {"median_s": outcome.median, "longest_s": outcome.longest}
    return {"machine": description(), "seed": seed} | vars(outcome) | times
