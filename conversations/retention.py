"""What is deleted when it is old: conversations whole, with all of their record. What they had used is added up and kept."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from conversations.models import (
    Approval,
    Conversation,
    Event,
    Message,
    Recording,
    RequestBase,
    Round,
    ToolCall,
    Turn,
    UsageTotal,
)  # fmt: skip
from conversations.models.fields import TOKENS

BATCH = 50
"""Conversations deleted in one transaction."""

Gone = Counter[str]
Key = tuple[int, str, date]


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
        _add_up(going)
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


# -- what they had used


def _add_up(going: list[UUID]) -> None:
    """Adds what the conversations have used to the totals of their users, models and months."""
    totals: dict[Key, Counter[str]] = defaultdict(Counter)
    turns = _by_month(Turn.objects.filter(conversation__in=going), "")
    tokens = {column: Sum(column) for column in TOKENS}
    rounds = _by_month(Round.objects.filter(turn__conversation__in=going), "turn__")
    calls = _by_month(ToolCall.objects.filter(conversation__in=going), "turn__")
    for row in chain(
        turns.annotate(turns=Count("pk"), **tokens),
        rounds.annotate(rounds=Count("pk")),
        calls.annotate(tool_calls=Count("pk")),
    ):
        totals[row.pop("of_user"), row.pop("of_model"), row.pop("month").date()].update(row)
    for key, used in totals.items():
        _keep(key, used)


def _by_month(rows: QuerySet[Any], turn: str) -> QuerySet[Any, dict[str, Any]]:
    month = TruncMonth(f"{turn}created_at")
    return rows.order_by().values(of_user=F(f"{turn}user"), of_model=F(f"{turn}model"), month=month)


def _keep(key: Key, used: Counter[str]) -> None:
    user, model, month = key
    row, _ = UsageTotal.objects.get_or_create(user_id=user, model=model, month=month)
    UsageTotal.objects.filter(pk=row.pk).update(**{name: F(name) + number for name, number in used.items()})


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
