"""Turns that have ended, written into the record without being run."""

import json

from conversations.models import Conversation, Message, Turn
from conversations.protocol.agui import events


def recorded_turn(conversation: Conversation, text: str, *answer: events.Event) -> Turn:
    """A turn that has ended, with the user's text and the events of its answer in the record."""
    turn = Turn.objects.create(
        conversation=conversation,
        number=conversation.turns.count() + 1,
        parent=conversation.turns.order_by("number").last(),
        user=conversation.owner,
        model=conversation.model,
        status=Turn.Status.COMPLETED,
    )
    message = Message.objects.create(
        conversation=conversation, turn=turn, role="user", content=[{"text": text}]
    )
    record = [
        events.run_started(str(conversation.pk), str(turn.pk)),
        *events.user_message(str(message.public_id), text),
        *answer,
        events.run_finished(str(conversation.pk), str(turn.pk), "success", []),
    ]
    for seq, event in enumerate(record, conversation.events.count() + 1):
        numbered = event | {"timestamp": 0, "metadata": event.get("metadata", {}) | {"seq": seq}}
        conversation.events.create(turn=turn, seq=seq, data=json.dumps(numbered))
    return turn


def text_events(text: str) -> list[events.Event]:
    """The events of a text block."""
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": text},
        {"type": "TEXT_MESSAGE_END", "messageId": "a"},
    ]
