"""The mark of a conversation in a list: it runs, waits, has failed, or has something new."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import models
from django.db.models import Count, F, Max, QuerySet, Subquery
from django.utils import timezone

from .approval import Approval
from .conversation import Conversation, Turn

Status = Turn.Status


class Mark(models.TextChoices):
    """A conversation's state, as a list shows it in words to its reader."""

    WAITING = "waiting", "Waiting for approval"
    RUNNING = "running", "Running"
    FAILED = "failed", "Failed"
    UNREAD = "unread", "Unread"


class ListEntry(NamedTuple):
    """A conversation as a list shows it."""

    conversation: UUID
    owner: int
    title: str
    updated_at: datetime
    changed_at: datetime
    pinned_at: datetime | None
    archived_at: datetime | None
    deleted_at: datetime | None
    mark: Mark | None


COLUMNS = ("pk", "owner", "title", "updated_at", "changed_at", "pinned_at", "archived_at", "deleted_at")


def mark_of(newest: Mapping[str, int]) -> Mark | None:
    """The mark of a conversation; `newest` has the highest numbers of its unseen turns, by status.

    A turn that a person has stopped is no news to them.
    """
    failed = max(newest.get(Status.FAILED, 0), newest.get(Status.INTERRUPTED, 0))
    if Status.WAITING in newest:
        return Mark.WAITING
    if Status.RUNNING in newest or Status.QUEUED in newest:
        return Mark.RUNNING
    if failed > newest.get(Status.COMPLETED, 0):
        return Mark.FAILED
    return Mark.UNREAD if Status.COMPLETED in newest else None


def marks(conversations: Iterable[UUID]) -> dict[UUID, Mark]:
    """The marks of the conversations that have one, in one query."""
    turns = Turn.objects.filter(conversation__in=list(conversations), number__gt=F("conversation__seen"))
    rows = turns.order_by().values_list("conversation", "status").annotate(newest=Max("number"))
    by_conversation: dict[UUID, dict[str, int]] = defaultdict(dict)
    for conversation, status, newest in rows:
        by_conversation[conversation][status] = newest
    all_marks = {key: mark_of(newest) for key, newest in by_conversation.items()}
    return {key: mark for key, mark in all_marks.items() if mark}


def entries(rows: QuerySet[Conversation]) -> list[ListEntry]:
    """The conversations as a list shows them, with their marks: two queries."""
    columns = list(rows.values_list(*COLUMNS))
    by_conversation = marks(row[0] for row in columns)
    return [ListEntry._make((*row, by_conversation.get(row[0]))) for row in columns]


def mark_seen(conversation: UUID, owner: int) -> bool:
    """Marks all turns that have ended as seen by the owner; returns whether any of them was not."""
    ended = Turn.objects.filter(conversation=conversation).exclude(status__in=Turn.OPEN).order_by()
    newest = Subquery(ended.values("conversation").annotate(newest=Max("number")).values("newest"))
    rows = Conversation.objects.filter(pk=conversation, owner=owner, seen__lt=newest)
    return rows.update(seen=newest, changed_at=timezone.now()) > 0


def pending(user: int) -> QuerySet[Approval]:
    """The approvals that wait for the user."""
    return _pending().filter(call__conversation__owner=user)


def pending_counts(users: Iterable[int]) -> dict[int, int]:
    """The numbers of approvals that wait for the users, where there are any."""
    rows = _pending().filter(call__conversation__owner__in=list(users))
    return dict(rows.order_by().values_list("call__conversation__owner").annotate(Count("pk")))


def _pending() -> QuerySet[Approval]:
    return Approval.objects.filter(
        status=Approval.Status.PENDING,
        call__turn__status=Status.WAITING,
        call__conversation__deleted_at=None,
    )
