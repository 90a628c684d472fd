"""What one user may use, counted before a turn is stored: turns at once, turns a minute, tokens a day."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import QuerySet, Sum
from django.utils import timezone

from conversations.errors import Throttled
from conversations.models import Turn

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def check(user: int) -> None:
    """Raises Throttled if the user may not begin another turn; holds the user's row until the commit, so that no two pass at once."""
    if not (settings.USER_TURNS_AT_ONCE or settings.USER_TURNS_PER_MINUTE or settings.USER_TOKENS_PER_DAY):
        return
    get_user_model()._default_manager.select_for_update(no_key=True).get(pk=user)
    now, turns = timezone.now(), Turn.objects.filter(user=user)
    under_way = _under_way(user)
    if 0 < settings.USER_TURNS_AT_ONCE <= under_way:
        raise Throttled("You have too many answers under way. Wait for one to end, then send again.")
    if 0 < settings.USER_TURNS_PER_MINUTE <= _since(turns, now - MINUTE, now).count():
        raise Throttled("You have sent too many messages in a minute. Wait a moment, then send again.")
    if 0 < settings.USER_TOKENS_PER_DAY < _used(turns, now) + (under_way + 1) * settings.MAX_TOKENS:
        raise Throttled("You have used up your tokens for a day. Send again later.")


def _under_way(user: int) -> int:
    """The user's turns that run or are queued, found by status: few of all turns are, while one user may have had very many. One that
    waits for a person uses nothing.
    """
    busy = Turn.objects.filter(status__in=(Turn.Status.RUNNING, Turn.Status.QUEUED))
    return list(busy.order_by().values_list("user", flat=True)).count(user)


def _used(turns: QuerySet[Turn], now: datetime) -> int:
    """The tokens of the turns of a day that have ended; those under way count as MAX_TOKENS each."""
    ended = _since(turns, now - DAY, now).exclude(status__in=Turn.OPEN)
    return ended.aggregate(used=Sum("total_tokens"))["used"] or 0


def _since(turns: QuerySet[Turn], then: datetime, now: datetime) -> QuerySet[Turn]:
    """Those begun in between: what a clock that was set back has put into the future locks nobody out."""
    return turns.filter(created_at__gt=then, created_at__lte=now)
