"""Turns whose process died: ended as interrupted with all that had been shown, their calls answered, the queue moved on."""

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.contrib.auth.models import User

from conversations.journal import page
from conversations.live import HUB
from conversations.models import Conversation, Event, Message, Recording, Round, ToolCall, Turn
from conversations.protocol import events
from conversations.protocol.history import NO_RESULT
from conversations.turns.recovery import NOT_RUN, sweep
from tests.asking import answer, ask, conversation_of, of_type, record
from tests.listening import Listener
from tests.losing import QUESTION, Lost

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


@pytest.fixture
def conversation(user: User) -> Conversation:
    return conversation_of(user)


def assert_recovered(lost: Lost) -> list[events.Event]:
    """The turn is ended, its record whole and packed, and the next turn works; the lost turn's events."""
    conversation = lost.turn.conversation
    lost.turn.refresh_from_db()
    assert (lost.turn.status, lost.turn.error_code) == ("interrupted", "interrupted")
    assert (lost.turn.lease_token, lost.turn.lease_until) == (None, None)
    assert not lost.turn.rounds.filter(status="running").exists()
    assert not lost.turn.tool_calls.filter(result__isnull=True).exists()
    found = record(conversation)
    assert [event["metadata"]["seq"] for event in found] == list(range(1, len(found) + 1))
    assert (found[-1]["type"], found[-1]["code"]) == ("RUN_ERROR", "interrupted")
    assert Recording.objects.filter(turn=lost.turn).exists()
    assert not Event.objects.exists()
    assert page(conversation).turns[-1]["status"] == "interrupted"
    assert not any(message["metadata"].get("open") for message in page(conversation).messages)
    following = ask(conversation, "show the conversation")
    assert following.status == Turn.Status.COMPLETED, following.error_text
    assert_valid_agui(found)
    return found


def retold(conversation: Conversation) -> str:
    """What the request of the newest turn held, as the demo gateway tells it."""
    return answer(record(conversation)).partition("Settings:")[2]


def test_a_turn_that_had_shown_nothing_is_shown_and_ended(conversation: Conversation) -> None:
    lost = Lost(conversation)
    sweep()
    told = assert_recovered(lost)
    assert [e["delta"] for e in of_type(told, "TEXT_MESSAGE_CONTENT")] == [QUESTION]


@pytest.mark.parametrize(("attempt", "prefix"), [(1, "1:0"), (2, "1.2:0")])
def test_text_that_had_been_shown_stays_and_is_sent_to_the_model(
    conversation: Conversation, attempt: int, prefix: str
) -> None:
    lost = Lost(conversation)
    row = lost.begins_round(attempt=attempt)
    block = lost.says("The most popular song is ", prefix)
    before = record(conversation)
    sweep()
    told = assert_recovered(lost)
    assert told[: len(before)] == before
    said = Message.objects.get(round=row)
    assert (said.content, said.complete) == ([{"text": "The most popular song is "}], False)
    assert {"id": block, "content": "The most popular song is "}.items() <= page(conversation).messages[
        1
    ].items()
    assert "assistant: The most popular song is" in retold(conversation)


def test_a_call_that_was_under_way_is_answered_as_uncertain(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running")
    sweep()
    told = assert_recovered(lost)
    (result,) = of_type(told, "TOOL_CALL_RESULT")
    assert (result["content"], result["metadata"]["status"]) == (NO_RESULT, "error")
    call = ToolCall.objects.get(tool_use_id="one")
    assert (call.status, call.error, call.result) == ("error", "interrupted", [{"text": NO_RESULT}])
    assert "toolResult" in retold(conversation)


def test_results_are_shown_in_the_order_of_the_calls_those_that_were_stored_too(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running", two="success", three="requested", four="success")
    sweep()
    told = of_type(assert_recovered(lost), "TOOL_CALL_RESULT")
    assert [result["toolCallId"] for result in told] == ["one", "two", "three", "four"]
    assert [result["content"] for result in told] == [
        NO_RESULT,
        '{"song": "two"}',
        NOT_RUN,
        '{"song": "four"}',
    ]


def test_a_result_that_was_shown_is_not_shown_again(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="success", two="running")
    lost.record.commit(events.tool_call_result("one", "shown", status="success", duration_ms=1))
    sweep()
    told = of_type(assert_recovered(lost), "TOOL_CALL_RESULT")
    assert [result["content"] for result in told] == ["shown", NO_RESULT]


def test_a_call_that_was_half_asked_for_is_kept_and_its_id_is_taken(conversation: Conversation) -> None:
    lost = Lost(conversation)
    row = lost.begins_round()
    lost.record.commit(*lost.asks_for("top_song", '{"sign": "WZ')[:2])
    sweep()
    assert_recovered(lost)
    call = ToolCall.objects.get()
    assert (call.round, call.arguments, call.input, call.error) == (row, '{"sign": "WZ', None, "cut")
    ask(conversation, "show reused id")
    begun = [event["toolCallId"] for event in of_type(record(conversation), "TOOL_CALL_START")]
    assert begun[0] == "top_song"
    assert len(set(begun)) == len(begun) == 2


def test_a_round_that_had_failed_already_keeps_its_failure(conversation: Conversation) -> None:
    lost = Lost(conversation)
    row = lost.begins_round()
    lost.says("I will look that up.")
    row.status, row.error_code = Round.Status.FAILED, "stream_cut"
    lost.record.commit(write=row.save)
    sweep()
    assert of_type(assert_recovered(lost), "TOOL_CALL_RESULT") == []
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "stream_cut")


def test_whoever_listens_hears_of_the_end(conversation: Conversation) -> None:
    listener = Listener()
    HUB.attach(None)
    HUB.subscribe(conversation.pk, listener)
    Lost(conversation)
    sweep()
    HUB.unsubscribe(conversation.pk, listener)
    assert listener.seqs == [event["metadata"]["seq"] for event in record(conversation)]
