"""The measurement runs from end to end and would see a loss. Never a time."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench import admin, peers, replay, search
from bench.__main__ import main
from bench.crash.session import Outcome
from bench.sample import Sample

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="it reads Linux's counters"),
]
ROOT = Path(__file__).resolve().parents[2]


SMALL = ["--streams", "2", "--seconds", "1", "--repeat", "1"]


def test_a_smoke_run_reports_every_figure_of_each_way_and_loses_nothing() -> None:
    report = smoke("floor", *SMALL)
    (level,) = report["levels"]
    assert level["streams"] == 2
    assert {"boto3 loop", "daphne"} <= set(level["ways"])
    assert level["ways"]["daphne"]["ratio"] > 0
    for way in level["ways"].values():
        (only,) = way["runs"]
        assert set(only) == set(Sample.__dataclass_fields__)
        assert [only[name] for name in ("failed", "lost", "repeated", "unordered")] == [0, 0, 0, 0]
        assert min(only[name] for name in ("rate", "cpu_us", "lag_p99", "first_p50", "rss_mb")) > 0


def test_the_most_streams_are_sought() -> None:
    report = smoke("floor", *SMALL, "--most")
    assert report["most"]["daphne"]["100"] in (0, 2)
    assert report["levels"][0]["ways"]["daphne"]["lost"] == 0


def test_a_turn_is_timed_and_its_statements_are_counted() -> None:
    report = smoke("turn", "--turns", "2", "--counted", "3", "--statements")
    figures = figures_of(report)
    assert 0 < figures["daphne: statements before the gateway is asked"] < figures["daphne: statements"]
    assert figures["daphne: transactions"] > 0
    assert figures["daphne: first delta, p50"] > 0
    assert any("INSERT INTO" in line for line in report["statements"])


def test_an_upstream_is_asked_itself_and_through_the_gateway() -> None:
    figures = figures_of(smoke("upstream", "--turns", "3", "--deltas", "9"))
    assert len(figures) == 6
    assert figures["first token, the upstream itself, p50"] > 0
    assert figures["a delta of a long answer, through the gateway"] > 0


def test_silent_turns_all_get_to_the_gateway_and_all_end() -> None:
    figures = figures_of(smoke("silent", "--turns", "3"))
    for name in (
        "turns that did not get to the gateway",
        "turns that failed",
        "deltas lost",
        "deltas repeated or out of order",
    ):
        assert figures[name] == 0
    assert figures["threads, all waiting"] > 0


def test_one_and_two_workers_are_compared() -> None:
    report = smoke("workers", *SMALL)
    assert set(report["levels"][0]["ways"]) == {"1 worker", "2 workers"}
    assert report["ratios"]["deltas/s, two workers to one"] > 0


@pytest.mark.skipif(not peers.is_installed(), reason="the peers are not installed: python -m bench peers")
def test_the_peers_answer_the_same_load() -> None:
    (level,) = smoke("peers", *SMALL)["levels"]
    for peer in ("fastapi", "chainlit"):
        way = level["ways"][peer]
        assert [way[name] for name in ("failed", "lost", "repeated", "unordered")] == [0, 0, 0, 0]
        assert way["rate"] > 0


def test_a_run_of_crashes_reports_its_seed_its_violations_and_its_times() -> None:
    command = [sys.executable, "-m", "bench", "crash", "--kills", "1", "--seed", "5", "--json"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    report = json.loads(process.stdout)
    assert (process.returncode, report["violations"]) == (0, [])
    assert (report["kills"], report["seed"]) == (1, 5)
    assert {"median_s", "longest_s", "statuses", "frames"} <= set(report)


def test_a_search_is_measured_on_what_is_there() -> None:
    report = smoke("search", "--messages", "400", "--repeat", "1")
    timings = [timing for one in report["measurements"] for timing in one["timings"]]
    assert {timing["person"] for timing in timings} == set(search.PEOPLE)
    assert {timing["name"] for timing in timings} == set(search.SEARCHES)
    assert min(timing["median"] for timing in timings) > 0


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


def smoke(*arguments: str) -> Any:
    """The report of a measurement of the smallest size; it may take longer than is due."""
    command = [sys.executable, "-m", "bench", *arguments, "--json"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    if "Not measured" in process.stderr:
        pytest.skip(process.stderr.strip().rpartition("\n")[2])
    assert process.stdout, process.stderr
    return json.loads(process.stdout)


def figures_of(report: Any) -> dict[str, float]:
    return {figure["name"]: figure["value"] for figure in report["figures"]}


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
    output = capsys.readouterr().out
    assert "25 violations" in output
    assert "frame 3 was shown but is stored otherwise" in output
    assert "4.0 s in the median, 9.0 s at most" in output
    assert "and 5 more" in output
