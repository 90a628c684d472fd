"""What a turn asks of a model is what the catalogue says that it takes."""

import json

import pytest

from conversations.models import Conversation, Model, Round
from tests.turns import ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


def test_the_next_turn_asks_for_no_more_than_staff_say_that_the_model_takes(
    conversation: Conversation,
) -> None:
    ask(conversation, "hello")
    Model.objects.create(model_id=conversation.model, most_output_tokens=100, takes_tools=False)
    ask(conversation, "hello")
    before, after = (json.loads(row.base.body) for row in Round.objects.order_by("turn__number"))
    assert "toolConfig" in before
    assert after == {"inferenceConfig": {"maxTokens": 100}}
