"""A user's limits, checked before a turn is stored: turns at once, turns a minute, tokens a day."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import DateTimeField
from django.utils import timezone

from conversations.conf import settings
from conversations.errors import Throttled
from conversations.models import Conversation, uuid_value

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TIME = DateTimeField()


class Facts(NamedTuple):
    """Facts of a new message's conversation and user that decide about it, read in one query."""

    stored: UUID | None
    """The turn of a message with the same id."""

    is_busy: bool
    """Whether a turn of the conversation is open."""

    last: int
    """The number of its last turn."""

    seq: int
    """The last `seq` of its record."""

    has_calls: bool
    """Whether a tool has been called in it."""

    under_way: int
    """The user's turns that run or are queued. One that waits for a person uses nothing."""

    turns_in_a_minute: int
    """The turns that the user began in the last minute."""

    tokens_in_a_day: int
    """The tokens of the user's titles and ended turns of the last 24 hours."""


FACTS = """
SELECT
  (SELECT turn_id FROM conversations_message WHERE conversation_id = %s AND public_id = %s),
  EXISTS (SELECT 1 FROM conversations_turn
    WHERE conversation_id = %s AND status IN ('running', 'waiting', 'queued')),
  (SELECT coalesce(max(number), 0) FROM conversations_turn WHERE conversation_id = %s),
  (SELECT coalesce(max(seq), 0) FROM conversations_event WHERE conversation_id = %s),
  (SELECT coalesce(max(last_seq), 0) FROM conversations_recording WHERE conversation_id = %s),
  EXISTS (SELECT 1 FROM conversations_toolcall WHERE conversation_id = %s),
  (SELECT count(*) FROM conversations_turn WHERE user_id = %s AND status IN ('running', 'queued')),
  (SELECT count(*) FROM conversations_turn JOIN conversations_conversation AS own ON own.id = conversation_id
    WHERE user_id = %s AND conversations_turn.created_at > %s AND conversations_turn.created_at <= %s
      AND conversations_turn.created_at >= own.created_at),
  (SELECT coalesce(sum(total_tokens), 0) FROM conversations_turn
    WHERE user_id = %s AND created_at > %s AND created_at <= %s
      AND status NOT IN ('running', 'waiting', 'queued'))
    + (SELECT coalesce(sum(total_tokens), 0) FROM conversations_titling
    WHERE user_id = %s AND created_at > %s AND created_at <= %s)
"""
"""SQL, since the ORM takes longer to write the query than the database to answer it.

A turn of the future, which is there once a clock was set back, locks nobody out. One that is older than its conversation came with a copy
and was counted where it was begun.
"""


def facts(conversation: Conversation, message_id: UUID) -> Facts:
    """Reads the facts. The caller has locked conversation and owner, so that messages pass one by one."""
    key, message = uuid_value(conversation.pk), uuid_value(message_id)
    user, now = conversation.owner_id, timezone.now()
    moment, minute = _time(now), _time(now - MINUTE)
    day = _time(now - DAY) if settings.USER_TOKENS_PER_DAY else moment
    spans = [user, minute, moment, *[user, day, moment] * 2]
    with connection.cursor() as cursor:
        cursor.execute(FACTS, [key, message, key, key, key, key, key, user, *spans])
        stored, is_busy, last, events, packed, has_calls, under_way, in_a_minute, in_a_day = cursor.fetchone()
    turn = UUID(str(stored)) if stored else None
    seq = max(events, packed)
    return Facts(turn, bool(is_busy), last, seq, bool(has_calls), under_way, in_a_minute, int(in_a_day))


def check(facts: Facts) -> None:
    """Raises Throttled if the user may not begin another turn."""
    if 0 < settings.USER_TURNS_AT_ONCE <= facts.under_way:
        raise Throttled("You have too many answers under way. Wait for one to end, then send again.")
    if 0 < settings.USER_TURNS_PER_MINUTE <= facts.turns_in_a_minute:
        raise Throttled("You have sent too many messages in a minute. Wait a moment, then send again.")
    if 0 < settings.USER_TOKENS_PER_DAY < facts.tokens_in_a_day + (facts.under_way + 1) * settings.MAX_TOKENS:
        raise Throttled("You have used up your tokens for a day. Send again later.")


def _time(value: datetime) -> Any:
    return TIME.get_db_prep_value(value, connection)
