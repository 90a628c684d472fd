"""Notices to every open socket of a conversation, which are no part of its record.

They are about its queue, its draft, its shown branch, its settings, and the calls that are decided.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from conversations.journal import HUB, queue, store_notice
from conversations.models import Conversation, Tree
from conversations.protocol.agui import events
from conversations.protocol.agui.events import Event

from . import approvals
from .settings import fields_of

VALUES: dict[str, Callable[[Conversation], Any]] = {
    "queued": lambda conversation: queue(conversation.pk),
    "draft": lambda conversation: {"text": conversation.draft},
    "branch": lambda conversation: {"turn": str(Tree.of(conversation.pk).active_line()[-1])},
    "settings": lambda conversation: {"name": conversation.model_name} | fields_of(conversation),
    "decided": lambda conversation: {"interrupts": approvals.decided_interrupts(conversation)},
}
"""By a notice's name, its value as the database has it, so that all processes send the same."""


def queue_changed(conversation: UUID) -> None:
    """Announces the conversation's queue."""
    announce(Conversation(pk=conversation), "queued")


def announce(conversation: Conversation, name: str) -> None:
    """Sends a notice to the conversation's sockets, in every process."""
    store_notice(conversation.pk, name)  # before the value is read: it may replace another process's notice
    HUB.notify(conversation.pk, name, events.custom(name, VALUES[name](conversation)))


def current_notices(conversation: UUID, names: Iterable[str]) -> list[Event]:
    """The notices of these names with their present values; none if the conversation is gone."""
    row = Conversation.objects.filter(pk=conversation).first()
    return [events.custom(name, VALUES[name](row)) for name in names if name in VALUES] if row else []


def first_notices(conversation: Conversation, after: int | None, queued: list[dict[str, Any]]) -> list[Event]:
    """The notices for a socket that opens: the queue, and decisions while others are pending.

    A page that reads on `after` a seq also gets the draft, and the end of the shown branch if there are several branches. A reader
    from the beginning wants the record alone, and gets neither, nor does one that begins with a snapshot of the shown branch. Where
    nothing has begun yet, a page may be older than the draft, and gets it.
    """
    values: dict[str, Any] = {}
    if queued:
        values["queued"] = queued
    if decided := approvals.decided_interrupts(conversation):
        values["decided"] = {"interrupts": decided}
    if conversation.draft and (after or (after == 0 and conversation.head_id is None)):
        values["draft"] = VALUES["draft"](conversation)
    if after and Tree.of(conversation.pk).has_branches:  # then some turn has begun
        values["branch"] = VALUES["branch"](conversation)
    return [events.custom(name, value) for name, value in values.items()]
