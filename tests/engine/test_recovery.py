"""A turn whose process died is taken up from what is stored, and given up the third time."""

import pytest

from conversations import engine
from conversations.engine import WORKER
from conversations.engine.lifecycle import ATTEMPTS
from conversations.journal import page
from conversations.journal.hub import HUB
from conversations.models import Conversation, Message, Round, ToolCall, Turn
from conversations.protocol.agui import events
from conversations.protocol.agui.closing import BROKEN_OFF
from conversations.protocol.converse.history import NO_RESULT
from conversations.protocol.converse.request import sha256
from conversations.tools.execution import idempotency_key
from tests.engine.station import top_song_as
from tests.listeners import Listener
from tests.lost_turns import Lost, recover
from tests.turns import QUESTION, answer, ask, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


def final_events(lost: Lost) -> list[events.Event]:
    """The events of a turn that was lost as often as it may be."""
    Turn.objects.update(attempts=ATTEMPTS)
    turn_events = recover(lost, "interrupted")
    assert lost.turn.error_code == "interrupted"
    assert (turn_events[-1]["type"], turn_events[-1]["code"]) == ("RUN_ERROR", "interrupted")
    return turn_events


def newest_request(conversation: Conversation) -> str:
    """The request of the newest turn, as the demo gateway repeats it."""
    return answer(record(conversation)).partition("Settings:")[2]


def results(turn_events: list[events.Event]) -> list[tuple[str, str]]:
    """The contents and statuses of the results of calls."""
    return [(e["content"], e["metadata"]["status"]) for e in of_type(turn_events, "TOOL_CALL_RESULT")]


def test_a_turn_that_had_shown_nothing_begins_and_runs_to_its_end(conversation: Conversation) -> None:
    turn_events = recover(Lost(conversation))
    assert of_type(turn_events, "TEXT_MESSAGE_CONTENT")[0]["delta"] == QUESTION
    assert "Elemental Hotel" in answer(turn_events)


@pytest.mark.parametrize(("attempt", "prefix"), [(1, "1:0"), (2, "1.2:0")])
def test_a_cut_round_is_closed_as_interrupted_and_the_same_step_starts_again(
    conversation: Conversation, attempt: int, prefix: str
) -> None:
    lost = Lost(conversation)
    row = lost.begins_round(attempt=attempt)
    block = lost.says("The most popular song is ", prefix)
    before = record(conversation)
    turn_events = recover(lost)
    assert turn_events[: len(before)] == before
    ended, finished, again = turn_events[len(before) : len(before) + 3]
    assert (ended["type"], ended["messageId"]) == ("TEXT_MESSAGE_END", block)
    assert (finished["type"], finished["metadata"]["interrupted"]) == ("STEP_FINISHED", True)
    assert (again["type"], again["stepName"]) == ("STEP_STARTED", "round 1")
    starts = of_type(turn_events[len(before) :], "TEXT_MESSAGE_START") + of_type(
        turn_events[len(before) :], "TOOL_CALL_START"
    )
    assert f"{lost.turn.pk}:1.{attempt + 1}:0" in [event.get("messageId") for event in starts]
    row.refresh_from_db()
    assert row.status == "interrupted"
    assert (row.first_token_ms, lost.turn.first_token_ms is None) == (None, False)


def test_what_a_cut_round_had_shown_is_kept_and_marked_and_not_sent_again(conversation: Conversation) -> None:
    lost = Lost(conversation)
    row = lost.begins_round()
    block = lost.says("The most hated song is ")
    recover(lost)
    stored = Message.objects.get(round=row)
    assert (stored.content, stored.complete) == ([{"text": "The most hated song is "}], False)
    (displayed,) = [message for message in page(conversation).messages if message["id"] == block]
    assert (displayed["content"], displayed["metadata"]["interrupted"]) == ("The most hated song is ", True)
    assert "Elemental Hotel" in newest_request(conversation)
    assert "most hated" not in newest_request(conversation)


def test_a_call_that_was_under_way_is_answered_as_uncertain_and_not_made_again(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running")
    with top_song_as(pytest.fail, idempotent=False):
        turn_events = recover(lost)
    assert results(turn_events) == [(NO_RESULT, "error")]
    call = ToolCall.objects.get(tool_use_id="one")
    assert (call.status, call.error, call.result) == ("error", "interrupted", [{"text": NO_RESULT}])
    assert NO_RESULT in newest_request(conversation)


def test_an_idempotent_call_that_was_under_way_is_made_again_under_the_same_key(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running")
    keys = []
    with top_song_as(lambda sign: keys.append(idempotency_key()) or "Sung", idempotent=True):
        turn_events = recover(lost)
    assert keys == [str(ToolCall.objects.get(tool_use_id="one").pk)]
    assert results(turn_events) == [("Sung", "success")]


def test_a_call_that_was_not_begun_is_made(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="requested")
    with top_song_as(lambda sign: f"Sung at {sign}", idempotent=False):
        assert results(recover(lost)) == [("Sung at WZPZ", "success")]


def test_results_are_shown_in_the_order_of_the_calls_those_that_were_stored_too(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running", two="success", three="requested", four="success")
    with top_song_as(lambda sign: "Sung", idempotent=False):
        contents = results(recover(lost))
    assert [content for content, _ in contents] == [NO_RESULT, '{"song": "two"}', "Sung", '{"song": "four"}']


def test_a_result_that_was_shown_is_not_shown_again(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="success", two="running")
    lost.record.commit(events.tool_call_result("one", "shown", status="success", duration_ms=1))
    assert [content for content, _ in results(recover(lost))] == ["shown", NO_RESULT]


def test_a_call_that_was_half_asked_for_is_kept_answered_and_its_id_is_taken(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    row = lost.begins_round()
    lost.record.commit(*lost.asks_for("top_song", '{"sign": "WZ')[:2])
    turn_events = recover(lost)
    call = ToolCall.objects.get(round=row)
    assert (call.arguments, call.input, call.error) == ('{"sign": "WZ', None, "cut")
    assert results(turn_events)[0] == (BROKEN_OFF, "error")
    kinds = [event["type"] for event in turn_events if event.get("toolCallId") == "top_song"]
    assert kinds == ["TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT"]
    ask(conversation, "show reused id")
    call_ids = [event["toolCallId"] for event in of_type(record(conversation), "TOOL_CALL_START")]
    assert len(set(call_ids)) == len(call_ids)


@pytest.mark.parametrize(("rounds", "status"), [(1, "completed"), (2, "failed")])
def test_calls_that_were_cut_at_the_limit_count_as_before(
    conversation: Conversation, rounds: int, status: str
) -> None:
    lost = Lost(conversation)
    for number in range(1, rounds + 1):
        lost.cut_at_limit(number)
    record = recover(lost, status)
    assert (record[-1]["type"] == "RUN_ERROR") == (rounds == 2)
    if rounds == 2:
        assert "(the limit: 300 tokens)" in record[-1]["message"]
        assert len(of_type(record, "STEP_STARTED")) == 2


def test_a_round_that_had_failed_before_its_turn_was_ended_is_tried_again(conversation: Conversation) -> None:
    lost = Lost(conversation)
    row = lost.begins_round()
    lost.says("I will look that up.")
    row.status, row.error_code = Round.Status.FAILED, "stream_cut"
    lost.record.commit(write=row.save)
    assert "Elemental Hotel" in answer(recover(lost))
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "stream_cut")


def test_a_turn_that_was_lost_three_times_is_ended_as_interrupted(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.begins_round()
    block = lost.says("The most popular song is ")
    lost.says("It is ", "1:1")
    turn_events = final_events(lost)
    assert len(of_type(turn_events, "STEP_STARTED")) == 1
    assert block in [message["id"] for message in page(conversation).messages]
    assert "assistant: The most popular song is" in newest_request(conversation)


def test_a_turn_that_is_given_up_leaves_no_call_unanswered(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running", two="success", three="requested")
    with top_song_as(pytest.fail, idempotent=True):
        statuses = results(final_events(lost))
    assert [status for _, status in statuses] == ["error", "success", "error"]


def test_a_stop_that_was_asked_for_meanwhile_is_heeded(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.begins_round()
    lost.says("The most popular song is ")
    assert engine.stop(conversation.pk)
    turn_events = recover(lost, "stopped")
    assert len(of_type(turn_events, "STEP_STARTED")) == 1


def test_every_request_can_be_rebuilt_that_an_interrupted_attempt_came_before(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    lost.begins_round()
    lost.says("The most popular song is ")
    recover(lost)
    rows = Round.objects.exclude(status="interrupted")
    assert len(rows) >= 3
    for row in rows:
        assert sha256(engine.rebuild_request(row)) == row.request_sha256


def test_whoever_listens_hears_of_all_of_it(conversation: Conversation) -> None:
    listener = Listener()
    HUB.attach(None)
    HUB.subscribe(conversation.pk, listener)
    Lost(conversation)
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    HUB.unsubscribe(conversation.pk, listener)
    assert listener.seqs == [event["metadata"]["seq"] for event in record(conversation)]
