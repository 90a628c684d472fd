"""Every named point, once with SIGKILL and once with an exception."""

from pathlib import Path

import pytest

from bench.crash.failpoints import POINTS, Mode, Point, install, resolve
from bench.crash.points import SCENES, fail
from conversations.tools import registry


@pytest.mark.timeout(400)
@pytest.mark.parametrize("mode", ["kill", "raise"])
def test_a_failure_at_any_named_point_loses_nothing(mode: Mode, sqlite: dict[str, str]) -> None:
    outcome = fail(POINTS, mode, **sqlite)
    assert outcome.violations == []
    assert set(outcome.statuses) <= {"completed", "interrupted", "stopped", "failed"}


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_point_is_one_of_the_products_functions_and_can_be_reached(point: Point) -> None:
    with registry.override():  # the harness's own tools stay out of the other tests
        owner, name = resolve(point.target)
    assert callable(getattr(owner, name))
    assert point.scene in SCENES


def test_names_are_used_once() -> None:
    assert len({point.name for point in POINTS}) == len(POINTS)


@pytest.mark.parametrize("target", ["conversations.gone:pack", "conversations.journal:gone"])
def test_a_function_that_is_gone_is_told(
    target: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CRASH_FOLDER", str(tmp_path))
    with pytest.raises(LookupError, match=target):
        install((Point("gone", target),))
