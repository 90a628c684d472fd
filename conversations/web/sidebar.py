"""The sidebar: the user's conversations, grouped by the days of the reader's calendar."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations.models import Conversation, ConversationQuerySet, ListPosition, marks
from conversations.protocol.text import visible

from .access import SignedIn, as_uuid

AT_ONCE = 40
"""Conversations that come with a page; as many again follow when its list is scrolled to the end."""

AT_MOST = 400
PINNED = 100
ZONE_COOKIE = "timezone"
"""The cookie with the name of the reader's time zone, which a page's script writes."""

COLUMNS = ("owner", "title", "updated_at", "pinned_at", "archived_at")


class Row(NamedTuple):
    """A conversation in the list, with its visible title."""

    conversation: Conversation
    title: str
    mark: marks.Mark | None = None


class Group(NamedTuple):
    """Conversations that stand under one heading."""

    name: str
    rows: list[Row]


@dataclass(frozen=True)
class Sidebar:
    """A part of the list. `more` is the place behind which the next part begins, blank for the last."""

    groups: Sequence[Group]
    more: str = ""


@never_cache
@require_safe
def sidebar(request: SignedIn) -> HttpResponse:
    """The list as a fragment of HTML: from its top, or from behind the place `?before=`."""
    before, number = request.GET.get("before"), request.GET.get("number", "")
    try:
        place = _place(before) if before else None
    except (ValueError, OverflowError):
        return HttpResponseBadRequest("There is no such place in the list.", content_type="text/plain")
    most = min(int(number), AT_MOST) if number.isascii() and number.isdigit() else AT_ONCE
    current = _current(request, request.GET.get("current", "")) if place is None else None
    context = {"sidebar": listing(request, current, place, max(most, 1)), "current": current}
    return render(request, "conversations/groups.html", context)


def listing(
    request: HttpRequest,
    current: Conversation | None = None,
    place: ListPosition | None = None,
    most: int = AT_ONCE,
) -> Sidebar:
    """The groups of at most so many conversations, from the top or from behind a place.

    At the top stand the pinned ones, and before them the current one if it is not in this part.
    """
    own = Conversation.objects.owned_by(request.user).only(*COLUMNS)
    rows = own.listed().filter(pinned_at=None)
    newest = list((rows.after(place) if place else rows)[: most + 1])
    more = _as_text(newest[most - 1]) if len(newest) > most else ""
    groups = [] if place else _top(own, current, newest[:most])
    return Sidebar(_marked([*groups, *by_day(newest[:most], zone_of(request))]), more)


def _top(own: ConversationQuerySet, current: Conversation | None, newest: list[Conversation]) -> list[Group]:
    pinned = list(own.pinned()[:PINNED])
    listed = {row.pk for row in (*pinned, *newest)}
    is_missing = current is not None and current.archived_at is None and current.pk not in listed
    groups = [_group("Open", [current] if current and is_missing else []), _group("Pinned", pinned)]
    return [group for group in groups if group.rows]


def _group(name: str, conversations: Iterable[Conversation]) -> Group:
    return Group(name, [Row(row, visible(row.title)) for row in conversations])


def _marked(groups: list[Group]) -> list[Group]:
    """The groups with the marks of their conversations, in one query."""
    of_rows = marks.marks(row.conversation.pk for group in groups for row in group.rows)
    return [
        Group(group.name, [row._replace(mark=of_rows.get(row.conversation.pk)) for row in group.rows])
        for group in groups
    ]


def _current(request: SignedIn, text: str) -> Conversation | None:
    rows, pk = Conversation.objects.owned_by(request.user).only(*COLUMNS), as_uuid(text)
    return rows.filter(pk=pk).first() if pk else None


# -- places


def _as_text(row: Conversation) -> str:
    return f"{row.updated_at.isoformat()} {row.pk}"


def _place(text: str) -> ListPosition:
    """The place that a text names; raises ValueError or OverflowError for any other text."""
    time, _, pk = text.rpartition(" ")
    moment = datetime.fromisoformat(time)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC), UUID(pk)


# -- days


def zone_of(request: HttpRequest) -> tzinfo:
    """The reader's time zone, if their browser's cookie has one, else the site's."""
    try:
        return ZoneInfo(request.COOKIES.get(ZONE_COOKIE, ""))
    except (KeyError, ValueError, OSError):  # no name of a zone, or one that is not there
        return timezone.get_current_timezone()


def by_day(rows: Iterable[Conversation], zone: tzinfo) -> list[Group]:
    """The conversations in their order, grouped by when they were last active."""
    today = timezone.now().astimezone(zone).date()
    groups = groupby(rows, lambda row: day_name(row.updated_at.astimezone(zone).date(), today))
    return [_group(name, members) for name, members in groups]


def day_name(day: date, today: date) -> str:
    """The heading of a day in the list. Days over a week ago go by their month."""
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if day >= today - timedelta(days=7):
        return "Previous 7 days"
    return f"{day:%B}" if day.year == today.year else f"{day:%B %Y}"
