"""The deletion of conversations with all of their record; the totals of their usage stay."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from .approval import Approval
from .attachment import Attachment
from .conversation import Conversation, Turn
from .record import Event, Recording
from .round import Message, RequestBase, Round, ToolCall
from .usage import add_up

BATCH = 50
"""Conversations deleted in one transaction."""

Deletions = Counter[str]
"""Numbers of deleted rows, by what they are."""


def older_than(moment: datetime) -> QuerySet[Conversation]:
    """The conversations last active before the moment in which no turn runs, waits or is queued."""
    open_turns = Turn.objects.filter(conversation=OuterRef("pk"), status__in=Turn.OPEN)
    return Conversation.objects.filter(~Exists(open_turns), updated_at__lt=moment).order_by("updated_at")


def count(moment: datetime) -> Deletions:
    """What `prune` would delete."""
    keys = older_than(moment).order_by().values("pk")
    return _counts(keys, keys.count()) + _bases(_orphans(keys).count())


def prune(moment: datetime) -> Iterator[Deletions]:
    """Deletes old conversations, a batch at a time, then the request bases that no round uses any more."""
    ids = list(older_than(moment).values_list("pk", flat=True))
    for batch in _batches(ids):
        yield _prune(batch, moment)
    yield _prune_bases()


def delete(conversation: UUID) -> bool:
    """Deletes a conversation but for its usage; False where a turn of it runs, waits or is queued."""
    return _prune([conversation], timezone.now())["conversations"] == 1


def _batches(ids: list[UUID]) -> Iterator[list[UUID]]:
    return (ids[at : at + BATCH] for at in range(0, len(ids), BATCH))


def _prune(ids: list[UUID], moment: datetime) -> Deletions:
    """Deletes what is still old under the conversations' locks: one may have been taken up meanwhile."""
    with transaction.atomic():
        rows = Conversation.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        locked = list(rows.values_list("pk", flat=True))
        old = list(older_than(moment).filter(pk__in=locked).values_list("pk", flat=True))
        add_up(old)
        deletions = _counts(old, len(old))
        Conversation.objects.filter(pk__in=old).delete()
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
    """The request bases that no round uses but those of the conversations."""
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
