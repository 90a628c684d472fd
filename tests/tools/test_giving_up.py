"""Calls that are given up: after their time, and when the turn is stopped."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from conversations.tools import tool
from tests.conditions import until
from tests.tools.calls import Stop, execute, outcome_of, text_of

pytestmark = pytest.mark.usefixtures("no_other_tools")


def test_the_duration_is_that_of_the_call(gate: threading.Event) -> None:
    assert outcome_of(lambda: gate.wait(0.05)).duration_ms >= 50


def test_a_call_that_takes_too_long_is_given_up(
    gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    @tool(timeout=0.1)
    def hang(word: str) -> str:
        gate.wait(20)
        return word

    outcome = execute("hang", {"word": "private"}, key="call-7")
    assert (outcome.status, outcome.error) == ("error", "timeout")
    assert text_of(outcome).startswith("The tool did not end within 0.1 seconds.")
    assert 100 <= outcome.duration_ms < 5000
    gate.set()
    until(lambda: caplog.records)
    assert caplog.records[0].getMessage().startswith("Tool hang (call-7) ended after it was given up")
    assert "private" not in caplog.text


def test_the_setting_is_the_time_of_a_tool_without_one(gate: threading.Event, settings: Settings) -> None:
    settings.TOOL_TIMEOUT = 0.05
    assert outcome_of(lambda: gate.wait(20)).error == "timeout"


def test_an_exception_after_the_call_was_given_up_is_logged_too(
    gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    @tool(timeout=0.05)
    def hang() -> None:
        gate.wait(20)
        raise KeyError("late")

    assert execute("hang", {}).error == "timeout"
    gate.set()
    until(lambda: len(caplog.records) == 2)
    assert caplog.records[0].exc_info


def test_a_stop_ends_a_call_within_a_second(gate: threading.Event) -> None:
    started, stop = threading.Event(), Stop()

    @tool
    def hang() -> None:
        started.set()
        gate.wait(20)

    with ThreadPoolExecutor() as pool:
        outcome = pool.submit(execute, "hang", {}, stop=stop)
        assert started.wait(5)
        stopped = time.monotonic()
        stop.set()
        assert outcome.result(5).error == "stopped"
        assert time.monotonic() - stopped < 1
    assert "may or may not have happened" in text_of(outcome.result())


def test_a_call_is_not_begun_after_a_stop() -> None:
    stop = Stop()
    stop.set()
    ran = []

    @tool
    def note() -> None:
        ran.append(True)

    outcome = execute("note", {}, stop=stop)
    assert (outcome.status, outcome.error) == ("error", "stopped")
    assert text_of(outcome) == "The tool was not run: the turn was stopped."
    assert not ran


@pytest.mark.parametrize("how", ["timeout", "stop"])
def test_an_async_tool_is_cancelled_when_it_is_given_up(how: str, caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []
    started, stop = threading.Event(), Stop()

    @tool(timeout=1 if how == "timeout" else 20)  # in which it begins on a busy machine too
    async def hang() -> None:
        started.set()
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with ThreadPoolExecutor() as pool:
        outcome = pool.submit(execute, "hang", {}, stop=stop)
        assert started.wait(5)
        if how == "stop":
            stop.set()
        assert outcome.result(5).status == "error"
    until(lambda: ended)
    until(lambda: caplog.records)
    assert not any(record.exc_info for record in caplog.records)
