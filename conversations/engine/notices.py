"""News that is no part of the record, told to every open socket of a conversation: its queue, draft, branch, and what is decided."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from conversations.journal import HUB, queue, remember
from conversations.models import Conversation, Tree
from conversations.protocol.agui import events
from conversations.protocol.agui.events import Event

from . import approvals

STATES: dict[str, Callable[[Conversation], Any]] = {
    "queued": lambda conversation: queue(conversation.pk),
    "draft": lambda conversation: {"text": conversation.draft},
    "branch": lambda conversation: {"turn": str(Tree.of(conversation.pk).shown()[-1])},
    "decided": lambda conversation: {"interrupts": approvals.decided(conversation)},
}
"""What each notice says, read from the database: whoever hears of one in another process reads it there."""


def queue_changed(conversation: UUID) -> None:
    """Tells what waits."""
    announce(Conversation(pk=conversation), "queued")


def announce(conversation: Conversation, name: str) -> None:
    """Sends a notice to the conversation's sockets, in every process."""
    remember(conversation.pk, name)  # before the state is read: it may replace another process's notice
    HUB.notify(conversation.pk, name, events.custom(name, STATES[name](conversation)))


def current(conversation: UUID, names: Iterable[str]) -> list[Event]:
    """The notices of these names as they are now; none where the conversation is gone."""
    row = Conversation.objects.filter(pk=conversation).first()
    return [events.custom(name, STATES[name](row)) for name in names if name in STATES] if row else []


def aside(conversation: Conversation, after: int | None, waiting: list[dict[str, Any]]) -> list[Event]:
    """What a socket that opens is sent beside the record: the queue `waiting`, and decisions that wait for others.

    To a page that reads on `after` a seq also the draft, if any, and where the shown branch ends if there are several. A reader from the
    beginning, who wants the record alone, is sent neither.
    """
    values: dict[str, Any] = {}
    if waiting:
        values["queued"] = waiting
    if decided := approvals.decided(conversation):
        values["decided"] = {"interrupts": decided}
    if after and conversation.draft:
        values["draft"] = STATES["draft"](conversation)
    if after and Tree.of(conversation.pk).has_branches:  # then some turn has begun
        values["branch"] = STATES["branch"](conversation)
    return [events.custom(name, value) for name, value in values.items()]
