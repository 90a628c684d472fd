"""What becomes of a call: its result, its failures, its time, and what is left behind."""

import asyncio
import dataclasses
import datetime as dt
import decimal
import json
import logging
import math
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pytest_django import Settings

from conversations.tools import Context, Outcome, ToolError, idempotency_key, registry, tool
from tests.conditions import until
from tests.tools.calls import Stop, execute

pytestmark = pytest.mark.usefixtures("no_other_tools")
FAILED = [{"text": "The tool failed. What went wrong is in the server's log."}]
UNSENDABLE = [{"text": "The tool returned something that cannot be sent."}]


def calling(function: Callable[..., Any], /, **arguments: Any) -> Outcome:
    """The outcome of a call of this function, which is declared as a tool for it."""
    with registry.override():
        tool(name="it")(function)
        return execute("it", arguments)


def returning(result: Any) -> Outcome:
    return calling(lambda: result)


def text_of(outcome: Outcome) -> str:
    (block,) = outcome.content
    text = block["text"]
    assert isinstance(text, str)
    return text


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.binary()
text = st.text(st.characters(exclude_categories=()))
results = st.recursive(
    leaves | text | st.frozensets(st.integers() | text),
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
    max_leaves=15,
)


class Song(BaseModel):
    name: str
    released: dt.date


@dataclasses.dataclass
class Station:
    sign: str
    songs: list[Song]


def test_a_dict_goes_as_json_and_a_str_as_text() -> None:
    assert returning({"a": [1, None]}).content == [{"json": {"a": [1, None]}}]
    assert returning("plain").content == [{"text": "plain"}]
    assert returning({}).content == [{"json": {}}]
    assert (returning({}).status, returning({}).error) == ("success", "")


@pytest.mark.parametrize("nothing", [None, "", " \n\t"])
def test_nothing_is_told_as_no_output(nothing: str | None) -> None:
    assert returning(nothing).content == [{"text": "(no output)"}]
    assert returning(nothing).status == "success"


DAY = dt.date(2024, 2, 29)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ([1, "é"], '[1, "é"]'),
        (0, "0"),
        (False, "false"),
        (math.nan, "null"),
        ([], "[]"),
        (b"\xff", '"/w=="'),
        (DAY, '"2024-02-29"'),
        (decimal.Decimal("1.10"), '"1.10"'),
        ({7}, "[7]"),
        (Song(name="A", released=DAY), '{"name": "A", "released": "2024-02-29"}'),
        ((n for n in (1, 2)), "[1, 2]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_goes_as_its_json_in_text(result: Any, text: str) -> None:
    assert returning(result).content == [{"text": text}]


def test_objects_within_a_dict_are_written_as_json() -> None:
    value = {"station": Station("WZPZ", [Song(name="A", released=DAY)]), DAY: {decimal.Decimal(1)}}
    assert returning(value).content == [
        {
            "json": {
                "station": {"sign": "WZPZ", "songs": [{"name": "A", "released": "2024-02-29"}]},
                "2024-02-29": ["1"],
            }
        }
    ]


def test_what_no_json_can_hold_is_cleaned_away() -> None:
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]
    (block,) = returning({"\0": [math.inf, b"a", "\ud800", 10**400], "deep": deep}).content
    assert block["json"]["\ufffd"] == [None, "YQ==", "\ufffd", None]
    assert json.dumps(block, allow_nan=False).count("[") < 300
    assert returning("a\0\ud83d\ude00").content == [{"text": "a\ufffd😀"}]
    assert returning(Song(name="\ud800", released=DAY)).content[0]["text"].startswith('{"name": "\ufffd"')


def circle() -> dict[str, Any]:
    circle: dict[str, Any] = {}
    circle["again"] = [circle, circle]
    return circle


@pytest.mark.parametrize(
    "result",
    [object(), [object()], {"a": object()}, circle(), b"".join],
    ids=["object", "list", "dict", "circle", "function"],
)
def test_what_has_no_form_in_json_is_an_error(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    outcome = returning(result)
    assert (outcome.status, outcome.error, outcome.content) == ("error", "exception", UNSENDABLE)
    assert "Tool it () failed" in caplog.text


@pytest.mark.parametrize("letter", ["x", "é", "😀"])
def test_text_over_the_limit_is_cut_and_says_so(letter: str, settings: Settings) -> None:
    settings.TOOL_RESULT_LIMIT = 1000
    width = len(letter.encode())
    fits = letter * (1000 // width)
    assert text_of(returning(fits)) == fits
    total = len((fits * 2).encode())
    assert text_of(returning(fits * 2)) == f"{fits}\n[cut: {len(fits.encode()):,} of {total:,} bytes]"


def test_a_dict_over_the_limit_becomes_the_beginning_of_its_json(settings: Settings) -> None:
    settings.TOOL_RESULT_LIMIT = 20
    assert returning({"a": "x" * 10}).content == [{"json": {"a": "x" * 10}}]
    assert text_of(returning({"a": "x" * 1200})) == '{"a": "' + "x" * 13 + "\n[cut: 20 of 1,209 bytes]"
    assert returning({"a": "x" * 1200}).status == "success"


def test_a_list_over_the_limit_is_cut_as_well(settings: Settings) -> None:
    settings.TOOL_RESULT_LIMIT = 5
    assert text_of(returning([1, 2, 3])) == "[1, 2\n[cut: 5 of 9 bytes]"


def test_a_failure_with_a_long_text_is_cut_as_well(settings: Settings) -> None:
    settings.TOOL_RESULT_LIMIT = 5

    def fail() -> None:
        raise ToolError("much too long")

    assert text_of(calling(fail)) == "much \n[cut: 5 of 13 bytes]"


@pytest.mark.parametrize(
    "shape", [str, lambda text: {"a": text}, lambda text: [text]], ids=["str", "dict", "list"]
)
def test_a_huge_result_takes_a_small_multiple_of_its_memory(shape: Callable[[str], Any]) -> None:
    size = 20_000_000
    result = shape("é" * (size // 2))
    tracemalloc.start()
    try:
        outcome = returning(result)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(text_of(outcome)) < 66_000
    assert peak < 4 * size


@hypothesis_settings(deadline=None)
@given(results)
def test_every_result_is_told_in_one_sendable_block(result: Any) -> None:
    outcome = returning(result)
    assert outcome.status == "success"
    (block,) = outcome.content
    assert json.dumps(block, allow_nan=False, ensure_ascii=False).encode()
    assert block.get("json") is not None or block["text"].strip()


def test_an_unknown_tool_is_told_with_the_ones_there_are() -> None:
    @tool
    def known() -> None: ...

    outcome = execute("<|channel|>\0", {})
    assert (outcome.status, outcome.error) == ("error", "unknown_tool")
    assert text_of(outcome) == "There is no tool named '<|channel|>\ufffd'. There is: known."


def test_input_that_is_no_object_is_never_run() -> None:
    ran = []

    @tool
    def note() -> None:
        ran.append(True)

    outcome = execute("note", None)
    assert (outcome.status, outcome.error) == ("error", "invalid_input")
    assert text_of(outcome) == "The input is not a JSON object. The tool was not run."
    assert not ran


def test_input_that_does_not_fit_is_never_run() -> None:
    ran = []

    def note(number: int) -> None:
        ran.append(number)

    assert calling(note, number="five").error == "invalid_input"
    assert calling(note, number=5, more=1).error == "invalid_input"
    assert not ran
    assert calling(note, number="5").error == ""
    assert ran == [5]


def test_a_tool_error_is_told_to_the_model_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ToolError("Station\0 closed.")

    outcome = calling(fail)
    assert (outcome.status, outcome.error, text_of(outcome)) == (
        "error",
        "tool_error",
        "Station\ufffd closed.",
    )
    assert not caplog.records


def test_a_tool_error_without_words_is_told_as_a_failure() -> None:
    def fail() -> None:
        raise ToolError

    assert calling(fail).content == FAILED


class Unspeakable(ToolError):
    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize(
    "error",
    [
        KeyError("secret"),
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        asyncio.CancelledError(),
        Unspeakable(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_any_other_exception_is_logged_whole_and_told_without_its_text(
    error: BaseException, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(hint: str) -> None:
        raise error

    async def fail_later(hint: str) -> None:
        raise error

    with registry.override():
        tool(name="it")(fail if kind == "sync" else fail_later)
        outcome = execute("it", {"hint": "private"}, key="call-7")
    assert (outcome.status, outcome.error, outcome.content) == ("error", "exception", FAILED)
    (record,) = (record for record in caplog.records if record.name == "conversations.tools.execution")
    assert record.getMessage() == "Tool it (call-7) failed"
    assert record.exc_info
    assert "private" not in record.getMessage()


def test_a_pydantic_error_of_the_tools_own_is_not_taken_for_bad_input() -> None:
    def fail() -> None:
        Song(name=1, released=2)

    assert calling(fail).error == "exception"


def test_a_tool_runs_in_a_daemon_thread_of_its_own() -> None:
    def where() -> list[Any]:
        thread = threading.current_thread()
        return [thread.ident, thread.daemon, thread.name]

    ident, daemon, name = json.loads(text_of(calling(where)))
    assert ident != threading.get_ident()
    assert (daemon, name) == (True, "tool it")


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
    assert calling(lambda: gate.wait(20)).error == "timeout"


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


def test_an_async_tool_is_awaited() -> None:
    async def fetch(number: int) -> dict[str, int]:
        first, second = await asyncio.gather(asyncio.sleep(0, number), asyncio.sleep(0, 1))
        return {"sum": first + second}

    assert calling(fetch, number=2).content == [{"json": {"sum": 3}}]


@pytest.mark.parametrize("how", ["timeout", "stop"])
def test_an_async_tool_is_cancelled_when_it_is_given_up(how: str, caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []
    started, stop = threading.Event(), Stop()

    @tool(timeout=0.1 if how == "timeout" else 20)
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


def test_an_async_tool_may_end_itself_by_a_timeout_of_its_own() -> None:
    async def impatient() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(20)
        except TimeoutError:
            return "gave up"
        return "slept"

    assert text_of(calling(impatient)) == "gave up"


def test_a_timeout_error_of_the_tools_own_is_a_failure_like_others() -> None:
    def fail() -> None:
        raise TimeoutError

    assert calling(fail).error == "exception"


def test_a_tool_can_ask_for_its_idempotency_key() -> None:
    @tool
    def pay() -> str:
        return idempotency_key()

    @tool
    async def pay_later() -> str:
        return await asyncio.to_thread(idempotency_key)

    assert text_of(execute("pay", {}, key="call-1")) == "call-1"
    assert text_of(execute("pay_later", {}, key="call-2")) == "call-2"
    assert text_of(execute("pay", {})) == "(no output)"
    assert idempotency_key() == ""


def test_calls_at_the_same_time_do_not_meet() -> None:
    together = threading.Barrier(8)

    @tool
    def meet(number: int) -> dict[str, Any]:
        together.wait(5)
        return {"number": number, "key": idempotency_key()}

    def call(number: int) -> Outcome:
        return execute("meet", {"number": number}, key=f"call-{number}")

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(call, range(8)))
    assert [outcome.content for outcome in outcomes] == [
        [{"json": {"number": number, "key": f"call-{number}"}}] for number in range(8)
    ]


def test_async_tools_do_not_wait_for_each_others_database_work() -> None:
    together = threading.Barrier(2)

    @tool
    async def meet() -> int:
        return await sync_to_async(together.wait)(5)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: execute("meet", {}), range(2)))
    assert sorted(text_of(outcome) for outcome in outcomes) == ["0", "1"]


class TrackedConnection:
    """The connection of the thread that made this, which remembers whether it was closed."""

    def __init__(self) -> None:
        self.closed_in: list[int] = []
        self.thread = threading.get_ident()
        self.connection = connections["default"]
        vars(self.connection)["close"] = self.close

    def close(self) -> None:
        self.closed_in.append(threading.get_ident())


@pytest.mark.parametrize("kind", ["sync", "async", "failing"])
def test_database_connections_that_a_tool_opened_are_closed(kind: str) -> None:
    opened: list[TrackedConnection] = []

    def look_up() -> None:
        opened.append(TrackedConnection())
        if kind == "failing":
            raise KeyError

    async def look_up_later() -> None:
        await sync_to_async(look_up)()

    calling(look_up_later if kind == "async" else look_up)
    (one,) = opened
    assert one.connection is not connection
    assert one.closed_in == [one.thread]


def test_a_connection_that_cannot_be_closed_does_not_cost_the_result(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def look_up() -> str:
        def refuse() -> None:
            raise OSError("gone")

        vars(connections["default"])["close"] = refuse
        return "found"

    with caplog.at_level(logging.ERROR):
        assert text_of(calling(look_up)) == "found"
    assert "could not be closed" in caplog.text


def test_the_duration_is_that_of_the_call(gate: threading.Event) -> None:
    def wait() -> None:
        gate.wait(0.2)

    outcome = calling(wait)
    assert 200 <= outcome.duration_ms < 5000


def test_a_tool_that_is_called_outside_of_a_turn_may_report_to_nobody() -> None:
    @tool
    def play(context: Context) -> str:
        context.progress(1, 2)
        return context.idempotency_key

    assert execute("play", {}, key="one").content == [{"text": "one"}]


@pytest.mark.parametrize(
    ("report", "value"),
    [
        ((1, 3, "spinning"), {"done": 1, "of": 3, "text": "spinning"}),
        ((0.5,), {"done": 0.5}),
        ((True, 2), {"done": 1, "of": 2}),
        ((float("nan"), float("inf")), {}),
        ((10**400, 2**60), {"of": float(2**60)}),
        ((1, None, "\x00a\ud800"), {"done": 1, "text": "\ufffda\ufffd"}),
        ((1, None, "x" * 5000), {"done": 1, "text": "x" * 200}),
    ],
)
def test_progress_is_what_every_browser_takes(report: tuple[Any, ...], value: dict[str, Any]) -> None:
    values: list[dict[str, Any]] = []
    Context(report=values.append).progress(*report)
    assert values == [value]
