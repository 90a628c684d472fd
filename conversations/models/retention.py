"""The deletion of conversations with all their rows; the totals of their usage stay."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, QuerySet

from .approval import Approval
from .attachment import Attachment
from .conversation import Conversation, Turn
from .record import Event, Recording
from .round import Message, RequestBase, Round, ToolCall
from .usage import add_to_totals

BATCH = 50
"""Conversations that are deleted in one transaction."""

Deletions = Counter[str]
"""Numbers of deleted rows, by their kinds."""


def older_than(moment: datetime) -> QuerySet[Conversation]:
    """The conversations last active before the moment in which no turn runs, waits or is queued."""
    open_turns = Turn.objects.filter(conversation=OuterRef("pk"), status__in=Turn.OPEN)
    rows = Conversation.with_deleted.filter(~Exists(open_turns), updated_at__lt=moment)
    return rows.order_by("updated_at")


def deleted_before(moment: datetime) -> QuerySet[Conversation]:
    """Conversations that were deleted before the moment and have no active turn."""
    active = Turn.objects.filter(conversation=OuterRef("pk"), status__in=Turn.ACTIVE)
    return Conversation.with_deleted.filter(~Exists(active), deleted_at__lt=moment).order_by("deleted_at")


def count(moment: datetime) -> Deletions:
    """What `prune` would delete."""
    keys = older_than(moment).order_by().values("pk")
    return _counts(keys, keys.count()) + _bases(_orphans(keys).count())


def prune(moment: datetime) -> Iterator[Deletions]:
    """Deletes old conversations, a batch at a time, then the request bases that no round uses any more."""
    yield from _remove(older_than(moment))
    yield _prune_bases()


def remove_deleted(moment: datetime) -> None:
    """Removes the conversations that were deleted before the moment."""
    if sum((batch["conversations"] for batch in _remove(deleted_before(moment))), 0):
        _prune_bases()


def _batches(ids: list[UUID]) -> Iterator[list[UUID]]:
    return (ids[at : at + BATCH] for at in range(0, len(ids), BATCH))


def _remove(rows: QuerySet[Conversation]) -> Iterator[Deletions]:
    for batch in _batches(list(rows.values_list("pk", flat=True))):
        yield _remove_batch(rows.filter(pk__in=batch), batch)


def _remove_batch(rows: QuerySet[Conversation], ids: list[UUID]) -> Deletions:
    """Deletes the rows that still match under their locks: one may have been restored meanwhile."""
    with transaction.atomic():
        list(Conversation.with_deleted.select_for_update().filter(pk__in=ids).order_by("pk").values("pk"))
        keys = list(rows.values_list("pk", flat=True))
        add_to_totals(keys)
        deletions = _counts(keys, len(keys))
        Conversation.with_deleted.filter(pk__in=keys).delete()
    return deletions


def _counts(keys: Any, conversations: int) -> Deletions:
    of_conversations: dict[str, type[models.Model]] = {
        "turns": Turn, "messages": Message, "tool calls": ToolCall, "events": Event, "recordings": Recording,
        "attached files": Attachment,
    }  # fmt: skip
    counts = {
        name: model._default_manager.filter(conversation__in=keys).count()
        for name, model in of_conversations.items()
    }
    rounds = Round.objects.filter(turn__conversation__in=keys).count()
    approvals = Approval.objects.filter(call__conversation__in=keys).count()
    return Counter({"conversations": conversations, "rounds": rounds, "approvals": approvals} | counts)


# -- request bases


def _orphans(conversations: Any = ()) -> QuerySet[RequestBase]:
    """The request bases that no round uses, not counting rounds of these conversations."""
    users = Round.objects.filter(base=OuterRef("pk")).exclude(turn__conversation__in=conversations)
    return RequestBase.objects.filter(~Exists(users))


def _prune_bases() -> Deletions:
    """Deletes request bases without a round, under a lock.

    A round that begins stores its base, or finds it there, before it stores itself.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":  # SQLite's transactions exclude each other
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE conversations_requestbase IN SHARE ROW EXCLUSIVE MODE")
        return _bases(_orphans().delete()[0])


def _bases(number: int) -> Deletions:
    return Counter({"request bases": number})
