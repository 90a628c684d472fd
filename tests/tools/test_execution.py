"""What becomes of a call: its failures, its thread, its connections, and its progress."""

import asyncio
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from pydantic import TypeAdapter

from conversations.tools import Context, Outcome, ToolError, idempotency_key, registry, tool
from tests.tools.calls import execute, outcome_of, text_of

pytestmark = pytest.mark.usefixtures("no_other_tools")
FAILED = [{"text": "The tool failed. What went wrong is in the server's log."}]


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

    assert outcome_of(note, number="five").error == "invalid_input"
    assert outcome_of(note, number=5, more=1).error == "invalid_input"
    assert not ran
    assert outcome_of(note, number="5").error == ""
    assert ran == [5]


def test_a_tool_error_is_told_to_the_model_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ToolError("Station\0 closed.")

    outcome = outcome_of(fail)
    assert (outcome.status, outcome.error, text_of(outcome)) == (
        "error",
        "tool_error",
        "Station\ufffd closed.",
    )
    assert not caplog.records


def test_a_tool_error_without_words_is_told_as_a_failure() -> None:
    def fail() -> None:
        raise ToolError

    assert outcome_of(fail).content == FAILED


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
        TypeAdapter(int).validate_python("no number")

    assert outcome_of(fail).error == "exception"


def test_a_tool_runs_in_a_daemon_thread_of_its_own() -> None:
    def where() -> list[Any]:
        thread = threading.current_thread()
        return [thread.ident, thread.daemon, thread.name]

    ident, daemon, name = json.loads(text_of(outcome_of(where)))
    assert ident != threading.get_ident()
    assert (daemon, name) == (True, "tool it")


def test_an_async_tool_is_awaited() -> None:
    async def fetch(number: int) -> dict[str, int]:
        first, second = await asyncio.gather(asyncio.sleep(0, number), asyncio.sleep(0, 1))
        return {"sum": first + second}

    assert outcome_of(fetch, number=2).content == [{"json": {"sum": 3}}]


def test_an_async_tool_may_end_itself_by_a_timeout_of_its_own() -> None:
    async def impatient() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(20)
        except TimeoutError:
            return "gave up"
        return "slept"

    assert text_of(outcome_of(impatient)) == "gave up"


def test_a_timeout_error_of_the_tools_own_is_a_failure_like_others() -> None:
    def fail() -> None:
        raise TimeoutError

    assert outcome_of(fail).error == "exception"


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

    outcome_of(look_up_later if kind == "async" else look_up)
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
        assert text_of(outcome_of(look_up)) == "found"
    assert "could not be closed" in caplog.text


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
