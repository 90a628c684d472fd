"""Turns from a user's message to the end of the answer, on the demo gateway and real rows."""

import threading
import uuid

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.errors import Refused, Throttled
from conversations.journal import last_seq
from conversations.models import Conversation, Event, Message, Recording, Round, ToolCall, Turn
from conversations.protocol.converse.request import sha256
from conversations.tools import ToolError
from tests.engine.station import top_song_as
from tests.turns import QUESTION, answer, ask, conversation_of, of_type, record, types

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


def test_the_owners_question_is_answered_by_way_of_the_tool(conversation: Conversation) -> None:
    turn = ask(conversation, QUESTION)
    events = record(conversation)
    assert turn.status == Turn.Status.COMPLETED
    assert "Elemental Hotel" in answer(events)
    call = ToolCall.objects.get()
    assert (call.name, call.input, call.status) == ("top_song", {"sign": "WZPZ"}, "success")
    assert call.result == [{"json": {"song": "Elemental Hotel", "artist": "8 Storey Hike"}}]
    assert_valid_agui(events)


def test_the_events_come_in_the_order_of_the_contract(conversation: Conversation) -> None:
    ask(conversation, QUESTION)
    events = record(conversation)
    assert [e["metadata"]["seq"] for e in events] == list(range(1, len(events) + 1))
    assert types(events)[:6] == [
        "RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "CUSTOM", "STEP_STARTED",
    ]  # fmt: skip
    order = types(events)
    first_end, result, last_start = (
        order.index("STEP_FINISHED"), order.index("TOOL_CALL_RESULT"), len(order) - 1 - order[::-1].index("STEP_STARTED"),
    )  # fmt: skip
    assert first_end < result < last_start
    assert order[-1] == "RUN_FINISHED"
    assert events[-1]["outcome"] == {"type": "success"}
    assert events[-1]["usage"][0]["outputTokens"] == sum(row.output_tokens for row in Round.objects.all())


def test_a_tools_failure_is_told_to_the_model_and_the_answer_speaks_of_it(conversation: Conversation) -> None:
    ask(conversation, "What is the most popular song on WKRP?")
    events = record(conversation)
    result = of_type(events, "TOOL_CALL_RESULT")[0]
    assert result["metadata"]["status"] == "error"
    assert result["content"] == "Station WKRP not found."
    assert "Station WKRP not found." in answer(events)


def test_a_finished_turn_is_packed_into_one_row_that_reads_the_same(conversation: Conversation) -> None:
    ask(conversation, QUESTION)
    assert not Event.objects.exists()
    recording = Recording.objects.get()
    events = record(conversation)
    assert (recording.first_seq, recording.last_seq) == (1, len(events))
    for after in range(len(events)):
        assert record(conversation, after) == events[after:]


def test_every_request_can_be_made_again_byte_for_byte(conversation: Conversation) -> None:
    for text in (QUESTION, "show reasoning", "fail cut", "And on WKRP?"):
        ask(conversation, text)
    rows = Round.objects.select_related("turn", "base")
    assert len(rows) >= 5
    for row in rows:
        assert sha256(engine.rebuild_request(row)) == row.request_sha256


def test_the_same_message_id_again_changes_nothing(conversation: Conversation) -> None:
    message_id = str(uuid.uuid4())
    first = ask(conversation, QUESTION, message_id)
    events = record(conversation)
    again = engine.start(conversation.pk, message_id.upper(), "something else")
    assert (again.turn.pk, again.is_new) == (first.pk, False)
    assert record(conversation) == events


@pytest.mark.parametrize("text", ["", " \n", "x" * 100_001])
def test_a_blank_or_too_long_message_is_refused_and_nothing_is_stored(
    conversation: Conversation, text: str
) -> None:
    with pytest.raises(Refused):
        engine.start(conversation.pk, str(uuid.uuid4()), text)
    assert not Turn.objects.exists()


@pytest.mark.parametrize("message_id", ["", "7", "x" * 36, None, {"a": 1}])
def test_a_message_id_that_is_no_uuid_is_refused(conversation: Conversation, message_id: object) -> None:
    with pytest.raises(Refused):
        engine.start(conversation.pk, message_id, QUESTION)  # type: ignore[arg-type]


def test_a_message_of_100000_characters_is_split_and_whole(conversation: Conversation) -> None:
    text = "\N{GRINNING FACE}" * 100_000
    ask(conversation, text)
    deltas = [e for e in of_type(record(conversation), "TEXT_MESSAGE_CONTENT") if ":" not in e["messageId"]]
    assert "".join(e["delta"] for e in deltas) == text
    assert max(len(e["delta"].encode()) for e in deltas) <= 16 * 1024


def test_nul_and_lone_surrogates_are_replaced_at_the_door(conversation: Conversation) -> None:
    ask(conversation, "a\x00b\ud83dc")
    assert Message.objects.get(role="user").content == [{"text": "a\ufffdb\ufffdc"}]


def test_a_second_message_waits_as_a_row_and_runs_when_the_first_has_ended(
    conversation: Conversation,
) -> None:
    release = threading.Event()
    with top_song_as(lambda sign: release.wait(10)):
        engine.start(conversation.pk, str(uuid.uuid4()), QUESTION)
        second = engine.start(conversation.pk, str(uuid.uuid4()), "help")
        assert second.is_queued
        assert Turn.objects.filter(status=Turn.Status.QUEUED).count() == 1
        release.set()
        assert engine.WORKER.wait(20)
    assert [turn.status for turn in Turn.objects.order_by("number")] == ["completed", "completed"]
    runs = of_type(record(conversation), "RUN_STARTED")
    assert [run["runId"] for run in runs] == [str(turn.pk) for turn in Turn.objects.order_by("number")]


def test_stop_ends_a_turn_that_waits_for_its_tool_and_answers_the_call(conversation: Conversation) -> None:
    begun, release = threading.Event(), threading.Event()
    with top_song_as(lambda sign: begun.set() or release.wait(20)):
        engine.start(conversation.pk, str(uuid.uuid4()), QUESTION)
        assert begun.wait(10)
        assert engine.stop(conversation.pk)
        assert engine.WORKER.wait(5)
        release.set()
    events = record(conversation)
    assert events[-1]["outcome"] == {"type": "cancelled"}
    assert of_type(events, "TOOL_CALL_RESULT")[0]["metadata"]["status"] == "error"
    assert (ToolCall.objects.get().error, Turn.objects.get().status) == ("stopped", "stopped")
    assert ask(conversation, "What about WKRP?").status == Turn.Status.COMPLETED


def test_stop_in_mid_answer_keeps_what_was_shown(conversation: Conversation, settings: Settings) -> None:
    from conversations import demo_gateway as demo

    slow = demo.start(pace=1)
    settings.GATEWAY_URL = slow.url
    engine.start(conversation.pk, str(uuid.uuid4()), "show a long answer")
    _wait_for(lambda: bool(of_type(record(conversation), "TEXT_MESSAGE_CONTENT")[1:]))
    engine.stop(conversation.pk)
    assert engine.WORKER.wait(5)
    slow.close()
    events = record(conversation)
    message = Message.objects.get(role="assistant")
    assert not message.complete
    assert message.content[0]["text"] == answer(events)
    assert types(events)[-3:] == ["TEXT_MESSAGE_END", "STEP_FINISHED", "RUN_FINISHED"]
    assert_valid_agui(events)


def test_stop_does_nothing_when_nothing_runs(conversation: Conversation) -> None:
    assert not engine.stop(conversation.pk)


FAILURES = [
    ("fail throttled", "throttled"), ("fail refused", "gateway_refused"), ("fail gateway", "gateway_failed"),
    ("fail invalid", "invalid_request"), ("fail overflow", "context_overflow"), ("fail cut", "stream_cut"),
    ("fail stream", "stream_error"), ("fail timeout", "timeout"),
]  # fmt: skip


@pytest.mark.parametrize(("phrase", "code"), FAILURES)
def test_a_failure_is_told_by_its_code_and_the_next_turn_works(
    conversation: Conversation, settings: Settings, phrase: str, code: str
) -> None:
    settings.GATEWAY_RETRIES, settings.GATEWAY_TIMEOUT = 1, 1
    turn = ask(conversation, phrase)
    error = record(conversation)[-1]
    assert (error["type"], error["code"]) == ("RUN_ERROR", code)
    assert (turn.status, turn.error_code) == ("failed", code)
    assert ask(conversation, QUESTION).status == Turn.Status.COMPLETED


def test_a_model_that_asks_for_ever_meets_the_limit_of_rounds(
    conversation: Conversation, settings: Settings
) -> None:
    settings.MAX_ROUNDS = 3
    ask(conversation, "show tool loop")
    events = record(conversation)
    assert events[-1]["code"] == "round_limit"
    assert Round.objects.count() == 3
    assert [call.error for call in ToolCall.objects.order_by("created_at", "position")][-1] == "round_limit"
    assert len(of_type(events, "TOOL_CALL_RESULT")) == ToolCall.objects.count()


def test_parallel_calls_run_at_once_and_are_answered_in_order(conversation: Conversation) -> None:
    together = threading.Barrier(2, timeout=10)

    def play(sign: str) -> str:
        together.wait()
        if sign == "WZPZ":
            raise ToolError("Station off the air.")
        return sign

    with top_song_as(play):
        ask(conversation, "What is the most popular song on WZPZ and on WKRP?")
    events = record(conversation)
    call_ids = [e["toolCallId"] for e in of_type(events, "TOOL_CALL_START")]
    results = of_type(events, "TOOL_CALL_RESULT")
    assert [e["toolCallId"] for e in results] == call_ids
    assert [e["metadata"]["status"] for e in results] == ["error", "success"]
    assert_valid_agui(events)


def test_a_users_limits_are_told_before_anything_is_stored(user: User, settings: Settings) -> None:
    settings.USER_TURNS_PER_MINUTE = 1
    ask(conversation_of(user), "help")
    with pytest.raises(Throttled):
        engine.start(conversation_of(user).pk, str(uuid.uuid4()), "help")
    assert Turn.objects.count() == 1


def test_the_first_message_gives_the_conversation_its_title(conversation: Conversation) -> None:
    ask(conversation, QUESTION)
    conversation.refresh_from_db()
    assert conversation.title == QUESTION
    titles = [e for e in of_type(record(conversation), "CUSTOM") if e["name"] == "turntable.conversation"]
    assert titles[0]["value"] == {"title": QUESTION}
    assert last_seq(conversation.pk) == len(record(conversation))


def test_a_long_title_ends_between_what_a_reader_takes_for_characters(conversation: Conversation) -> None:
    ask(conversation, f"{'x' * 56}👨‍👩‍👧‍👦 and the rest of it")
    conversation.refresh_from_db()
    assert conversation.title == f"{'x' * 56}…"


def _wait_for(condition: "object") -> None:
    paused = threading.Event()
    for _ in range(1000):
        if condition():  # type: ignore[operator]
            return
        paused.wait(0.02)
    raise AssertionError("it did not come to be")


def test_a_fault_of_ours_ends_round_and_turn_and_is_told_as_such(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("conversations.engine.rounds.Streaming._show", broken)
    turn = ask(conversation, QUESTION)
    assert (turn.status, turn.error_code) == ("failed", "internal")
    assert Round.objects.get().status == Round.Status.FAILED
    assert record(conversation)[-1]["code"] == "internal"
