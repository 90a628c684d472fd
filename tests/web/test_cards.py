"""A tool's label and its own card, which a template of the site draws."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from conversations.models import Approval, Conversation, ToolCall
from conversations.tools import ToolError, registry, tool
from tests.turns import QUESTION, ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
CARD = (
    "<p class=song>{{ call.label }}: {{ result.song }} on {{ arguments.sign }}, {{ call.status }}</p>"
    "{% if not result %}<p>Shall it be played?</p>{% endif %}"
)


def with_templates(**sources: str) -> override_settings:
    """A site with these templates beside the product's."""
    places = {f"conversations/tools/{name}.html": source for name, source in sources.items()}
    [engine] = site.TEMPLATES
    options = engine["OPTIONS"] | {
        "loaders": [
            ("django.template.loaders.locmem.Loader", places),
            "django.template.loaders.filesystem.Loader",
            "django.template.loaders.app_directories.Loader",
        ]
    }
    return override_settings(TEMPLATES=[engine | {"APP_DIRS": False, "OPTIONS": options}])


@pytest.fixture(autouse=True)
def songs() -> Iterator[None]:
    """The station's tool with a label; it plays a song that tries to be HTML."""
    with registry.override():

        @tool(label="Song <of> the day")
        def top_song(sign: str) -> dict[str, str]:
            if sign == "NONE":
                raise ToolError("Silence.")
            return {"song": "<script>alert(1)</script>"}

        yield


def page_of(client: Client, conversation: Conversation) -> str:
    return client.get(f"/conversations/{conversation.pk}/").content.decode()


def card(client: Client, conversation: Conversation, **query: str) -> Any:
    call = ToolCall.objects.get().tool_use_id
    return client.get(f"/conversations/{conversation.pk}/card/", {"call": call} | query)


def own(page: str) -> str:
    """What stands in the place of a card's own content."""
    match = re.search(r'<div class="own"[^>]*>(.*?)</div>', page, re.DOTALL)
    assert match
    return match.group(1)


def test_a_label_stands_on_the_card_and_the_name_in_what_it_is_called(
    client: Client, conversation: Conversation
) -> None:
    ask(conversation, QUESTION)
    page = page_of(client, conversation)
    assert '<span class="tool-name labelled">Song &lt;of&gt; the day</span>' in page
    assert 'aria-label="Tool call top_song"' in page


def test_settings_show_the_label_with_the_name(client: Client, conversation: Conversation) -> None:
    page = page_of(client, conversation)
    assert 'Song &lt;of&gt; the day <code class="hint">top_song</code></label>' in page


def test_a_template_draws_the_card_escaped(client: Client, conversation: Conversation) -> None:
    with with_templates(top_song=CARD):
        ask(conversation, QUESTION)
        drawn = "Song &lt;of&gt; the day: &lt;script&gt;alert(1)&lt;/script&gt; on WZPZ, success"
        assert drawn in own(page_of(client, conversation))
        assert drawn in card(client, conversation).content.decode()
        assert '"card": true' in unescape(page_of(client, conversation))


def test_before_its_result_the_card_has_none(client: Client, conversation: Conversation) -> None:
    with with_templates(top_song=CARD):
        ask(conversation, QUESTION)
        html = card(client, conversation, asked="").content.decode()
    assert "Shall it be played?" in html
    assert "script" not in html


@pytest.mark.parametrize(
    "source", ["{% nonsense %}", "{{ result|nonsense }}", "{% include 'nowhere.html' %}"]
)
def test_a_template_that_fails_costs_the_card_alone(
    client: Client, conversation: Conversation, source: str
) -> None:
    with with_templates(top_song=source):
        ask(conversation, QUESTION)
        page = page_of(client, conversation)
        assert own(page) == ""
        assert "alert(1)" in page
        assert card(client, conversation).status_code == 204


def test_a_tool_without_a_template_has_the_usual_card(client: Client, conversation: Conversation) -> None:
    ask(conversation, QUESTION)
    assert own(page_of(client, conversation)) == ""
    assert card(client, conversation).status_code == 204


def test_a_declared_template_is_used_and_a_missing_one_is_no_failure(
    client: Client, conversation: Conversation
) -> None:
    with registry.override(), with_templates(special="Special {{ call.name }}"):
        tool(name="top_song", card="conversations/tools/special.html")(lambda sign: sign)
        ask(conversation, QUESTION)
        assert own(page_of(client, conversation)) == "Special top_song"
        tool(name="top_song", card="nowhere.html")(registry.get("top_song").function)  # type: ignore[union-attr]
        assert own(page_of(client, conversation)) == ""


def test_a_waiting_call_is_drawn_where_it_is_decided(client: Client, conversation: Conversation) -> None:
    with registry.override(), with_templates(top_song=CARD):
        tool(name="top_song", approval=True)(lambda sign: sign)
        ask(conversation, QUESTION)
        assert Approval.objects.filter(status="pending").count() == 1
        assert "Shall it be played?" in client.get("/waiting/").content.decode()


def test_more_calls_on_a_page_cost_no_more_queries(client: Client, conversation: Conversation) -> None:
    counts = []
    with with_templates(top_song=CARD):
        for _ in range(2):
            ask(conversation, QUESTION)
            page_of(client, conversation)
            with CaptureQueriesContext(connection) as queries:
                page_of(client, conversation)
            counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_is_not_permitted_is_named_to_nobody(
    client: Client, user: User, conversation: Conversation
) -> None:
    with registry.override():
        tool(permission="auth.change_group", label="The vault")(open_vault)
        assert "The vault" not in page_of(client, conversation)
        assert "The vault" not in client.get("/").content.decode()
        settings = client.get(
            f"/conversations/{conversation.pk}/settings/", headers={"accept": "application/json"}
        )
        assert "tool-open_vault" not in settings.json()["settings"]
        user.user_permissions.add(Permission.objects.get(codename="change_group"))
        assert "The vault" in page_of(client, conversation)
        assert "The vault" in client.get("/").content.decode()


def open_vault() -> None:
    """Opens the vault."""
