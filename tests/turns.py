"""Turns that a test starts, runs to their end, and reads back from the journal."""

import json
import uuid
from typing import Any

from django.contrib.auth.models import User

from conversations import engine
from conversations.journal import read
from conversations.models import Conversation, Turn

Event = dict[str, Any]
QUESTION = "What is the most popular song on WZPZ?"
"""What the demo gateway answers by a call of `top_song`."""


def conversation_of(user: User, **fields: Any) -> Conversation:
    """A new conversation."""
    return Conversation.objects.create(owner=user, **{"model": "cohere.command-r-v1:0"} | fields)


def ask(conversation: Conversation, text: str, message_id: str | None = None) -> Turn:
    """A turn, run to its end."""
    started = engine.start(conversation.pk, message_id or str(uuid.uuid4()), text)
    assert engine.WORKER.wait(20), "the turn did not end"
    return Turn.objects.get(pk=started.turn.pk)


def record(conversation: Conversation, after: int = 0) -> list[Event]:
    """The events that follow `after`."""
    events: list[Event] = []
    while frames := read(conversation.pk, events[-1]["metadata"]["seq"] if events else after):
        events += [json.loads(data) for _, data in frames]
    return events


def decision(call: str, approved: bool = True, **payload: object) -> dict[str, Any]:
    """A person's answer to a call that waits, as a page sends it."""
    return {"interruptId": call, "status": "resolved", "payload": {"approved": approved} | payload}


def types(events: list[Event]) -> list[str]:
    """The events' types, neighbours of one type once."""
    kinds: list[str] = []
    for event in events:
        if not kinds or kinds[-1] != event["type"]:
            kinds.append(event["type"])
    return kinds


def of_type(events: list[Event], kind: str) -> list[Event]:
    """The events of one type."""
    return [event for event in events if event["type"] == kind]


def news(events: list[Event], name: str) -> list[Any]:
    """The values of the product's own events of this name."""
    return [e["value"] for e in of_type(events, "CUSTOM") if e["name"] == f"turntable.{name}"]


def answer(events: list[Event]) -> str:
    """The assistant's texts, one after the other."""
    spoken = {
        e["messageId"] for e in events if e["type"] == "TEXT_MESSAGE_START" and e["role"] == "assistant"
    }
    return "".join(e["delta"] for e in of_type(events, "TEXT_MESSAGE_CONTENT") if e["messageId"] in spoken)
