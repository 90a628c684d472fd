"""Tools that fail in every way: model and person read the error, and the turn goes on."""

import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from conversations.models import ToolCall
from conversations.tools import ToolError, registry, tool
from tests.faults.scene import HELLO, Scene, asking_for
from tests.gateway.wire import Answer
from tests.turns import of_type

pytestmark = pytest.mark.django_db(transaction=True)
WHOLE = Answer.stream(*HELLO)


@pytest.fixture(autouse=True)
def _own_tools() -> Iterator[None]:
    with registry.override():
        yield


def called(scene: Scene, function: Callable[[], object], **options: Any) -> ToolCall:
    """A call of this function as a tool, in a turn that ends well all the same."""
    tool(name="it", **options)(function)
    turn = scene.ask(Answer.stream(*asking_for(("call-1", "it", "{}"))), WHOLE)
    scene.check_completed(turn, "Hello world")
    call = ToolCall.objects.get(turn=turn)
    [event] = of_type(scene.events(), "TOOL_CALL_RESULT")
    assert event["metadata"]["status"] == call.status
    return call


def raising(error: BaseException) -> Callable[[], object]:
    def it() -> object:
        raise error

    return it


def endlessly() -> object:
    return endlessly()


FAILURES = {
    "for the model": (raising(ToolError("Station X not found.")), "tool_error", "Station X not found."),
    "an exception": (raising(ValueError("a secret")), "exception", "The tool failed."),
    "a blank ToolError": (raising(ToolError(" ")), "tool_error", "(no output)"),
    "sys.exit": (lambda: sys.exit(3), "exception", "The tool failed."),
    "KeyboardInterrupt": (raising(KeyboardInterrupt()), "exception", "The tool failed."),
    "MemoryError": (raising(MemoryError()), "exception", "The tool failed."),
    "without an end": (endlessly, "exception", "The tool failed."),
}


@pytest.mark.parametrize(("function", "error", "sentence"), FAILURES.values(), ids=FAILURES.keys())
def test_a_tool_that_fails_is_told_to_the_model_without_its_secrets(
    scene: Scene, function: Callable[[], object], error: str, sentence: str
) -> None:
    call = called(scene, function)
    assert (call.status, call.error) == ("error", error)
    assert call.result[0]["text"].startswith(sentence)
    assert "a secret" not in str(scene.events())
    assert b"a secret" not in scene.server.requests[1].body
    scene.check_alive()


def test_a_tool_that_hangs_is_given_up_after_its_time(scene: Scene) -> None:
    release = threading.Event()
    call = called(scene, lambda: release.wait(20), timeout=0.1)
    release.set()
    assert (call.status, call.error) == ("error", "timeout")
    assert "may or may not have happened" in call.result[0]["text"]
    scene.check_alive()


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def empty() -> object:
    return {}


def around() -> object:
    value: list[object] = []
    value.append(value)
    return value


RESULTS: dict[str, Callable[[], object]] = {
    "100 MB": lambda: "x" * 10_000_000,
    "100 MB of bytes": lambda: b"x" * 100_000_000,
    "an object": object,
    "an object in a dict": lambda: {"a": object()},
    "NaN": lambda: {"a": math.nan, "b": [math.inf]},
    "NaN alone": lambda: math.nan,
    "a NUL": lambda: {"a": "x\0y", "\0": 1},
    "a lone surrogate": lambda: "x\ud83dy",
    "surrogates in a dict": lambda: {"\ud83d": ["\udc00"]},
    "bytes": lambda: b"\xff\x00",
    "deep": lambda: {"a": deep(500)},
    "very deep": lambda: deep(100_000),
    "endless": around,
    "a huge number": lambda: {"a": 10**5000},
    "a huge number alone": lambda: 10**400,
    "a set": lambda: {1},
    "a generator": lambda: (n for n in (1, 2)),
    "keys that are no text": lambda: {1: 2, None: 3, (4, 5): 6},
    "nothing": lambda: None,
    "blanks": lambda: " \n",
    "an empty dict": empty,
}
UNSENDABLE = {"an object", "an object in a dict", "endless"}


def test_whatever_a_tool_returns_can_be_stored_shown_and_sent(scene: Scene, settings: Settings) -> None:
    for number, function in enumerate(RESULTS.values()):
        tool(name=f"it{number}")(function)
    calls = [(f"call-{number}", f"it{number}", "{}") for number in range(len(RESULTS))]
    turn = scene.ask(Answer.stream(*asking_for(*calls)), WHOLE)
    scene.check_completed(turn, "Hello world")
    calls = ToolCall.objects.filter(turn=turn).order_by("position")
    for kind, call in zip(RESULTS, calls, strict=True):
        result = json.dumps(call.result)
        assert call.result
        assert len(result) <= settings.TOOL_RESULT_LIMIT + 200, kind
        assert not any(odd in result for odd in ("\\u0000", "\\ud83d", "\\udc00", "NaN", "Infinity")), kind
        assert (call.status == "error") == (kind in UNSENDABLE), kind
    scene.check_alive()


def test_a_result_over_the_limit_is_cut_and_says_so(scene: Scene) -> None:
    call = called(scene, lambda: "x" * 10_000_000)
    assert call.result[0]["text"].endswith("[cut: 65,536 of 10,000,000 bytes]")
    [event] = of_type(scene.events(), "TOOL_CALL_RESULT")
    assert event["content"] == call.result[0]["text"]


def test_a_tool_that_keeps_the_interpreter_to_itself_for_a_second_delays_others_and_breaks_none(
    scene: Scene,
) -> None:
    interval = sys.getswitchinterval()

    def it() -> str:
        sys.setswitchinterval(1)  # other threads get the interpreter only when this one lets it go
        until = time.monotonic() + 1
        while time.monotonic() < until:
            pass
        return "done"

    try:
        call = called(scene, it)
    finally:
        sys.setswitchinterval(interval)
    assert (call.status, call.result) == ("success", [{"text": "done"}])
    scene.check_alive()


def test_one_tool_that_fails_leaves_its_neighbours_their_results(scene: Scene) -> None:
    tool(name="good")(lambda: "fine")
    tool(name="bad")(raising(SystemExit()))
    calls = [("call-1", "good", "{}"), ("call-2", "bad", "{}"), ("call-3", "good", "{}")]
    turn = scene.ask(Answer.stream(*asking_for(*calls)), WHOLE)
    scene.check_completed(turn, "Hello world")
    calls = ToolCall.objects.filter(turn=turn).order_by("position")
    assert [call.status for call in calls] == ["success", "error", "success"]
    scene.check_alive()
