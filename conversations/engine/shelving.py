"""A person's commands for conversations in their list: rename, pin, archive, delete, restore.

A deletion can be undone for a while: the rows stay, and nobody sees them, until the worker removes them.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.models import Conversation, Turn

from . import library
from .commands import stop
from .worker import WORKER


def rename(conversation: UUID, title: str) -> None:
    """Gives a conversation its own title, which nothing but another name changes."""
    _change([conversation], title=title, has_own_title=True)


def pin(conversations: Sequence[UUID], *, on: bool = True) -> None:
    """Keeps conversations on top of the list, or no longer."""
    _change(conversations, pinned_at=timezone.now() if on else None)


def archive(conversations: Sequence[UUID], *, on: bool = True) -> None:
    """Puts conversations into the archive, where only a search finds them, or takes them out."""
    _change(conversations, archived_at=timezone.now() if on else None)


def delete(conversations: Sequence[UUID]) -> None:
    """Deletes conversations for everybody and stops their turns. Queued turns stay, for `restore`."""
    _change(conversations, deleted_at=timezone.now())
    active = Turn.objects.filter(conversation__in=conversations, status__in=Turn.ACTIVE)
    for conversation in active.order_by().values_list("conversation", flat=True):
        stop(conversation)


def restore(conversations: Sequence[UUID]) -> None:
    """Brings deleted conversations back as they were; what is queued begins."""
    _change(conversations, deleted_at=None)
    for conversation in conversations:
        WORKER.claim_anywhere(conversation)


def _change(conversations: Sequence[UUID], **columns: Any) -> None:
    """Changes rows that are locked in the order of their keys."""
    rows = Conversation.with_deleted.filter(pk__in=conversations).order_by("pk")
    with transaction.atomic():
        list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
        library.change(conversations, **columns)
