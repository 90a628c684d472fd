"""What the palette goes to, and the page that shows a hit."""

from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.models import Conversation, Message, ToolCall
from tests.pages import full_conversation, html_of, query_count
from tests.turns import ask, conversation_of

pytestmark = pytest.mark.django_db


def find(client: Client, words: str) -> list[dict[str, Any]]:
    """The conversations with these words."""
    listed: list[dict[str, Any]] = client.get("/find/", {"q": words}).json()["conversations"]
    return listed


def texts(entry: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Who says each hit, and what of it is marked."""
    return [
        (hit["speaker"], [text for text, is_hit in hit["parts"] if is_hit]) for hit in entry.get("hits", [])
    ]


def test_titles_come_first_then_messages_and_calls_with_the_words_marked(client: Client, user: User) -> None:
    full_conversation(user, "Which SÖNG is popular?")
    titled = conversation_of(user, title="A song for you", archived_at=timezone.now())
    entries = find(client, "song")
    assert entries[0]["title"] == titled.title
    assert [entry["archived"] for entry in entries] == [True, False]
    assert entries[0]["url"] == f"/conversations/{titled.pk}/"
    assert ("You", ["SÖNG"]) in texts(entries[1])
    assert "top_song" in {speaker for speaker, _ in texts(entries[1])}


def test_without_words_the_newest_are_listed_and_nothing_of_anothers(
    client: Client, user: User, other_user: User
) -> None:
    full_conversation(other_user, "secret song")
    assert find(client, "song") == find(client, "") == []
    own = [conversation_of(user, title=f"{number}") for number in range(25)]
    assert [entry["title"] for entry in find(client, "")] == [row.title for row in own[:-21:-1]]
    assert find(client, "x" * 9_000) == []


def test_a_search_takes_as_many_queries_for_many_as_for_few(client: Client, user: User) -> None:
    counts = []
    for _ in range(3):
        for number in range(4):
            full_conversation(user, f"a song, {number}")
        counts.append(query_count(client, "/find/?q=song"))
    assert counts[0] == counts[2] < 10


# -- the page of a hit


@pytest.fixture
def long(user: User, settings: Settings, gateway: object, monkeypatch: pytest.MonkeyPatch) -> Conversation:
    """A conversation whose page does not hold its first turns."""
    monkeypatch.setattr("conversations.journal.reading.SNAPSHOT_BYTES", 3_000)
    settings.USER_TURNS_PER_MINUTE = 0
    conversation = conversation_of(user)
    for text in ("help", "What is the most popular song on KQED?", *(f"hello {n}" for n in range(5))):
        ask(conversation, text)
    return conversation


@pytest.mark.django_db(transaction=True)
def test_a_hit_leads_to_a_page_that_holds_it_by_an_id_that_is_there(
    client: Client, long: Conversation
) -> None:
    assert "KQED" not in html_of(client, f"/conversations/{long.pk}/")
    places = set()
    [entry] = find(client, "kqed")
    for hit in entry["hits"]:
        answer = client.get(hit["url"])
        place = answer.wsgi_request.GET["in"]
        keys = [message["id"] for message in answer.context["page"].messages]
        assert [key for key in keys if key == place or key.startswith(f"{place}:")], (hit, keys)
        assert (answer.wsgi_request.GET["words"], answer.context["is_older"]) == ("kqed", True)
        places.add(hit["speaker"])
    assert places == {"You", "Assistant", "top_song"}


def test_the_list_of_a_search_leads_to_the_same_places(client: Client, user: User) -> None:
    full_conversation(user, "a popular song")
    [entry] = find(client, "popular")
    assert entry["hits"]
    page = unescape(html_of(client, "/?q=popular"))
    assert [page.count(f'href="{hit["url"]}"') for hit in entry["hits"]] == [1] * len(entry["hits"])


@pytest.mark.django_db(transaction=True)
def test_a_hit_on_another_branch_is_shown_with_the_way_to_show_it_for_good(
    client: Client, long: Conversation
) -> None:
    first = Message.objects.filter(conversation=long, role="user").earliest("pk")
    engine.edit(long, str(first.public_id), str(uuid4()), "hello instead")
    assert engine.WORKER.wait(20)
    [entry] = find(client, "kqed")
    page = html_of(client, entry["hits"][0]["url"])
    assert "KQED" in page
    turn = ToolCall.objects.get().turn_id
    assert f'name="turn" value="{turn}"' in page
    before = client.get(entry["hits"][0]["url"]).context["page"].before
    assert client.get(f"/conversations/{long.pk}/?before={before}").status_code == 404
    assert client.get(f"/conversations/{long.pk}/?before={before}&at={turn}").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_turn_that_is_not_there_or_is_shown_anyway_leads_to_the_newest(
    client: Client, long: Conversation, other_user: User
) -> None:
    newest = long.turns.latest("number")
    theirs = full_conversation(other_user).turns.get()
    for turn in (newest.pk, theirs.pk, uuid4(), "", "x"):
        answer = client.get(f"/conversations/{long.pk}/", {"at": turn})
        assert (answer.status_code, answer.context["is_older"]) == (200, False)
