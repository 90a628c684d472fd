"""Conversations with turns that have ended, one that runs, and one that waits for a person."""

import threading
from collections.abc import Iterator

import pytest

from conversations.models import Conversation, Turn
from tests.engine.approvals import PLAYED
from tests.engine.branches import slow_turn
from tests.engine.station import top_song_as
from tests.turns import QUESTION, ask


@pytest.fixture
def two(conversation: Conversation) -> list[Turn]:
    """Two turns, one on the other."""
    return [ask(conversation, "Hello"), ask(conversation, QUESTION)]


@pytest.fixture
def slow(conversation: Conversation) -> Iterator[threading.Event]:
    with slow_turn(conversation) as release:
        yield release


@pytest.fixture
def guarded() -> Iterator[None]:
    """The station's tool, which asks first."""
    PLAYED.clear()

    def play(sign: str) -> dict[str, str]:
        PLAYED.append(sign)
        return {"song": f"the song of {sign}"}

    with top_song_as(play, approval=True):
        yield


@pytest.fixture
def waiting(guarded: None, conversation: Conversation) -> Turn:
    """A turn that waits for a decision about its call."""
    turn = ask(conversation, QUESTION)
    assert turn.status == Turn.Status.WAITING
    return turn
