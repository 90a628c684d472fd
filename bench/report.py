"""What was measured, as a table for people and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from .floor import Level
from .machine import Cores, description
from .plan import Plan
from .sample import Sample

HEADINGS = (
    "streams", "way", "us/delta", "ratio", "ms/turn", "deltas/s", "core %", "others %", "lag p50", "p99", "first p50", "p99",
    "failed", "lost", "repeated", "unordered", "RSS MB",
)  # fmt: skip
NOTES = """\
us/delta: CPU time of the process, kernel included; ms/turn: that of a turn of one delta.
Lag: from the load gateway's send to the delta in hand, ms. First: from asking to the first delta, ms, at rest.
Others: what other processes took of the core; beyond a few percent, measure again.
Failed: turns that ended in an error, or not within 30 s of the last delta's time."""


def table(levels: Sequence[Level], cores: Cores) -> str:
    """The medians, a line for each level and way."""
    rows = [HEADINGS, *(row for level in levels for row in _rows(level))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.rjust, row, widths)) for row in rows]
    return "\n".join([*lines, "", NOTES, cores.note])


def as_json(levels: Sequence[Level], plans: Sequence[Plan], cores: Cores) -> dict[str, Any]:
    """Everything: the machine, the medians, and each run."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": description() | {"pinned": cores.note},
        "rate": plans[0].rate,
        "seconds": plans[0].seconds,
        "levels": [_level(level) for level in levels],
    }


def _level(level: Level) -> dict[str, Any]:
    loop, whole = level.medians
    return {
        "streams": level.streams,
        "ratio": level.ratio,
        "loop": asdict(loop),
        "whole": asdict(whole),
        "runs": {"loop": list(map(asdict, level.loop)), "whole": list(map(asdict, level.whole))},
    }


def _rows(level: Level) -> list[tuple[str, ...]]:
    loop, whole = level.medians
    return [
        _row(level.streams, "boto3 loop", loop, ""),
        _row(level.streams, "whole", whole, f"{level.ratio:.2f}"),
    ]


def _row(streams: int, way: str, taken: Sample, ratio: str) -> tuple[str, ...]:
    times = (taken.lag_p50, taken.lag_p99, taken.first_p50, taken.first_p99)
    shares = (taken.rate, taken.cpu_pct, taken.others_pct)
    counts = (taken.failed, taken.lost, taken.repeated, taken.unordered)
    return (
        str(streams),
        way,
        f"{taken.cpu_us:.1f}",
        ratio,
        f"{taken.turn_ms:.1f}",
        *(f"{share:.0f}" for share in shares),
        *(f"{time:.1f}" for time in times),
        *map(str, counts),
        f"{taken.rss_mb:.0f}",
    )
