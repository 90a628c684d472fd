"""A conversation's record as AG-UI JSON Lines: an event a line, as sockets got it."""

from collections.abc import Iterator

from conversations.journal import read
from conversations.models import Conversation


def as_lines(conversation: Conversation) -> Iterator[str]:
    """The record from its beginning, a line an event."""
    reached = 0
    while frames := read(conversation.pk, reached):
        yield from (data + "\n" for _, data in frames)
        reached = frames[-1][0]
