"""The checker: a run in which nothing was lost passes, and each promise that is broken is told."""

import json
from random import Random
from typing import Any

import pytest

from bench.crash import checker
from bench.crash.reader import Connection, Reader
from bench.crash.session import after_the_last_kill
from bench.crash.store import Call, Turn

Frames = list[tuple[int, str]]
CHAT, RUN, QUESTION = "chat", "run", "question"
STEP = {"stepName": "round 1", "metadata": {"stopReason": "end_turn"}}
START: list[dict[str, Any]] = [
    {"type": "RUN_STARTED", "threadId": CHAT, "runId": RUN, "protocolVersion": "1.0"},
    {"type": "TEXT_MESSAGE_START", "messageId": QUESTION, "role": "user"},
    {"type": "TEXT_MESSAGE_CONTENT", "messageId": QUESTION, "delta": "hi"},
    {"type": "TEXT_MESSAGE_END", "messageId": QUESTION},
    {"type": "STEP_STARTED", "stepName": "round 1"},
    {"type": "TEXT_MESSAGE_START", "messageId": "1", "role": "assistant"},
    {"type": "TEXT_MESSAGE_CONTENT", "messageId": "1", "delta": "hel"},
    {"type": "TEXT_MESSAGE_CONTENT", "messageId": "1", "delta": "lo"},
    {"type": "TEXT_MESSAGE_END", "messageId": "1"},
]
FINISHED = {"type": "STEP_FINISHED", **STEP}
END = {"type": "RUN_FINISHED", "threadId": CHAT, "runId": RUN}
WHOLE = [*START, FINISHED, END]


def frames(events: list[dict[str, Any]]) -> Frames:
    return [
        (seq, json.dumps(event | {"timestamp": 1, "metadata": event.get("metadata", {}) | {"seq": seq}}))
        for seq, event in enumerate(events, 1)
    ]


def snapshot(seq: int, **texts: str) -> str:
    messages = [{"id": key, "content": text} for key, text in texts.items()]
    return json.dumps({"type": "MESSAGES_SNAPSHOT", "messages": messages, "metadata": {"seq": seq}})


def reader(*connections: Connection) -> Reader:
    client = Reader("http://127.0.0.1:1", CHAT, "", Random(0))
    client.connections, client.sent = list(connections), {QUESTION: "hi"}
    return client


def turn(**fields: Any) -> Turn:
    own = {"number": 1, "status": "completed", "attempts": 1, "created": 10.0, "finished": 20.0}
    return Turn(RUN, CHAT, **own | fields)


def test_a_run_in_which_nothing_was_lost_passes() -> None:
    stored = frames(WHOLE)
    whole = Connection(0, None, stored)
    came_back = Connection(5, None, stored[5:])
    from_page = Connection(None, snapshot(7, question="hi", **{"1": "hel"}), stored[7:])
    assert list(checker.check_record(CHAT, stored)) == []
    assert list(checker.check_reader(reader(whole, came_back, from_page), stored)) == []
    assert list(checker.check_turns([turn()])) == []
    assert list(checker.check_messages(reader(), [QUESTION])) == []


@pytest.mark.parametrize(
    ("stored", "violation"),
    [
        (frames(WHOLE)[:3] + frames(WHOLE)[4:], "a gap or a number twice"),
        (frames(WHOLE)[:4] + frames(WHOLE)[3:], "a gap or a number twice"),
        (frames([*START, FINISHED]), "1 runs of 1 turns started and 0 ended"),
        (frames([*WHOLE, END]), "1 runs of 1 turns started and 2 ended"),
        (frames([*START[:-1], FINISHED, END]), "never ended"),
        (frames([*START, FINISHED, START[4], FINISHED, END]), "was run again after it was complete"),
    ],
)
def test_a_broken_record_is_told(stored: Frames, violation: str) -> None:
    assert any(violation in line for line in checker.check_record(CHAT, stored))


def test_a_round_that_was_cut_may_be_run_again() -> None:
    cut = FINISHED | {"metadata": {"interrupted": True}}
    assert list(checker.check_record(CHAT, frames([*START, cut, START[4], FINISHED, END]))) == []


@pytest.mark.parametrize(
    ("connection", "violation"),
    [
        (Connection(0, None, [(1, "{}")]), "frame 1 was shown but is stored otherwise"),
        (Connection(11, None, [(12, "{}")]), "frame 12 was shown but is stored otherwise"),
        (Connection(0, None, [*frames(WHOLE)[:2], *frames(WHOLE)[3:4]]), "after 0 came"),
        (Connection(0, None, [*frames(WHOLE)[:2], *frames(WHOLE)[1:2]]), "after 0 came"),
        (Connection(3, None, frames(WHOLE)[4:6]), "after 3 came"),
        (Connection(None, None, frames(WHOLE)[:1]), "got no snapshot"),
        (Connection(None, snapshot(7, question="hi", **{"1": "hello"}), []), "shows 5 of 3 characters"),
        (Connection(None, snapshot(11, question="hi", **{"1": "hel"}), []), "shows 3 of 5 characters"),
        (Connection(None, snapshot(11, question="hi"), []), "lacks 1 messages"),
    ],
)
def test_what_a_client_was_shown_otherwise_is_told(connection: Connection, violation: str) -> None:
    assert any(violation in line for line in checker.check_reader(reader(connection), frames(WHOLE)))


@pytest.mark.parametrize("fields", [{"status": "running"}, {"finished": None}, {"attempts": 4}])
def test_a_turn_that_has_not_ended_or_is_begun_for_ever_is_told(fields: dict[str, Any]) -> None:
    assert list(checker.check_turns([turn(**fields)]))


@pytest.mark.parametrize("stored", [[], [QUESTION, QUESTION]])
def test_a_message_that_is_not_stored_once_is_told(stored: list[str]) -> None:
    assert list(checker.check_messages(reader(), stored))


def test_effects_are_held_against_the_calls() -> None:
    done = Call(CHAT, "charge", "success", "", '{"order": "a"}')
    assert list(checker.check_effects([("charge", "a", "1"), ("look_up", "b", "2")] * 1, [done])) == []
    assert list(checker.check_effects([("look_up", "b", "2")] * 2, [])) == []


@pytest.mark.parametrize(
    ("traces", "call"),
    [
        ([("charge", "a", "1")] * 2, None),
        ([("look_up", "a", "1"), ("look_up", "a", "2")], None),
        ([], Call(CHAT, "charge", "success", "", '{"order": "a"}')),
        ([], Call(CHAT, "charge", "running", "", '{"order": "a"}')),
    ],
)
def test_an_effect_too_many_or_too_few_is_told(traces: list[tuple[str, str, str]], call: Call | None) -> None:
    assert list(checker.check_effects(traces, [call] if call else []))


def test_the_time_to_the_end_counts_from_the_last_kill_that_a_turn_lived_through() -> None:
    assert list(after_the_last_kill([turn()], [5.0, 12.0, 15.0, 30.0])) == [5.0]
    assert list(after_the_last_kill([turn()], [5.0, 30.0])) == []
