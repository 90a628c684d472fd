"""A tool call that is run once more, without a model."""

import uuid

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.contrib.auth.models import User

from conversations import engine
from conversations.errors import Refused
from conversations.models import Approval, ToolCall, Turn
from conversations.tools import ToolError
from tests.engine.branches import message_of
from tests.engine.station import top_song_as
from tests.turns import ask, conversation_of, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


def test_a_call_is_run_again_without_a_model(two: list[Turn]) -> None:
    conversation, call = two[0].conversation, ToolCall.objects.get()
    started = engine.run_again(conversation, call.tool_use_id, str(uuid.uuid4()))
    assert engine.WORKER.wait(20)
    turn = Turn.objects.get(pk=started.turn.pk)
    again = turn.tool_calls.get()
    assert (turn.status, turn.rounds.count(), turn.total_tokens) == ("completed", 1, 0)
    assert (again.input, again.status, again.result) == (call.input, "success", call.result)
    assert again.tool_use_id != call.tool_use_id
    assert message_of(turn).content == [{"text": "Run top_song again."}]
    assert_valid_agui(record(conversation))
    assert ask(conversation, "help").status == "completed"


def test_with_other_arguments_it_is_said_which(two: list[Turn]) -> None:
    conversation, call = two[0].conversation, ToolCall.objects.get()
    engine.run_again(conversation, call.tool_use_id, str(uuid.uuid4()), {"sign": "WKRP"})
    assert engine.WORKER.wait(20)
    again = ToolCall.objects.order_by("created_at").last()
    assert (again.input, again.error) == ({"sign": "WKRP"}, "tool_error")
    assert message_of(again.turn).content == [{"text": 'Run top_song again with {"sign": "WKRP"}.'}]


@pytest.mark.parametrize("arguments", [["WKRP"], "WKRP", {}, {"station": "WKRP"}], ids=str)
def test_arguments_that_the_tool_does_not_take_are_refused(two: list[Turn], arguments: object) -> None:
    call = ToolCall.objects.get()
    with pytest.raises(Refused):
        engine.run_again(two[0].conversation, call.tool_use_id, str(uuid.uuid4()), arguments)
    assert two[0].conversation.turns.count() == 2


def test_a_call_of_another_conversation_is_not_there(two: list[Turn], other_user: User) -> None:
    call = ToolCall.objects.get()
    with pytest.raises(Refused):
        engine.run_again(conversation_of(other_user), call.tool_use_id, str(uuid.uuid4()))


def test_whoever_runs_a_call_again_lets_it_through(two: list[Turn]) -> None:
    call, ran = ToolCall.objects.get(), []

    def play(sign: str) -> None:
        ran.append(sign)
        raise ToolError("No.")

    with top_song_as(play, approval=True):
        engine.run_again(two[0].conversation, call.tool_use_id, str(uuid.uuid4()))
        assert engine.WORKER.wait(20)
    approval = Approval.objects.get()
    assert (ran, approval.status, approval.decided_by) == (["WZPZ"], "approved", two[0].user)
