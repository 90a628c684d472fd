"""The sidebar: which conversations are beside a page, under which day, and what comes next."""

import re
from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Conversation
from conversations.web.sidebar import day_name
from tests.records import recorded_turn
from tests.turns import conversation_of

NOW = datetime(2026, 11, 29, 0, 30, tzinfo=UTC)


def sidebar_of(html: str) -> dict[str, list[str]]:
    """The titles under each heading of the sidebar."""
    groups = re.findall(r'<section class="group" data-name="(.*?)">(.*?)</section>', html, re.DOTALL)
    return {name: re.findall(r"<li.*?<a.*?>(.*?)</a>", rows, re.DOTALL) for name, rows in groups}


def active(user: User, title: str, when: datetime, **columns: object) -> Conversation:
    return conversation_of(user, title=title, updated_at=when, **columns)


PATHS = [
    "/",
    "/settings/",
    *(f"/conversations/ID/{page}" for page in ("", "replay/", "tree/", "again/", "delete/")),
]


@pytest.mark.parametrize("path", PATHS)
def test_every_page_has_the_conversations_beside_it(client: Client, user: User, path: str) -> None:
    conversation_of(user, title="another")
    own = conversation_of(user, title="Turkeys")
    page = client.get(path.replace("ID", str(own.pk))).content.decode()
    assert sidebar_of(page) == {"Today": ["Turkeys", "another"]}
    assert page.count('aria-current="page"') == ("ID" in path)
    assert page.count("New conversation</button>") == 1


def test_three_statements_find_them_and_their_marks_however_many_there_are(
    client: Client, user: User
) -> None:
    for number in range(45):
        conversation_of(user, title=f"number {number}", pinned_at=timezone.now() if number % 9 == 0 else None)
    with CaptureQueriesContext(connection) as statements:
        client.get("/sidebar/")
    assert len([one for one in statements if "conversations_conversation" in one["sql"]]) == 3


def test_days_are_those_of_the_readers_calendar(client: Client, user: User) -> None:
    active(user, "half an hour ago", NOW - timedelta(minutes=31))
    with patch.object(timezone, "now", return_value=NOW):
        assert sidebar_of(client.get("/").content.decode()) == {"Yesterday": ["half an hour ago"]}
        client.cookies["timezone"] = "America/New_York"
        assert sidebar_of(client.get("/").content.decode()) == {"Today": ["half an hour ago"]}


@pytest.mark.parametrize("zone", ["", "../../etc/passwd", "Mars/Base", "Europe", "a\0b"])
def test_a_time_zone_that_there_is_not_is_the_sites(client: Client, user: User, zone: str) -> None:
    client.cookies["timezone"] = zone
    conversation_of(user, title="Turkeys")
    assert sidebar_of(client.get("/").content.decode()) == {"Today": ["Turkeys"]}


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 11, 30), "Today"),  # the server's clock is behind
        (date(2026, 11, 29), "Today"),
        (date(2026, 11, 28), "Yesterday"),
        (date(2026, 11, 27), "Previous 7 days"),
        (date(2026, 11, 22), "Previous 7 days"),
        (date(2026, 11, 21), "November"),
        (date(2026, 1, 1), "January"),
        (date(2025, 12, 31), "December 2025"),
    ],
)
def test_a_day_is_called_by_its_distance(day: date, name: str) -> None:
    assert day_name(day, date(2026, 11, 29)) == name


def test_pinned_ones_come_first_and_archived_and_deleted_ones_not_at_all(client: Client, user: User) -> None:
    now = timezone.now()
    active(user, "pinned", now - timedelta(days=400), pinned_at=now)
    active(user, "plain", now)
    active(user, "archived", now, archived_at=now, pinned_at=now)
    active(user, "deleted", now, deleted_at=now, pinned_at=now)
    assert sidebar_of(client.get("/").content.decode()) == {"Pinned": ["pinned"], "Today": ["plain"]}


def test_the_list_goes_on_from_place_to_place_until_all_are_there(client: Client, user: User) -> None:
    same = timezone.now()
    for number in range(90):  # many at the same moment: their ids decide
        active(user, f"number {number}", same)
    titles, address, fragments = [], "/sidebar/", 0
    while address:
        html = client.get(address).content.decode()
        titles += [title for rows in sidebar_of(html).values() for title in rows]
        address = unquote("".join(re.findall(r'data-more="(.*?)"', html))).replace("+", "%2B")
        fragments += 1
    assert fragments == 3
    assert sorted(titles) == sorted(f"number {number}" for number in range(90))


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "2026-11-29",
        "2026-11-29T00:00:00 6b95a221-5126-4deb-8a77-a4104e145dab",
        "0001-01-01T00:00:00+14:00 6b95a221-5126-4deb-8a77-a4104e145dab",
    ],
)
def test_a_place_that_there_is_not_is_refused(client: Client, place: str) -> None:
    assert client.get("/sidebar/", {"before": place}).status_code == 400


def test_the_current_one_is_there_however_old_it_is(client: Client, user: User) -> None:
    old = active(user, "old", timezone.now() - timedelta(days=400))
    for number in range(40):
        conversation_of(user, title=f"number {number}")
    page = client.get(f"/conversations/{old.pk}/").content.decode()
    assert sidebar_of(page)["Open"] == ["old"]
    fragment = client.get("/sidebar/", {"current": str(old.pk)}).content.decode()
    assert sidebar_of(fragment)["Open"] == ["old"]
    Conversation.objects.filter(pk=old.pk).update(archived_at=timezone.now())
    page = client.get(f"/conversations/{old.pk}/").content.decode()
    assert "Open" not in sidebar_of(page)


def test_somebody_elses_is_never_beside(client: Client, user: User, other_user: User) -> None:
    theirs = conversation_of(other_user, title="Secret plans")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    page = client.get(f"/conversations/{theirs.pk}/replay/").content.decode()
    assert sidebar_of(page) == {}
    fragment = client.get("/sidebar/", {"current": str(theirs.pk)}).content.decode()
    assert "Secret plans" not in fragment


@pytest.mark.parametrize("query", ["?q=turkeys", "?archived", "?page=2"])
def test_beside_a_part_of_the_list_the_rest_comes_later(client: Client, user: User, query: str) -> None:
    conversation_of(user, title="another")
    page = client.get(f"/{query}").content.decode()
    assert sidebar_of(page) == {}
    assert "data-late" in page


def test_a_sidebar_that_was_put_away_stays_away(client: Client) -> None:
    assert 'class="columns"' in client.get("/").content.decode()
    client.cookies["sidebar"] = "closed"
    assert 'class="columns alone"' in client.get("/").content.decode()


# -- a new conversation


def test_new_leads_to_the_one_empty_conversation(client: Client, user: User) -> None:
    first = client.post("/conversations/new/")["Location"]
    assert client.post("/conversations/new/")["Location"] == first
    assert Conversation.objects.get().title == ""
    recorded_turn(Conversation.objects.get(), "hello")
    assert client.post("/conversations/new/")["Location"] != first


@pytest.mark.parametrize(
    "columns", [{"title": "Tea"}, {"system": "Be brief."}, {"archived_at": NOW}, {"deleted_at": NOW}]
)
def test_what_somebody_prepared_is_not_empty(client: Client, user: User, columns: dict[str, object]) -> None:
    prepared = conversation_of(user, **columns)
    assert str(prepared.pk) not in client.post("/conversations/new/")["Location"]


def test_anothers_empty_conversation_is_theirs(client: Client, other_user: User) -> None:
    theirs = conversation_of(other_user)
    assert str(theirs.pk) not in client.post("/conversations/new/")["Location"]


def test_new_is_only_made_by_post(client: Client) -> None:
    assert client.get("/conversations/new/").status_code == 405
