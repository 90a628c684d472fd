"""The cost of a delta on its way to the socket, beside AWS's own loop; the streams a core carries."""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from . import load
from .machine import Cores, cores, pin, run
from .plan import Plan
from .processes import running
from .report import Report, Tell, report_data, table
from .sample import Sample, middle
from .site import UVICORN, gateway_variables, server_options, serving

LOOP = "boto3 loop"
STREAMS = [1, 50, 100, 200]
STREAMS_OF_MOST = [100, 150, 200, 300, 400]
LAG_LIMITS = (50.0, 100.0)
"""Milliseconds of lag at p99 up to which a core carries its streams."""

ENOUGH = 0.97
"""The share of deltas in a window below which the core did not keep up."""

HEADINGS = (
    "way", "streams", "us/delta", "ratio", "ms/turn", "deltas/s", "core %", "others %", "load %", "lag p50", "p99",
    "first p50", "p99", "failed", "lost", "repeated", "unordered", "RSS MB",
)  # fmt: skip
NOTES = """\
us/delta: CPU time of the process, kernel included; ratio: to the boto3 loop in the same run; ms/turn: CPU time of a turn of one delta.
Lag: from the load gateway's send to the delta in hand, ms. First: from asking to the first delta, ms, at rest.
Others: what other processes took of the core; beyond a few percent, measure again. Load: of the core of gateway and clients, anybody.
Failed: turns that ended in an error, or not within 30 s of the last delta's time."""
ABSENT = "Without uvicorn: it is not installed, or `manage.py serve` has no --server."

Way = Callable[[Plan], Sample]


@dataclass(frozen=True)
class Level:
    """A number of streams, measured several times in every way."""

    streams: int
    samples: Mapping[str, Sequence[Sample]]

    def median(self, way: str) -> Sample:
        """The medians of a way's runs."""
        return middle(self.samples[way])

    def ratio(self, way: str) -> float | None:
        """The cost of a delta as a multiple of the loop's: the median of the pairs."""
        if LOOP not in self.samples or way == LOOP:
            return None
        pairs = zip(self.samples[LOOP], self.samples[way], strict=True)
        return round(median(sample.cpu_us / loop.cpu_us for loop, sample in pairs), 2)


@contextmanager
def load_gateway(core: int | None) -> Iterator[str]:
    """The URL of a load gateway in a process of its own."""
    with running("-m", "bench.gateway", core=core) as process:
        yield f"http://127.0.0.1:{int(process.line())}"


def loop_way(gateway: str, spread: Cores) -> Way:
    """The streams read by boto3's loop, in a process of its own."""

    def measure(plan: Plan) -> Sample:
        numbers = map(str, (plan.streams, plan.rate, plan.seconds, *spread))
        with running("-m", "bench.loop", gateway, *numbers, core=spread.tested) as process:
            return Sample(**json.loads(process.line()))

    return measure


def site_way(gateway: str, spread: Cores, options: Sequence[str]) -> Way:
    """The streams the whole way, through a site of their own."""

    def measure(plan: Plan) -> Sample:
        variables = gateway_variables(gateway, plan.model, plan.warm_up_model)
        with serving(variables, spread.tested, *options) as site:
            return run(load.measure(site, plan, spread))

    return measure


def site_ways(gateway: str, spread: Cores) -> dict[str, Way]:
    """The whole way, with every web server that there is."""
    return {server: site_way(gateway, spread, options) for server, options in server_options().items()}


def measure(plans: Sequence[Plan], repeat: int, ways: Mapping[str, Way], tell: Tell) -> list[Level]:
    """Measures every plan `repeat` times in every way, in turn; `tell` gets the progress."""
    levels = []
    for plan in plans:
        samples: dict[str, list[Sample]] = {way: [] for way in ways}
        for number in range(1, repeat + 1):
            for way, sample in ways.items():
                tell(f"{plan.streams} streams, {way}, {number} of {repeat}")
                samples[way].append(sample(plan))
        levels.append(Level(plan.streams, samples))
    return levels


def climb(plans: Sequence[Plan], repeat: int, ways: Mapping[str, Way], tell: Tell) -> list[Level]:
    """Measures more and more streams in every way, until they are too many."""
    levels = []
    for name, way in ways.items():
        for plan in plans:
            (level,) = measure([plan], repeat, {name: way}, tell)
            levels.append(level)
            if not carries(level.median(name), plan, max(LAG_LIMITS)):
                break
    return levels


def carries(sample: Sample, plan: Plan, limit: float) -> bool:
    """Whether a core carries so many streams: all of their deltas, and in time."""
    return sample.is_whole and sample.lag_p99 <= limit and sample.rate >= plan.streams * plan.rate * ENOUGH


def most(levels: Sequence[Level], plans: Sequence[Plan], way: str, limit: float) -> int:
    """The most streams that a core carries, before the first number that it does not carry; 0 if none."""
    by_streams = {level.streams: level for level in levels if way in level.samples}
    largest = 0
    for plan in plans:
        level = by_streams.get(plan.streams)
        if level is None or not carries(level.median(way), plan, limit):
            break
        largest = plan.streams
    return largest


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--streams", type=numbers, help="at a time, with commas (1,50,100,200)")
    parser.add_argument("--seconds", type=float, default=10.0, help="measured in each run (10)")
    parser.add_argument("--rate", type=float, default=50.0, help="deltas a second of each stream (50)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, whose medians are printed (3)")


def add_floor_options(parser: argparse.ArgumentParser) -> None:
    """The command line of `floor`."""
    add_options(parser)
    parser.add_argument(
        "--most", action="store_true", help="seek the most streams a core carries (100,150,200,300,400)"
    )


def numbers(text: str) -> list[int]:
    """Numbers with commas between them."""
    return [int(number) for number in text.split(",")]


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures the way of a delta."""
    spread = cores()
    pin(spread.load)
    streams = options.streams or (STREAMS_OF_MOST if options.most else STREAMS)
    plans = [Plan(number, options.rate, options.seconds) for number in streams]
    with load_gateway(spread.load) as gateway:
        ways = site_ways(gateway, spread)
        if options.most:
            return most_report(climb(plans, options.repeat, ways, tell), plans, notes_of(ways, spread))
        ways = {LOOP: loop_way(gateway, spread)} | ways
        return levels_report(measure(plans, options.repeat, ways, tell), plans, notes_of(ways, spread))


def levels_report(
    levels: Sequence[Level], plans: Sequence[Plan], notes: Sequence[str], **more: Any
) -> Report:
    """A table of the medians, a line a level and way; well unless something was lost."""
    rows = [_row(level, way) for level in levels for way in level.samples]
    text = "\n".join([table(HEADINGS, rows), "", *notes])
    data = report_data(
        rate=plans[0].rate,
        seconds=plans[0].seconds,
        levels=[{"streams": level.streams, "ways": _ways(level)} for level in levels],
        **more,
    )
    return Report(text, data, all(level.median(way).is_whole for level in levels for way in level.samples))


def most_report(levels: Sequence[Level], plans: Sequence[Plan], notes: Sequence[str]) -> Report:
    """The same, with the most streams that a core carries; too many streams are no failure."""
    ways = dict.fromkeys(way for level in levels for way in level.samples)
    largest = {way: {f"{limit:g}": most(levels, plans, way, limit) for limit in LAG_LIMITS} for way in ways}
    lines = [
        f"{way}: the most streams with a lag p99 under {limit} ms, all deltas there: {number}"
        for way, limits in largest.items()
        for limit, number in limits.items()
    ]
    return levels_report(levels, plans, [*lines, "", *notes], most=largest)._replace(is_well=True)


def notes_of(ways: Iterable[str], spread: Cores) -> list[str]:
    """What the columns mean, what is missing, and where everything ran."""
    return [NOTES, *([] if UVICORN in ways else [ABSENT]), spread.note]


def _ways(level: Level) -> dict[str, Any]:
    return {
        way: asdict(level.median(way)) | {"ratio": level.ratio(way), "runs": list(map(asdict, runs))}
        for way, runs in level.samples.items()
    }


def _row(level: Level, way: str) -> tuple[str, ...]:
    sample, ratio = level.median(way), level.ratio(way)
    shares = (sample.rate, sample.cpu_pct, sample.others_pct, sample.load_pct)
    times = (sample.lag_p50, sample.lag_p99, sample.first_p50, sample.first_p99)
    counts = (sample.failed, sample.lost, sample.repeated, sample.unordered)
    return (
        way,
        str(level.streams),
        f"{sample.cpu_us:.1f}",
        "" if ratio is None else f"{ratio:.2f}",
        f"{sample.turn_ms:.1f}",
        *(f"{share:.0f}" for share in shares),
        *(f"{time:.1f}" for time in times),
        *map(str, counts),
        f"{sample.rss_mb:.0f}",
    )
