"""The measurement itself: that it runs from end to end, counts what it should, and would see what is lost. Never a time."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench import admin, plan, replay
from bench.__main__ import main
from bench.crash.session import Outcome
from bench.machine import Usage
from bench.plan import Plan
from bench.sample import Sample, middle, taken
from bench.sockets import _payload
from bench.stamps import SPAN, Tally, stamp

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="it reads Linux's counters"),
]
ROOT = Path(__file__).resolve().parent.parent


def tally_of(*numbers: int, count: int = 4) -> Tally:
    tally = Tally(count)
    for number in numbers:
        tally.take(stamp(1_000, number), 3_000)
    return tally


def sample_of(**values: float) -> Sample:
    usage = Usage(opened=0, closed=1_000_000, cpu=0.5, others=0.1, rss=50.0)
    made = taken(usage, [tally_of(0, 1, 2, 3)], usage, [700])
    return Sample(**{**vars(made), **values})


def test_a_smoke_run_reports_every_figure_of_both_ways_and_loses_nothing() -> None:
    asked = ["floor", "--streams", "2", "--seconds", "1", "--repeat", "1", "--json"]
    command = [sys.executable, "-m", "bench", *asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    (level,) = report["levels"]
    assert level["streams"] == 2
    assert level["ratio"] > 0
    for way in ("loop", "whole"):
        assert set(level[way]) == set(Sample.__dataclass_fields__)
        assert level["runs"][way] == [level[way]]
        assert [level[way][name] for name in ("failed", "lost", "repeated", "unordered")] == [0, 0, 0, 0]
        assert min(level[way][name] for name in ("rate", "cpu_us", "lag_p99", "first_p50", "rss_mb")) > 0


def test_a_run_of_crashes_reports_its_seed_its_violations_and_its_times() -> None:
    command = [sys.executable, "-m", "bench", "crash", "--kills", "1", "--seed", "5", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    report = json.loads(done.stdout)
    assert (done.returncode, report["violations"]) == (0, [])
    assert (report["kills"], report["seed"]) == (1, 5)
    assert {"median_s", "longest_s", "statuses", "frames"} <= set(report)


def test_the_operators_pages_are_all_opened_and_timed() -> None:
    report = smoke("admin", "--calls", "100", "--repeat", "1")
    assert report["calls"] == 100
    pages = {page["name"]: page["rows"] for page in report["pages"]}
    assert set(pages) == set(admin.PAGES)
    assert (pages["all calls"], pages["a rare word"], pages["no such word"]) == (100, 1, 0)
    assert min(page["median"] for page in report["pages"]) > 0


@pytest.mark.skipif(not any(map(shutil.which, replay.CHROMIUMS)), reason="there is no Chromium here")
def test_a_recording_is_written_opened_and_sought_in() -> None:
    report = smoke("replay", "--turns", "7", "--events", "175", "--seeks", "2")
    assert (report["turns"], report["events"]) == (7, 175)
    waits = {wait["name"]: wait["times"] for wait in report["waits"]}
    assert {name: waits[name] for name in ("Chromium: open", "Chromium: seek anywhere")} == {
        "Chromium: open": 5,
        "Chromium: seek anywhere": 2,
    }
    assert min(wait["median"] for wait in report["waits"]) > 0


def smoke(*asked: str) -> Any:
    """What a measurement of the smallest size reports; it may take longer than is due."""
    command = [sys.executable, "-m", "bench", *asked, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    if "Missing" in done.stderr:
        pytest.skip(done.stderr.strip().rpartition("\n")[2])
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_violations_are_told_and_fail_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = Outcome(
        1, Counter(completed=2), 9, ["chat: frame 3 was shown but is stored otherwise"] * 25, [2.0, 4.0, 9.0]
    )
    monkeypatch.setattr("bench.__main__.kill", lambda *_: lost)
    monkeypatch.setattr(sys, "argv", ["bench", "crash", "--kills", "1"])
    with pytest.raises(SystemExit, match="1"):
        main()
    told = capsys.readouterr().out
    assert "25 violations" in told
    assert "frame 3 was shown but is stored otherwise" in told
    assert "4.0 s in the median, 9.0 s at most" in told
    assert "and 5 more" in told


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
    for number, (sent, arrived) in enumerate([(500, 1_500), (1_200, 1_900), (1_800, 2_600)]):
        tally.take(stamp(sent, number), arrived)
    usage = Usage(opened=1_000, closed=2_000, cpu=0.0004, others=0.0, rss=1.0)
    sample = taken(usage, [tally], usage, [700])
    assert sample.cpu_us == 200
    assert (sample.lag_p50, sample.lag_p99) == (0.8, 0.8)


def test_medians_hide_no_loss() -> None:
    found = middle([sample_of(cpu_us=10, lost=0), sample_of(cpu_us=20, lost=3), sample_of(cpu_us=90, lost=0)])
    assert (found.cpu_us, found.lost) == (20, 3)


def test_all_streams_are_under_way_in_the_whole_window() -> None:
    planned = Plan(streams=10, rate=50, seconds=2)
    opens, closes = planned.window
    assert opens > planned.begins[-1]
    assert closes - opens == pytest.approx(2)
    assert planned.count / planned.rate >= closes


def test_a_model_id_says_how_to_stream() -> None:
    assert plan.pace(plan.model(500, 50)) == (500, 0.02)
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
