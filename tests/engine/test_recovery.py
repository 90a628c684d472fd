"""Turns whose process died: taken up again from what is stored, with all that had been shown kept, and given up the third time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui

from conversations import engine
from conversations.engine import WORKER
from conversations.engine.lifecycle import ATTEMPTS
from conversations.journal import page
from conversations.journal.hub import HUB
from conversations.models import Conversation, Event, Message, Recording, Round, ToolCall, Turn
from conversations.protocol.agui import events
from conversations.protocol.agui.interrupted import CUT
from conversations.protocol.converse.history import NO_RESULT
from conversations.protocol.converse.request import sha256
from conversations.tools import registry, tool
from conversations.tools.execution import idempotency_key
from tests.asking import answer, ask, of_type, record
from tests.listening import Listener
from tests.losing import QUESTION, Lost

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
CUT_ARGUMENTS = {"AGUI204": "off"}


def recovered(lost: Lost, status: str = "completed") -> list[events.Event]:
    """The turn's events when it has been taken up and has ended: its record is whole and packed, and the next turn works."""
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    conversation = lost.turn.conversation
    lost.turn.refresh_from_db()
    assert lost.turn.status == status, lost.turn.error_text
    assert (lost.turn.lease_token, lost.turn.lease_until) == (None, None)
    assert not lost.turn.rounds.filter(status="running").exists()
    assert not lost.turn.tool_calls.filter(result__isnull=True).exists()
    found = record(conversation)
    assert [event["metadata"]["seq"] for event in found] == list(range(1, len(found) + 1))
    assert_valid_agui(found, severity_overrides=CUT_ARGUMENTS)
    assert Recording.objects.filter(turn=lost.turn).exists()
    assert not Event.objects.exists()
    shown = page(conversation)
    assert shown.turns[-1]["status"] == status
    assert not any(message["metadata"].get("open") for message in shown.messages)
    following = ask(conversation, "show the conversation")
    assert following.status == Turn.Status.COMPLETED, following.error_text
    return found


def given_up(lost: Lost) -> list[events.Event]:
    """The events of a turn that was lost as often as it may be."""
    Turn.objects.update(attempts=ATTEMPTS)
    told = recovered(lost, "interrupted")
    assert lost.turn.error_code == "interrupted"
    assert (told[-1]["type"], told[-1]["code"]) == ("RUN_ERROR", "interrupted")
    return told


def retold(conversation: Conversation) -> str:
    """What the request of the newest turn held, as the demo gateway tells it."""
    return answer(record(conversation)).partition("Settings:")[2]


@contextmanager
def top_song_as(play: Callable[[str], object], *, idempotent: bool) -> Iterator[None]:
    """`top_song` played otherwise."""
    with registry.override():

        @tool(idempotent=idempotent)
        def top_song(sign: str) -> object:
            """Get the most popular song played on a radio station."""
            return play(sign)

        yield


def results(told: list[events.Event]) -> list[tuple[str, str]]:
    """The calls' results as they were shown, with their status."""
    return [(e["content"], e["metadata"]["status"]) for e in of_type(told, "TOOL_CALL_RESULT")]


def test_a_turn_that_had_shown_nothing_begins_and_runs_to_its_end(conversation: Conversation) -> None:
    told = recovered(Lost(conversation))
    assert of_type(told, "TEXT_MESSAGE_CONTENT")[0]["delta"] == QUESTION
    assert "Elemental Hotel" in answer(told)


@pytest.mark.parametrize(("attempt", "prefix"), [(1, "1:0"), (2, "1.2:0")])
def test_a_cut_round_is_closed_as_interrupted_and_the_same_step_starts_again(
    conversation: Conversation, attempt: int, prefix: str
) -> None:
    lost = Lost(conversation)
    row = lost.begins_round(attempt=attempt)
    block = lost.says("The most popular song is ", prefix)
    before = record(conversation)
    told = recovered(lost)
    assert told[: len(before)] == before
    ended, finished, again = told[len(before) : len(before) + 3]
    assert (ended["type"], ended["messageId"]) == ("TEXT_MESSAGE_END", block)
    assert (finished["type"], finished["metadata"]["interrupted"]) == ("STEP_FINISHED", True)
    assert (again["type"], again["stepName"]) == ("STEP_STARTED", "round 1")
    begun = of_type(told[len(before) :], "TEXT_MESSAGE_START") + of_type(
        told[len(before) :], "TOOL_CALL_START"
    )
    assert f"{lost.turn.pk}:1.{attempt + 1}:0" in [event.get("messageId") for event in begun]
    row.refresh_from_db()
    assert row.status == "interrupted"
    assert (row.first_token_ms, lost.turn.first_token_ms is None) == (None, False)


def test_what_a_cut_round_had_shown_is_kept_and_marked_and_not_sent_again(conversation: Conversation) -> None:
    lost = Lost(conversation)
    row = lost.begins_round()
    block = lost.says("The most hated song is ")
    recovered(lost)
    said = Message.objects.get(round=row)
    assert (said.content, said.complete) == ([{"text": "The most hated song is "}], False)
    (shown,) = [message for message in page(conversation).messages if message["id"] == block]
    assert (shown["content"], shown["metadata"]["interrupted"]) == ("The most hated song is ", True)
    assert "Elemental Hotel" in retold(conversation)
    assert "most hated" not in retold(conversation)


def test_a_call_that_was_under_way_is_answered_as_uncertain_and_not_made_again(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running")
    with top_song_as(pytest.fail, idempotent=False):
        told = recovered(lost)
    assert results(told) == [(NO_RESULT, "error")]
    call = ToolCall.objects.get(tool_use_id="one")
    assert (call.status, call.error, call.result) == ("error", "interrupted", [{"text": NO_RESULT}])
    assert NO_RESULT in retold(conversation)


def test_an_idempotent_call_that_was_under_way_is_made_again_under_the_same_key(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running")
    keys = []
    with top_song_as(lambda sign: keys.append(idempotency_key()) or "Sung", idempotent=True):
        told = recovered(lost)
    assert keys == [str(ToolCall.objects.get(tool_use_id="one").pk)]
    assert results(told) == [("Sung", "success")]


def test_a_call_that_was_not_begun_is_made(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="requested")
    with top_song_as(lambda sign: f"Sung at {sign}", idempotent=False):
        assert results(recovered(lost)) == [("Sung at WZPZ", "success")]


def test_results_are_shown_in_the_order_of_the_calls_those_that_were_stored_too(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running", two="success", three="requested", four="success")
    with top_song_as(lambda sign: "Sung", idempotent=False):
        told = results(recovered(lost))
    assert [content for content, _ in told] == [NO_RESULT, '{"song": "two"}', "Sung", '{"song": "four"}']


def test_a_result_that_was_shown_is_not_shown_again(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="success", two="running")
    lost.record.commit(events.tool_call_result("one", "shown", status="success", duration_ms=1))
    assert [content for content, _ in results(recovered(lost))] == ["shown", NO_RESULT]


def test_a_call_that_was_half_asked_for_is_kept_answered_and_its_id_is_taken(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    row = lost.begins_round()
    lost.record.commit(*lost.asks_for("top_song", '{"sign": "WZ')[:2])
    told = recovered(lost)
    call = ToolCall.objects.get(round=row)
    assert (call.arguments, call.input, call.error) == ('{"sign": "WZ', None, "cut")
    assert results(told)[0] == (CUT, "error")
    kinds = [event["type"] for event in told if event.get("toolCallId") == "top_song"]
    assert kinds == ["TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT"]
    ask(conversation, "show reused id")
    begun = [event["toolCallId"] for event in of_type(record(conversation), "TOOL_CALL_START")]
    assert len(set(begun)) == len(begun)


def test_a_round_that_had_failed_before_its_turn_was_ended_is_tried_again(conversation: Conversation) -> None:
    lost = Lost(conversation)
    row = lost.begins_round()
    lost.says("I will look that up.")
    row.status, row.error_code = Round.Status.FAILED, "stream_cut"
    lost.record.commit(write=row.save)
    assert "Elemental Hotel" in answer(recovered(lost))
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "stream_cut")


def test_a_turn_that_was_lost_three_times_is_ended_as_interrupted(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.begins_round()
    block = lost.says("The most popular song is ")
    lost.says("It is ", "1:1")
    told = given_up(lost)
    assert len(of_type(told, "STEP_STARTED")) == 1
    assert block in [message["id"] for message in page(conversation).messages]
    assert "assistant: The most popular song is" in retold(conversation)


def test_a_turn_that_is_given_up_leaves_no_call_unanswered(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running", two="success", three="requested")
    with top_song_as(pytest.fail, idempotent=True):
        told = results(given_up(lost))
    assert [status for _, status in told] == ["error", "success", "error"]


def test_a_stop_that_was_asked_for_meanwhile_is_heeded(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.begins_round()
    lost.says("The most popular song is ")
    assert engine.stop(conversation.pk)
    told = recovered(lost, "stopped")
    assert len(of_type(told, "STEP_STARTED")) == 1


def test_every_request_can_be_rebuilt_that_an_interrupted_attempt_came_before(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    lost.begins_round()
    lost.says("The most popular song is ")
    recovered(lost)
    asked = Round.objects.exclude(status="interrupted")
    assert len(asked) >= 3
    for row in asked:
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
