"""What is deleted when it is old: conversations whole, with all of their record. What they had used is added up and kept."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from .approval import Approval
from .conversation import Conversation, Turn
from .record import Event, Recording
from .round import Message, RequestBase, Round, ToolCall
from .usage import add_up

BATCH = 50
"""Conversations deleted in one transaction."""

Gone = Counter[str]


def older_than(moment: datetime) -> QuerySet[Conversation]:
    """The conversations whose last activity was before the moment and in which no turn runs, waits or is queued."""
    open_turns = Turn.objects.filter(conversation=OuterRef("pk"), status__in=Turn.OPEN)
    return Conversation.objects.filter(~Exists(open_turns), updated_at__lt=moment).order_by("updated_at")


def counted(moment: datetime) -> Gone:
    """What would go, by its name."""
    going = older_than(moment).order_by().values("pk")
    return _counts(going, going) + _bases(_orphans(going).count())


def prune(moment: datetime) -> Iterator[Gone]:
    """Deletes them, a batch at a time, then the request bases that no round uses any more: what went, each time."""
    ids = list(older_than(moment).values_list("pk", flat=True))
    for batch in _batches(ids):
        yield _prune(batch, moment)
    yield _prune_bases()


def delete(conversation: UUID) -> bool:
    """Deletes one conversation, what it had used being kept; False where a turn of it runs, waits or is queued."""
    return _prune([conversation], timezone.now())["conversations"] == 1


def _batches(ids: list[UUID]) -> Iterator[list[UUID]]:
    return (ids[at : at + BATCH] for at in range(0, len(ids), BATCH))


def _prune(ids: list[UUID], moment: datetime) -> Gone:
    """Asks again under the conversations' locks: one may have been taken up again meanwhile."""
    with transaction.atomic():
        held = Conversation.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        locked = list(held.values_list("pk", flat=True))
        going = list(older_than(moment).filter(pk__in=locked).values_list("pk", flat=True))
        add_up(going)
        gone = _counts(going, Conversation.objects.filter(pk__in=going))
        Conversation.objects.filter(pk__in=going).delete()
    return gone


def _counts(going: Any, conversations: QuerySet[Any]) -> Gone:
    of_conversations: dict[str, type[models.Model]] = {
        "turns": Turn, "messages": Message, "tool calls": ToolCall, "events": Event, "recordings": Recording,
    }  # fmt: skip
    found = {
        name: model._default_manager.filter(conversation__in=going).count()
        for name, model in of_conversations.items()
    }
    rounds = Round.objects.filter(turn__conversation__in=going).count()
    approvals = Approval.objects.filter(call__conversation__in=going).count()
    return Counter({"conversations": conversations.count(), "rounds": rounds, "approvals": approvals} | found)


# -- request bases


def _orphans(going: Any = ()) -> QuerySet[RequestBase]:
    """The request bases that no round uses, or none but those of the conversations that go."""
    users = Round.objects.filter(base=OuterRef("pk")).exclude(turn__conversation__in=going)
    return RequestBase.objects.filter(~Exists(users))


def _prune_bases() -> Gone:
    """Deletes them while nobody else writes any: a round that begins stores its base, or finds it there, and then itself."""
    with transaction.atomic():
        if connection.vendor == "postgresql":  # SQLite's transactions exclude each other
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE conversations_requestbase IN SHARE ROW EXCLUSIVE MODE")
        return _bases(_orphans().delete()[0])


def _bases(number: int) -> Gone:
    return Counter({"request bases": number})
