"""What a socket is told beside the record when it begins: notices that it may have missed."""

from typing import Any

from conversations.models import Conversation, Tree
from conversations.protocol import events
from conversations.protocol.events import Event

from . import approvals


def aside(conversation: Conversation, after: int | None, waiting: list[dict[str, Any]]) -> list[Event]:
    """What is `waiting` in the queue and the decisions that wait for others; to a page that reads on `after` a seq the draft, if any, and
    where the shown branch ends if there are several. A reader from the beginning, who wants the record alone, is told neither.
    """
    told: dict[str, Any] = {}
    if waiting:
        told["queued"] = waiting
    if decided := approvals.decided(conversation):
        told["decided"] = {"interrupts": decided}
    if after and conversation.draft:
        told["draft"] = {"text": conversation.draft}
    if after:
        told |= _branch(Tree.of(conversation.pk))
    return [events.custom(name, value) for name, value in told.items()]


def _branch(tree: Tree) -> dict[str, Any]:
    shown = tree.shown()
    return {"branch": {"turn": str(shown[-1])}} if shown and tree.has_branches else {}
