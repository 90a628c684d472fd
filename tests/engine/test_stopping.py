"""A stop at the worst moments ends the turn, answers its calls and stops nothing else."""

import uuid

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui

from conversations import engine
from conversations.journal.hub import HUB
from conversations.models import Conversation, ToolCall, Turn
from tests.listeners import At
from tests.turns import QUESTION, ask, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
CUT_ARGUMENTS = {"AGUI204": "off"}  # arguments that a stop cut short stay in the record as they are


MOMENTS = [
    "RUN_STARTED",
    "STEP_STARTED",
    "TOOL_CALL_START",
    "TOOL_CALL_END",
    "STEP_FINISHED",
    "TOOL_CALL_RESULT",
]


@pytest.mark.parametrize("kind", MOMENTS)
def test_a_stop_at_any_event_leaves_a_valid_record_with_its_calls_answered(
    conversation: Conversation, kind: str
) -> None:
    HUB.attach(None)
    stopping = At(kind, lambda: engine.stop(conversation.pk))
    HUB.subscribe(conversation.pk, stopping)
    turn = ask(conversation, QUESTION)
    HUB.unsubscribe(conversation.pk, stopping)
    events = record(conversation)
    assert_valid_agui(events, severity_overrides=CUT_ARGUMENTS)
    assert turn.status == Turn.Status.STOPPED
    assert events[-1]["outcome"] == {"type": "cancelled"}
    assert not ToolCall.objects.filter(result__isnull=True).exists()
    assert len(of_type(events, "TOOL_CALL_RESULT")) == len(of_type(events, "TOOL_CALL_START"))
    assert ask(conversation, "help").status == Turn.Status.COMPLETED


def test_a_stop_that_comes_too_late_stops_nothing(conversation: Conversation) -> None:
    HUB.attach(None)
    late = At("RUN_FINISHED", lambda: engine.stop(conversation.pk))
    HUB.subscribe(conversation.pk, late)
    engine.start(conversation.pk, str(uuid.uuid4()), "show parallel calls")
    engine.start(conversation.pk, str(uuid.uuid4()), "help")
    assert engine.WORKER.wait(20)
    HUB.unsubscribe(conversation.pk, late)
    assert list(Turn.objects.values_list("status", flat=True)) == ["completed", "completed"]
