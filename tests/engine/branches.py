"""Branches of a conversation's tree: turns that are asked and edited, and what a page shows."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from conversations import engine
from conversations.journal import page
from conversations.models import Conversation, Message, Turn
from tests.conditions import PATIENCE
from tests.engine.station import top_song_as
from tests.turns import QUESTION

OTHER = "What is the most popular song on WKRP?"


@contextmanager
def slow_turn(conversation: Conversation) -> Iterator[threading.Event]:
    """A turn that runs until the event is set."""
    begun, release = threading.Event(), threading.Event()

    def play(sign: str) -> str:
        begun.set()
        release.wait(60)
        return sign

    with top_song_as(play):
        engine.start(conversation.pk, str(uuid.uuid4()), QUESTION)
        try:
            assert begun.wait(PATIENCE)
            yield release
        finally:
            release.set()
            assert engine.WORKER.wait(PATIENCE)


def message_of(turn: Turn) -> Message:
    return Message.objects.get(turn=turn, role="user")


def turn_of(message_id: str) -> Turn:
    return Turn.objects.get(messages__public_id=message_id)


def edited(turn: Turn, text: str) -> Turn:
    message_id = str(uuid.uuid4())
    engine.edit(turn.conversation, str(message_of(turn).public_id), message_id, text)
    assert engine.WORKER.wait(20)
    return Turn.objects.get(messages__public_id=message_id)


def regenerated(conversation: Conversation, **options: Any) -> Turn:
    started = engine.regenerate(conversation, **options)
    assert engine.WORKER.wait(20)
    return Turn.objects.get(pk=started.turn.pk)


def branch(conversation: Conversation) -> list[str]:
    """The ids of the turns of the shown branch, as a new page gets them."""
    conversation.refresh_from_db()
    return [turn["id"] for turn in page(conversation).turns]


def ids(*turns_: Turn) -> list[str]:
    return [str(turn.pk) for turn in turns_]


def versions(conversation: Conversation) -> list[Any]:
    return [turn.get("versions") for turn in page(conversation).turns]
