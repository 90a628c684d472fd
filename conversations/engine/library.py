"""Changes of conversations that lists show: stored with their time, announced after the commit.

Every process sends them to its open lists. One that no doorbell reaches finds them by their time.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.journal import HUB
from conversations.models import Conversation, marks, retention

RESTORABLE = timedelta(minutes=10)
"""How long a deletion can be undone at least."""


def announce(conversation: UUID) -> None:
    """Tells all open lists of a change once it is committed; `changed_at` is stored with it."""
    transaction.on_commit(partial(HUB.change, conversation), robust=True)


def touch(conversation: UUID) -> None:
    """Stores and announces that other rows changed a conversation's place or mark, as approvals do."""
    change([conversation])


def change(conversations: Sequence[UUID], **columns: Any) -> None:
    """Changes columns of conversations, such as the title, and announces it."""
    Conversation.with_deleted.filter(pk__in=conversations).update(changed_at=timezone.now(), **columns)
    for conversation in conversations:
        announce(conversation)


def see(conversation: UUID, owner: int) -> None:
    """Marks all ended turns of the conversation as seen by its owner."""
    if marks.mark_seen(conversation, owner):
        announce(conversation)


def remove_deleted() -> None:
    """Removes the conversations whose deletion can no longer be undone, with all of their record."""
    retention.remove_deleted(timezone.now() - RESTORABLE)
