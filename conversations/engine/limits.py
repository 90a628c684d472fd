"""What one user may use, counted before a turn is stored: turns at once, turns a minute, tokens a day."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.errors import Throttled
from conversations.journal.reading import last_seqs
from conversations.models import Conversation, Message, Turn

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Facts(NamedTuple):
    """What decides about a new message, read in one query: of its conversation, and of its user."""

    stored: UUID | None
    """The turn of a message with the same id."""

    is_busy: bool
    """Whether a turn of the conversation is open."""

    last: int
    """The number of its last turn."""

    seq: int
    """The last `seq` of its record."""

    under_way: int
    """The user's turns that run or are queued. One that waits for a person uses nothing."""

    in_a_minute: int
    in_a_day: int
    """The tokens of the user's turns of a day that have ended."""


def facts(conversation: Conversation, message_id: UUID) -> Facts:
    """Reads them; the caller holds the rows of the conversation and its owner, so that no two messages pass at once."""
    now, here = timezone.now(), {"conversation": OuterRef("pk")}
    turns, own = Turn.objects.filter(**here), Turn.objects.filter(user=OuterRef("owner"))
    events, packed = last_seqs()
    ended = _since(own, now - DAY, now).exclude(status__in=Turn.OPEN)
    columns: dict[str, Any] = {
        "stored": Subquery(Message.objects.filter(**here, public_id=message_id).values("turn")[:1]),
        "busy": Exists(turns.filter(status__in=Turn.OPEN)),
        "last": _newest(turns, "number"),
        "events": events,
        "packed": packed,
        "under_way": count(own.filter(status__in=(Turn.Status.RUNNING, Turn.Status.QUEUED)), "user"),
        "minute": count(_since(own, now - MINUTE, now), "user"),
        "day": _summed(ended) if settings.USER_TOKENS_PER_DAY else Value(0),
    }
    row = Conversation.objects.filter(pk=conversation.pk).order_by().values_list(*columns.values())[0]
    stored, is_busy, last, seq, in_record, under_way, minute, day = row
    return Facts(stored, is_busy, last, max(seq, in_record), under_way, minute, day)


def check(facts: Facts) -> None:
    """Raises Throttled if the user may not begin another turn."""
    if 0 < settings.USER_TURNS_AT_ONCE <= facts.under_way:
        raise Throttled("You have too many answers under way. Wait for one to end, then send again.")
    if 0 < settings.USER_TURNS_PER_MINUTE <= facts.in_a_minute:
        raise Throttled("You have sent too many messages in a minute. Wait a moment, then send again.")
    if 0 < settings.USER_TOKENS_PER_DAY < facts.in_a_day + (facts.under_way + 1) * settings.MAX_TOKENS:
        raise Throttled("You have used up your tokens for a day. Send again later.")


def count(rows: QuerySet[Any], column: str) -> Any:
    """How many rows there are, for the outer query's one value of the column that they are filtered by."""
    counted = rows.order_by().values(column).annotate(rows=Count("pk")).values("rows")
    return Coalesce(Subquery(counted), 0)


def _newest(rows: QuerySet[Any], column: str) -> Any:
    return Coalesce(Subquery(rows.order_by(f"-{column}").values(column)[:1]), 0)


def _summed(rows: QuerySet[Turn]) -> Any:
    summed = rows.order_by().values("user").annotate(tokens=Sum("total_tokens")).values("tokens")
    return Coalesce(Subquery(summed), 0)


def _since(turns: QuerySet[Turn], then: datetime, now: datetime) -> QuerySet[Turn]:
    """Those begun in between: what a clock that was set back has put into the future locks nobody out."""
    return turns.filter(created_at__gt=then, created_at__lte=now)
