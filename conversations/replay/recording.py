"""A record's moments, read from the database and nowhere else: playing it calls no gateway and no tool."""

from collections.abc import Iterator
from itertools import chain

from conversations import journal
from conversations.models import Conversation, Turn
from conversations.protocol.agui import timeline as pure
from conversations.protocol.agui.timeline import Moment


def timeline(turn: Turn) -> list[Moment]:
    """What happened in a turn, as far as it is recorded: every event at its time, merged deltas taken apart again."""
    return list(pure.timeline(journal.recorded(turn)))


def moments(conversation: Conversation) -> Iterator[Moment]:
    """What happened in a conversation, turn by turn, read as it is asked for."""
    return chain.from_iterable(map(timeline, conversation.turns.order_by("number").iterator(chunk_size=8)))
