"""The measurement of the page: that it runs from end to end and tells every figure. Never a time."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.page import Row, is_well, text

ROOT = Path(__file__).resolve().parent.parent
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.mark.skipif(sys.platform != "linux", reason="it reads Linux's counters")
@pytest.mark.skipif(not any(map(shutil.which, CHROMIUMS)), reason="no Chromium")
def test_a_smoke_run_tells_every_figure() -> None:
    command = [sys.executable, "-m", "bench", "page", "--characters", "2000", "--turns", "0,3", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    figures = {figure["name"]: figure["value"] for figure in json.loads(done.stdout)["figures"]}
    assert figures["answer: deltas a second"] > 0
    assert figures["answer: main thread per delta"] > 0
    for name in ("0 turns", "3 turns"):
        assert figures[f"{name}: the server's time"] > 0
        assert figures[f"{name}: opened, ready to use"] > 0
        assert figures[f"{name}: longest task when opened"] >= 0


def test_a_figure_beyond_its_limit_is_not_well() -> None:
    rows = [Row("one", 49.0, "ms", 50.0), Row("other", 7.0, "s")]
    assert is_well(rows)
    assert not is_well([*rows, Row("late", 51.0, "ms", 50.0)])
    assert "one" in text(rows)
