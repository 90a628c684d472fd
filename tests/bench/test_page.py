"""The measurement of the page runs from end to end and tells every figure. Never a time."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.tasks import longest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it reads Linux's counters")
@pytest.mark.skipif(not any(map(shutil.which, CHROMIUMS)), reason="no Chromium")
def test_a_smoke_run_tells_every_figure() -> None:
    command = [sys.executable, "-m", "bench", "page", "--characters", "2000", "--turns", "3", "--json"]
    process = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=100, check=False
    )
    assert process.returncode in (0, 1), process.stderr
    figures = {figure["name"]: figure["value"] for figure in json.loads(process.stdout)["figures"]}
    assert figures["delta: so many came in a second"] > 0
    assert figures["delta: main thread"] > 0
    assert figures["3 turns: the server's time"] > 0
    assert figures["3 turns: opened, ready to use"] > 0
    assert 0 < figures["warm cache: requests"] < figures["cold cache: requests"]
    assert 0 < figures["warm cache: fetched"] < figures["cold cache: fetched"]
    for moment in ("answer: while it came and ended", "answer: opened", "3 turns: opened"):
        assert figures[f"{moment}, longest task"] > 0
        assert figures[f"{moment}, tasks over 50 ms by the clock"] >= 0


def test_the_longest_task_is_that_of_a_page_by_the_time_it_had_a_processor() -> None:
    def thread(tid: int, name: str) -> dict[str, object]:
        return {"name": "thread_name", "pid": 1, "tid": tid, "args": {"name": name}}

    def task(tid: int, **times: int) -> dict[str, object]:
        return {"name": "RunTask", "pid": 1, "tid": tid, "dur": 90_000, **times}

    events = [
        thread(1, "CrRendererMain"),
        thread(2, "Compositor"),
        task(1, tdur=20_000),
        task(2, tdur=80_000),
        task(1),
    ]
    assert longest(json.dumps({"traceEvents": events}).encode()) == 20.0
    assert longest(b'{"traceEvents": []}') == 0.0
