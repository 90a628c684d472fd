"""The figures of one measurement, and how several become one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import median

from .machine import Usage
from .plan import WARM_UP
from .stamps import Tally

COUNTS = ("failed", "lost", "repeated", "unordered")


@dataclass(frozen=True)
class Sample:
    """The figures of one measurement, times in ms.

    `cpu_us` is the CPU time of a delta, in microseconds; `turn_ms` is that of a turn of one delta.
    The percentages are of the tested core, but for `load_pct`, which is of that of gateway and clients.
    """

    rate: float
    cpu_us: float
    turn_ms: float
    cpu_pct: float
    others_pct: float
    load_pct: float
    lag_p50: float
    lag_p99: float
    first_p50: float
    first_p99: float
    failed: int
    lost: int
    repeated: int
    unordered: int
    rss_mb: float

    @property
    def is_whole(self) -> bool:
        """Whether every delta came once, and in order."""
        return not any(getattr(self, name) for name in COUNTS)


def window_sample(usage: Usage, tallies: Iterable[Tally], warm_up: Usage, firsts: Iterable[int]) -> Sample:
    """The sample of a window: lags of the deltas sent in it, CPU time by the deltas arrived in it."""
    streams = list(tallies)
    deltas = [pair for tally in streams for pair in zip(tally.arrivals, tally.lags, strict=True)]
    arrived = sum(usage.opened <= at < usage.closed for at, _ in deltas)
    lags = sorted(lag for at, lag in deltas if usage.opened <= at - lag < usage.closed)
    times = sorted(firsts)
    return Sample(
        rate=round(arrived / usage.seconds, 1),
        cpu_us=round(usage.cpu / max(1, arrived) * 1e6, 1),
        turn_ms=round(warm_up.cpu / WARM_UP * 1000, 1),
        cpu_pct=round(usage.cpu / usage.seconds * 100, 1),
        others_pct=round(usage.others / usage.seconds * 100, 1),
        load_pct=round(usage.load / usage.seconds * 100, 1),
        lag_p50=milliseconds(lags, 50),
        lag_p99=milliseconds(lags, 99),
        first_p50=milliseconds(times, 50),
        first_p99=milliseconds(times, 99),
        failed=sum(tally.failed for tally in streams),
        lost=sum(tally.lost for tally in streams),
        repeated=sum(tally.repeated for tally in streams),
        unordered=sum(tally.unordered for tally in streams),
        rss_mb=round(usage.rss, 1),
    )


def middle(samples: Sequence[Sample]) -> Sample:
    """The medians of several samples; what was failed, lost, repeated or unordered is added up."""
    columns = {field.name: [getattr(sample, field.name) for sample in samples] for field in fields(Sample)}
    return Sample(
        **{name: sum(values) if name in COUNTS else median(values) for name, values in columns.items()}
    )


def milliseconds(ordered: Sequence[int], percent: int) -> float:
    """A percentile of sorted microseconds, in ms; not a number where there are none."""
    if not ordered:
        return float("nan")
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] / 1000, 2)
