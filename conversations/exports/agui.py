"""A conversation's record as AG-UI JSON Lines: an event a line, as sockets were sent it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from conversations.journal import read
from conversations.journal.lines import encode
from conversations.models import Conversation
from conversations.protocol.agui.interrupts import with_repeated_calls


def as_lines(conversation: Conversation) -> Iterator[str]:
    """The record from its beginning, a line an event."""
    for event in with_repeated_calls(_record(conversation.pk)):
        yield encode(event) + "\n"


def _record(conversation: UUID) -> Iterator[dict[str, Any]]:
    last = 0
    while frames := read(conversation, last):
        last = frames[-1][0]
        for _, data in frames:
            yield json.loads(data)
