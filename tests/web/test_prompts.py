"""The user's prompts as the composer fetches them: names first, then the chosen text."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Prompt
from tests.pages import html_of, query_count
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db
HOSTILE = "</script><script>alert(1)</script>&amp;\"'\u202e"


def listed(client: Client) -> list[dict[str, Any]]:
    """The names as they are fetched."""
    prompts: list[dict[str, Any]] = client.get("/settings/prompts/").json()["prompts"]
    return prompts


def test_names_are_listed_with_how_their_texts_begin(client: Client, user: User, other_user: User) -> None:
    long = Prompt.objects.create(user=user, name="long", text="a  b\n" + "word " * 2_000)
    evil = Prompt.objects.create(user=user, name="evil", text=HOSTILE)
    Prompt.objects.create(user=other_user, name="theirs", text="secret")
    assert [(row["id"], row["name"]) for row in listed(client)] == [(evil.pk, "evil"), (long.pk, "long")]
    first, second = listed(client)
    assert first["start"] == HOSTILE
    assert second["start"].startswith("a b word word")
    assert len(second["start"]) <= 120
    assert query_count(client, "/settings/prompts/") == 3


def test_a_text_is_fetched_by_its_id(client: Client, user: User, other_user: User) -> None:
    own = Prompt.objects.create(user=user, name="own", text=HOSTILE * 100)
    theirs = Prompt.objects.create(user=other_user, name="theirs", text="secret")
    answer = client.get(f"/settings/prompts/?id={own.pk}")
    assert answer.json() == {"id": own.pk, "name": "own", "text": HOSTILE * 100}
    for key in (theirs.pk, 0, "", "x", "²", "9" * 40, f"{own.pk}\0"):
        assert client.get("/settings/prompts/", {"id": key}).status_code == 404


def test_what_a_browser_has_is_not_sent_again_until_it_changes(client: Client, user: User) -> None:
    Prompt.objects.create(user=user, name="one", text="Text")
    first = client.get("/settings/prompts/")
    assert {"private", "no-cache"} <= set(first["Cache-Control"].split(", "))
    with_etag = {"HTTP_IF_NONE_MATCH": first["ETag"]}
    assert client.get("/settings/prompts/", **with_etag).status_code == 304
    user.prompts.update(text="Other")
    assert client.get("/settings/prompts/", **with_etag).status_code == 200


@pytest.mark.parametrize("path", ["/", "/conversations/{}/"])
def test_no_page_carries_the_texts_of_prompts(client: Client, user: User, path: str) -> None:
    Prompt.objects.bulk_create(
        Prompt(user=user, name=f"name-{number:03}", text="word " * 2_000) for number in range(100)
    )
    page = html_of(client, path.format(conversation_of(user).pk))
    assert "word word" not in page
    assert [page.count(f">/name-{number:03}<") for number in (0, 7, 8, 99)] == [1, 1, 0, 0]
