"""A run that waits for a person says what for, and the page keeps it until a further run begins."""

from typing import Any

import pytest
from ag_ui.core import RunFinishedEvent, RunStartedEvent

from conversations.protocol.agui import events, interrupts
from conversations.protocol.agui.events import Event
from conversations.protocol.agui.snapshot import Snapshot

TURN = "f3a1"
INTERRUPT = interrupts.interrupt("t1", "top_song", "2026-11-26T12:00:00+00:00")
CALL = [
    events.run_started("c0", TURN),
    events.step_started(1),
    {"type": "TOOL_CALL_START", "toolCallId": "t1", "toolCallName": "top_song"},
    {"type": "TOOL_CALL_END", "toolCallId": "t1"},
    events.step_finished(1, {"stopReason": "tool_use", "model": "m", "usage": {}, "latencyMs": 1}),
]
WAITS = interrupts.run_interrupted("c0", TURN, [INTERRUPT], [])
GOES_ON = events.run_started("c0", f"{TURN}:2")


def timed(turn_events: list[Event]) -> list[Event]:
    return [event | {"timestamp": at} for at, event in enumerate(turn_events, 1)]


def after(*turn_events: Event) -> dict[str, Any]:
    return Snapshot(TURN).apply(timed([*turn_events])).state


def test_an_interrupted_run_is_one_by_the_protocols_own_types() -> None:
    parsed = RunFinishedEvent.model_validate(WAITS)
    assert parsed.outcome is not None
    assert parsed.outcome.type == "interrupt"
    assert parsed.outcome.interrupts[0].expires_at == "2026-11-26T12:00:00+00:00"


def test_a_call_that_never_expires_does_not_say_when() -> None:
    assert "expiresAt" not in interrupts.interrupt("t1", "top_song", None)


def test_a_turn_that_waits_says_what_for_until_it_goes_on() -> None:
    waiting = after(*CALL, WAITS)
    expected = {name: INTERRUPT[name] for name in ("id", "message", "toolCallId", "expiresAt")}
    assert (waiting["status"], waiting["interrupts"], waiting["endedAt"]) == ("waiting", [expected], 6)
    going_on = after(*CALL, WAITS, GOES_ON)
    assert (going_on["status"], going_on["interrupts"], going_on["endedAt"]) == ("running", [], None)


def test_calls_that_waited_begin_when_the_turn_goes_on() -> None:
    assert after(*CALL, WAITS)["rounds"][0]["calledAt"] == 5
    state = after(*CALL, WAITS, GOES_ON)
    assert (state["startedAt"], state["rounds"][0]["calledAt"], state["rounds"][0]["endedAt"]) == (1, 7, 5)


def test_a_decision_is_kept_with_its_call() -> None:
    decision = interrupts.decision(
        "t1", "denied", "jennifer", {"reason": "No.", "editedArgs": None, "standing": False}
    )
    assert decision["value"] == {"toolCallId": "t1", "status": "denied", "by": "jennifer", "reason": "No."}
    (call,) = Snapshot(TURN).apply([*CALL, WAITS, GOES_ON, decision]).as_list()
    assert call["metadata"]["approval"] == decision["value"]


def test_a_decision_about_a_call_that_is_not_there_changes_nothing() -> None:
    decision = interrupts.decision("t9", "expired", "", {})
    assert decision["value"] == {"toolCallId": "t9", "status": "expired"}
    assert Snapshot(TURN).apply([*CALL, decision]).as_list() == Snapshot(TURN).apply(CALL).as_list()


def test_arguments_that_were_emptied_are_told() -> None:
    assert interrupts.decision("t1", "approved", "", {"editedArgs": {}})["value"]["editedArgs"] == {}


@pytest.mark.parametrize("is_root", [False, True])
def test_a_run_says_what_it_follows_on(is_root: bool) -> None:
    begun = events.run_started("c0", TURN, None if is_root else "f3a0", is_root=is_root)
    assert RunStartedEvent.model_validate(begun).parent_run_id == (None if is_root else "f3a0")
    assert ("metadata" in begun) is is_root


def test_why_a_call_has_no_good_result_is_one_word() -> None:
    event = events.tool_call_result("t1", "No.", status="error", duration_ms=0, error="denied")
    assert event["metadata"]["error"] == "denied"
    assert "error" not in events.tool_call_result("t1", "x", status="success", duration_ms=0)["metadata"]


def test_a_failure_names_the_gateways_request_if_there_is_one() -> None:
    failed = events.run_error("It failed.", "gateway_failed", "req-7")
    assert failed["metadata"] == {"requestId": "req-7"}
    state = after(*CALL, failed)
    assert state["error"] == {"code": "gateway_failed", "message": "It failed.", "requestId": "req-7"}
    assert "metadata" not in events.run_error("It failed.", "internal")


def test_a_round_that_ends_without_having_begun_is_passed_over() -> None:
    assert after(events.step_finished(1, {"stopReason": "end_turn"}))["rounds"] == []


def test_a_further_run_repeats_the_calls_that_it_is_to_answer_without_a_second_message() -> None:
    repeated = interrupts.repeated_calls([*CALL, WAITS])
    assert [(event["type"], event["toolCallId"]) for event in repeated] == [
        ("TOOL_CALL_START", "t1"),
        ("TOOL_CALL_END", "t1"),
    ]
    result = events.tool_call_result("t1", "8 Storey Hike", status="success", duration_ms=1)
    assert interrupts.repeated_calls([*CALL, result, WAITS]) == []
    once = Snapshot(TURN).apply(timed([*CALL, WAITS, GOES_ON])).as_list()
    assert Snapshot(TURN).apply(timed([*CALL, WAITS, GOES_ON, *repeated])).as_list() == once


def test_a_record_without_repeated_calls_gets_them_where_they_are_answered() -> None:
    result = events.tool_call_result("t1", "8 Storey Hike", status="success", duration_ms=1)
    unknown = events.tool_call_result("t0", "cut", status="error", duration_ms=0)
    older = [*CALL, WAITS, GOES_ON, result, unknown]
    repeated = interrupts.repeated_calls([*CALL, WAITS])
    assert list(interrupts.with_repeated_calls(older)) == [*CALL, WAITS, GOES_ON, *repeated, result, unknown]
    newer = [*CALL, WAITS, GOES_ON, *repeated, result]
    assert list(interrupts.with_repeated_calls(newer)) == newer


@pytest.mark.parametrize("expiry", [None, "2026-11-26T12:00:00+00:00"])
def test_a_question_of_a_running_call_is_kept_with_the_schema_of_its_answer(expiry: str | None) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    question = interrupts.question("t1", 2, {"message": "Who listens?", "schema": schema}, expiry)
    assert question == {
        "id": "t1:2",
        "reason": "input_required",
        "message": "Who listens?",
        "toolCallId": "t1",
        "responseSchema": schema,
    } | ({"expiresAt": expiry} if expiry else {})
    waits = interrupts.run_interrupted("c0", TURN, [question], [])
    assert RunFinishedEvent.model_validate(waits).outcome is not None
    assert after(*CALL, waits)["interrupts"] == [question]
