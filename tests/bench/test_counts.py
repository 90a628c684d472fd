"""The measurement's counts: deltas, statements, streams that a core carries. Never a time."""

import json
from itertools import pairwise

import pytest

from bench import floor, plan
from bench.floor import LOOP, Level
from bench.machine import Cores, Usage
from bench.plan import Plan
from bench.report import Figure, are_well, figures_report, figures_table, table
from bench.sample import Sample, middle, window_sample
from bench.sockets import _payload
from bench.stamps import SPAN, Tally, stamp

PLANS = [Plan(streams, 50, 5) for streams in (100, 200, 300)]


def tally_of(*numbers: int, count: int = 4) -> Tally:
    tally = Tally(count)
    for number in numbers:
        tally.take(stamp(1_000, number), 3_000)
    return tally


def sample_of(**values: float) -> Sample:
    usage = Usage(opened=0, closed=1_000_000, cpu=0.5, others=0.1, load=0.2, rss=50.0)
    sample = window_sample(usage, [tally_of(0, 1, 2, 3)], usage, [700])
    return Sample(**{**vars(sample), **values})


def test_a_stream_that_came_as_it_was_sent_has_lost_nothing() -> None:
    tally = tally_of(0, 1, 2, 3)
    assert (tally.lost, tally.repeated, tally.unordered) == (0, 0, 0)
    assert list(tally.lags) == [2_000] * 4


@pytest.mark.parametrize(
    ("numbers", "lost", "repeated", "unordered"),
    [((), 4, 0, 0), ((0, 1), 2, 0, 0), ((0, 2, 3), 1, 0, 0), ((0, 1, 1, 2, 3), 0, 1, 0), ((0, 2, 1, 3), 0, 0, 1), ((3, 3), 3, 1, 0)],
)  # fmt: skip
def test_what_is_lost_repeated_or_out_of_order_is_counted(
    numbers: tuple[int, ...], lost: int, repeated: int, unordered: int
) -> None:
    tally = tally_of(*numbers)
    assert (tally.lost, tally.repeated, tally.unordered) == (lost, repeated, unordered)


def test_several_deltas_in_one_frame_are_counted_each() -> None:
    tally = Tally(3)
    assert tally.take(b'{"delta":"' + b"".join(stamp(5, number) for number in range(3)) + b'"}', 9) == 3
    assert (tally.lost, list(tally.lags)) == (0, [4, 4, 4])


def test_a_lag_outlives_the_end_of_the_stamps_clock() -> None:
    tally = Tally(1)
    tally.take(stamp(SPAN - 1, 0), SPAN + 9)
    assert list(tally.lags) == [10]


def test_a_window_counts_the_lags_of_what_was_sent_in_it_and_the_cpu_time_by_what_arrived_in_it() -> None:
    tally = Tally(3)
    for number, (departure, arrival) in enumerate([(500, 1_500), (1_200, 1_900), (1_800, 2_600)]):
        tally.take(stamp(departure, number), arrival)
    usage = Usage(opened=1_000, closed=2_000, cpu=0.0004, others=0.0, load=0.0, rss=1.0)
    sample = window_sample(usage, [tally], usage, [700])
    assert sample.cpu_us == 200
    assert (sample.lag_p50, sample.lag_p99) == (0.8, 0.8)


def test_medians_hide_no_loss() -> None:
    median = middle(
        [sample_of(cpu_us=10, lost=0), sample_of(cpu_us=20, lost=3), sample_of(cpu_us=90, lost=0)]
    )
    assert (median.cpu_us, median.lost) == (20, 3)


def test_all_streams_are_under_way_in_the_whole_window() -> None:
    planned = Plan(streams=10, rate=50, seconds=2)
    opens, closes = planned.window
    assert opens > planned.begins[-1]
    assert closes - opens == pytest.approx(2)
    assert planned.count / planned.rate >= closes


def test_streams_are_not_in_step_with_one_another() -> None:
    begins = Plan(streams=40, rate=50, seconds=2).begins
    phases = sorted(begin % 0.02 for begin in begins)
    assert max(after - before for before, after in pairwise(phases)) < 0.002


def test_many_streams_begin_in_the_time_that_is_due() -> None:
    assert max(Plan(streams=1000, rate=50, seconds=2).begins) <= plan.LONGEST_START + 1 / 50


def test_a_model_id_says_how_to_stream() -> None:
    assert plan.pace(plan.model(500, 50)) == (500, 0.02, False)
    assert plan.pace(plan.model(5, 50, is_silent=True)) == (5, 0.02, True)
    with pytest.raises(ValueError, match="unpack"):
        plan.pace("cohere")


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_frame_is_taken_once_all_of_it_is_there(size: int) -> None:
    length = (
        bytes([size])
        if size < 126
        else b"\x7e" + size.to_bytes(2)
        if size < 65_536
        else b"\x7f" + size.to_bytes(8)
    )
    frame = b"rest\x81" + length + b"x" * size
    assert _payload(frame, 4) == (len(frame) - size, len(frame))
    assert all(_payload(frame[:end], 4) is None for end in (4, 5, len(frame) - 1))


def level(streams: int, way: str = "daphne", **values: float) -> Level:
    whole = {"lag_p99": 20.0, "rate": streams * 50.0} | values
    return Level(streams, {way: [sample_of(**whole)]})


def test_a_core_carries_the_most_streams_below_the_first_that_it_does_not() -> None:
    levels = [level(100), level(200, lag_p99=70.0), level(300)]
    assert floor.most(levels, PLANS, "daphne", 50) == 100
    assert floor.most(levels, PLANS, "daphne", 100) == 300
    assert floor.most(levels, PLANS, "uvicorn", 100) == 0


@pytest.mark.parametrize(
    "fault", [{"lost": 1}, {"failed": 1}, {"repeated": 1}, {"unordered": 1}, {"rate": 9_000.0}]
)
def test_a_core_that_loses_or_delays_deltas_does_not_carry_them(fault: dict[str, float]) -> None:
    assert floor.most([level(100), level(200, **fault)], PLANS, "daphne", 50) == 100


def test_a_climb_ends_where_a_core_does_not_follow() -> None:
    lags = {100: 10.0, 200: 101.0, 300: 10.0}
    steps: list[int] = []

    def way(planned: Plan) -> Sample:
        steps.append(planned.streams)
        return level(planned.streams, lag_p99=lags[planned.streams]).median("daphne")

    levels = floor.climb(PLANS, 1, {"daphne": way}, lambda _: None)
    assert steps == [100, 200]
    report = floor.most_report(levels, PLANS, [])
    assert report.data["most"] == {"daphne": {"50": 100, "100": 100}}
    assert report.is_well


def test_a_ratio_is_the_median_of_pairs_with_the_loop_of_the_same_run() -> None:
    loops = [sample_of(cpu_us=cpu) for cpu in (10, 20, 40)]
    wholes = [sample_of(cpu_us=cpu) for cpu in (20, 60, 40)]
    both = Level(100, {LOOP: loops, "daphne": wholes})
    assert (both.ratio("daphne"), both.ratio(LOOP)) == (2.0, None)
    assert Level(100, {"daphne": wholes}).ratio("daphne") is None


def test_a_report_of_levels_fails_where_a_delta_was_lost() -> None:
    whole = floor.levels_report([level(100)], PLANS, ["A note."])
    assert whole.is_well
    assert not floor.levels_report([level(100, lost=1)], PLANS, []).is_well
    assert json.loads(json.dumps(whole.data))["levels"][0]["ways"]["daphne"]["lost"] == 0
    assert whole.text.endswith("A note.")


def test_a_report_says_that_uvicorn_was_not_measured() -> None:
    assert floor.ABSENT in floor.notes_of(["daphne"], Cores(0, 1))
    assert floor.ABSENT not in floor.notes_of(["daphne", "uvicorn"], Cores(0, 1))


def test_figures_beyond_their_goals_are_not_well() -> None:
    figures = [Figure("one", 49.0, "ms", 50.0), Figure("other", 7.0, "s")]
    assert are_well(figures)
    late = [*figures, Figure("late", 51.0, "ms", 50.0)]
    assert not are_well(late)
    assert "late" in figures_table(late)
    report = figures_report(late, "A note.", turns=5)
    assert (report.is_well, report.data["turns"], report.text.endswith("A note.")) == (False, 5, True)


def test_a_table_is_aligned() -> None:
    assert (
        table(("way", "n"), [("long name", "1"), ("x", "100")])
        == "way          n\nlong name    1\nx          100"
    )
