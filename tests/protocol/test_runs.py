"""A record as a strict AG-UI client reads it: its runs, by the client's names, without nulls."""

import json
from collections.abc import Iterable

from conversations.protocol.agui import events, interrupts
from conversations.protocol.agui.events import Event
from conversations.protocol.agui.runs import RunView, without_nulls

NAMES = {"f3a1": "mine"}


def text_message(message: str, role: str, text: str) -> list[Event]:
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": message, "role": role},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": message, "delta": text},
        {"type": "TEXT_MESSAGE_END", "messageId": message},
    ]


def turn(name: str, question: str, answer: str) -> list[Event]:
    return [
        events.run_started("c0", name),
        *text_message(f"q-{name}", "user", question),
        *text_message(f"a-{name}", "assistant", answer),
        events.run_finished("c0", name, "success", []),
    ]


RECORD = [*turn("f3a1", "First?", "One."), *turn("f3a2", "Second?", "Two.")]


def frames_of(view: RunView, record: Iterable[Event] = RECORD) -> list[Event]:
    """What a client is sent of a record, of which each event is a frame."""
    frames = [view.frame(json.dumps(event, separators=(",", ":"))) for event in record]
    return [json.loads(frame) for frame in frames if frame is not None]


def texts(frames: list[Event]) -> list[str]:
    return [event["delta"] for event in frames if event["type"] == "TEXT_MESSAGE_CONTENT"]


def test_a_client_reads_its_run_alone_under_its_own_name_and_not_its_message_again() -> None:
    view = RunView(run="f3a1", names=NAMES)
    run = frames_of(view)
    assert [run[0]["runId"], run[-1]["runId"], texts(run)] == ["mine", "mine", ["One."]]
    assert (view.ended, view.open_run) == ({"f3a1", "f3a2"}, "")


def test_a_thread_is_the_runs_of_its_turns_with_the_users_messages() -> None:
    assert texts(frames_of(RunView(turns={"f3a2"}, has_user_messages=True))) == ["Second?", "Two."]
    assert texts(frames_of(RunView(turns={"f3a1", "f3a2"}))) == ["One.", "Two."]


def test_a_further_run_of_a_turn_is_a_run_of_its_own_and_of_the_thread() -> None:
    waits = interrupts.run_interrupted("c0", "f3a1", [interrupts.interrupt("t1", "top_song", None)], [])
    record = [events.run_started("c0", "f3a1"), waits, *turn("f3a1:2", "", "There.")]
    assert texts(frames_of(RunView(run="f3a1:2"), record)) == ["There."]
    assert [event["runId"] for event in frames_of(RunView(turns={"f3a1"}), record) if "runId" in event] == [
        "f3a1",
        "f3a1",
        "f3a1:2",
        "f3a1:2",
    ]


def test_what_is_null_is_left_out_wherever_it_stands() -> None:
    assert without_nulls({"a": None, "b": [{"c": None, "d": 1}, None, 0]}) == {"b": [{"d": 1}, None, 0]}
    event = {"type": "TOOL_CALL_ARGS", "toolCallId": "t1", "delta": ":null", "metadata": {"a": None}}
    record = [events.run_started("c0", "f3a1"), event]
    assert frames_of(RunView(run="f3a1"), record)[-1] == event | {"metadata": {}}


def test_an_error_ends_its_run() -> None:
    view = RunView(run="f3a1")
    record = [events.run_started("c0", "f3a1"), events.run_error("It broke.", "internal_error")]
    assert (frames_of(view, record)[-1]["type"], view.ended) == ("RUN_ERROR", {"f3a1"})
