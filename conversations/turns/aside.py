"""What a socket is told beside the record when it begins: notices that it may have missed."""

from typing import Any

from conversations.journal.reading import queue
from conversations.models import Conversation, Tree
from conversations.protocol import events
from conversations.protocol.events import Event

from . import approvals


def aside(conversation: Conversation, *, is_new: bool) -> list[Event]:
    """The queue, the decisions that wait for others, and a shown branch that is not the newest; a new page has that already."""
    told: dict[str, Any] = {}
    if waiting := queue(conversation.pk):
        told["queued"] = waiting
    if decided := approvals.decided(conversation):
        told["decided"] = {"interrupts": decided}
    if not is_new and (shown := _elsewhere(Tree.of(conversation.pk))):
        told["branch"] = {"turn": shown}
    return [events.custom(name, value) for name, value in told.items()]


def _elsewhere(tree: Tree) -> str:
    """The end of the shown branch, where that is not what the record ends with."""
    end = tree.shown()[-1:]
    return str(end[0]) if end and not tree.is_newest(end[0]) else ""
