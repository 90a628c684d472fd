"""The record in the admin: all of it to be seen, none of it to be changed, and nothing in it obeyed."""

import json
import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model, QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import Conversation, Message, RequestBase, Round, ToolCall, Turn
from tests.asking import ask, conversation_of

pytestmark = pytest.mark.django_db
QUESTION = "What is the most popular song on WZPZ?"
SONG = [{"json": {"song": "Elemental Hotel", "artist": "8 Storey Hike"}}]
EVIL = "<script>alert('turntable')</script>"
SHOWN = [model for model in admin.site._registry if model._meta.app_label == "conversations"]
each_model = pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.__name__)


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("arthur"))
    return client


def stored(user: User, text: str = QUESTION) -> Conversation:
    """A conversation with one row of each kind beside it, two messages."""
    base, _ = RequestBase.objects.get_or_create(sha256="0" * 64, body="{}")
    conversation = conversation_of(user, title=text)
    turn = Turn.objects.create(
        conversation=conversation, number=1, user=user, status="completed", model=conversation.model
    )
    row = Round.objects.create(
        turn=turn, number=1, base=base, status="completed", gateway_request_id=str(turn.pk)[:8]
    )
    own = {"conversation": conversation, "turn": turn}
    Message.objects.create(**own, role="user", content=[{"text": text}])
    Message.objects.create(**own, round=row, role="assistant", content=[{"text": "I will look that up."}])
    ToolCall.objects.create(
        **own, round=row, position=0, tool_use_id=f"tooluse_{turn.pk.hex}", name="top_song", status="success",
        arguments='{"sign": "WZPZ"}', input={"sign": "WZPZ"}, result=SONG,
    )  # fmt: skip
    return conversation


@pytest.fixture
def conversation(user: User) -> Conversation:
    return stored(user)


def rows_of(model: type[Model]) -> QuerySet[Any]:
    return model._default_manager.order_by("pk")


def listing(model: type[Model]) -> str:
    return reverse(f"admin:conversations_{model._meta.model_name}_changelist")


def page_of(row: Model, what: str = "change") -> str:
    return reverse(f"admin:conversations_{row._meta.model_name}_{what}", args=[row.pk])


def seen(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, (url, response.status_code)
    return response.content.decode()


def listed(client: Client, model: type[Model], **query: object) -> list[Model]:
    return list(client.get(listing(model), query).context["cl"].result_list)


def test_all_of_a_turn_is_shown() -> None:
    assert set(SHOWN) == {Conversation, Turn, Round, Message, ToolCall}
    assert listing(ToolCall) == "/admin/conversations/toolcall/"


@each_model
def test_every_row_is_listed_and_has_its_page(
    operator: Client, conversation: Conversation, model: type[Model]
) -> None:
    rows = list(rows_of(model))
    assert sorted(row.pk for row in listed(operator, model)) == [row.pk for row in rows] != []
    for row in rows:
        seen(operator, page_of(row))
        seen(operator, page_of(row, "history"))


@each_model
def test_every_link_leads_somewhere(operator: Client, conversation: Conversation, model: type[Model]) -> None:
    html = seen(operator, page_of(rows_of(model)[0]))
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/admin/conversations/[^"]+)"', html)}
    assert len(links) > 3
    assert {link: operator.get(link).status_code for link in links} == dict.fromkeys(links, 200)


@each_model
def test_nothing_can_be_added_changed_or_deleted(
    operator: Client, conversation: Conversation, model: type[Model]
) -> None:
    row, before = rows_of(model)[0], list(rows_of(model).values())
    add = reverse(f"admin:conversations_{model._meta.model_name}_add")
    for url in (add, page_of(row), page_of(row, "delete")):
        assert operator.post(url, {"title": "changed", "model": "other", "post": "yes"}).status_code == 403
    assert operator.get(add).status_code == 403
    operator.post(listing(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert list(rows_of(model).values()) == before


@each_model
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    operator: Client, user: User, model: type[Model]
) -> None:
    counts = []
    for more in (2, 10):
        for _ in range(more):
            stored(user)
        with CaptureQueriesContext(connection) as queries:
            seen(operator, listing(model))
        counts.append(len(queries))
    assert counts[0] == counts[1] < 20


def test_the_search_finds_what_is_meant_and_nothing_else(
    operator: Client, conversation: Conversation, other_user: User
) -> None:
    stored(other_user, "Another song")
    ToolCall.objects.filter(turn__user=other_user).update(name="other", arguments="", result=None)
    turn = conversation.turns.get()
    said, call, row = turn.messages.get(role="user"), turn.tool_calls.get(), turn.rounds.get()
    sought: dict[type[Model], list[object]] = {
        Conversation: [conversation.pk, "most popular", "jennifer"],
        Turn: [turn.pk, conversation.pk, "jennifer"],
        Round: [turn.pk, row.gateway_request_id],
        Message: [said.public_id, "most popular song"],
        ToolCall: [call.tool_use_id, "top_song", "WZPZ", "Elemental Hotel", conversation.pk, "jennifer"],
    }
    for model, words in sought.items():
        for each in words:
            found = listed(operator, model, q=each)
            assert {getattr(row, "turn_id", turn.pk) for row in found} == {turn.pk}, (model, each)
            assert len(found) == 1, (model, each)
        assert listed(operator, model, q="turkey") == []


@pytest.mark.parametrize("words", ["Señora", "\N{GRINNING FACE}", "„Blue“"])
def test_the_search_finds_what_is_not_ascii(operator: Client, user: User, words: str) -> None:
    conversation = stored(user, f"Play {words}!")
    ToolCall.objects.update(result=[{"json": {"song": words}}])
    stored(user)
    assert listed(operator, Conversation, q=words) == [conversation]
    assert listed(operator, Message, q=words) == [conversation.messages.get(role="user")]
    assert listed(operator, ToolCall, q=words) == [conversation.tool_calls.get()]


@each_model
def test_every_filter_works(operator: Client, conversation: Conversation, model: type[Model]) -> None:
    found = operator.get(listing(model)).context["cl"]
    assert len(found.filter_specs) >= 2
    for each in found.filter_specs:
        for choice in each.choices(found):
            seen(operator, listing(model) + choice["query_string"])


def test_a_filter_leaves_out_what_it_should(operator: Client, conversation: Conversation) -> None:
    chosen = [
        (Conversation, "model"),
        (Turn, "status"),
        (Round, "model"),
        (Message, "role"),
        (ToolCall, "name"),
    ]
    for model, column in chosen:
        value = rows_of(model).values_list(column, flat=True)[0]
        assert listed(operator, model, **{f"{column}__exact": value})
        assert listed(operator, model, **{f"{column}__exact": "another"}) == []


@pytest.fixture
def spoiled(user: User, conversation: Conversation) -> Conversation:
    error = {"error_text": EVIL, "error_detail": EVIL, "error_code": EVIL[:32]}
    User.objects.filter(pk=user.pk).update(username=EVIL)
    Conversation.objects.update(title=EVIL, system=EVIL, model=EVIL)
    Turn.objects.update(model=EVIL, system=EVIL, **error)
    Round.objects.update(
        model=EVIL, stop_reason=EVIL, gateway_request_id=EVIL, metadata={EVIL: EVIL}, **error
    )
    RequestBase.objects.update(body=json.dumps({"system": [{"text": EVIL}]}))
    Message.objects.update(content=[{"text": EVIL}])
    ToolCall.objects.update(
        name=EVIL, arguments=EVIL, input={EVIL: EVIL}, result=[{"json": {EVIL: EVIL}}], error=EVIL[:32]
    )
    return conversation


@each_model
def test_a_script_is_shown_and_not_run(operator: Client, spoiled: Conversation, model: type[Model]) -> None:
    for url in (listing(model), *(page_of(row) for row in rows_of(model))):
        html = seen(operator, url)
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(" in html


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_rounds_page_shows_the_request_and_proves_that_it_is_the_one_sent(
    operator: Client, user: User
) -> None:
    ask(conversation_of(user, system="You play records."), QUESTION)
    pages = [page_of(row) for row in rows_of(Round)]
    for html in [seen(operator, page) for page in pages]:
        assert "The SHA-256 is that of the bytes sent." in html
        assert "&quot;text&quot;: &quot;You play records.&quot;" in html
        assert f"&quot;text&quot;: &quot;{QUESTION}&quot;" in html
    Message.objects.filter(role="user").update(content=[{"text": "What is the worst song on WZPZ?"}])
    assert "Not the bytes that were sent" in seen(operator, pages[0])


def test_a_calls_page_shows_what_came_of_it(operator: Client, conversation: Conversation) -> None:
    html = seen(operator, page_of(ToolCall.objects.get()))
    for shown in ("&quot;sign&quot;: &quot;WZPZ&quot;", "Elemental Hotel", "jennifer", "Success", "tooluse_"):
        assert shown in html


def test_a_value_that_would_drown_the_page_is_cut(operator: Client, conversation: Conversation) -> None:
    ToolCall.objects.update(result=[{"text": "x" * 100_000}])
    html = seen(operator, page_of(ToolCall.objects.get()))
    assert len(html) < 60_000
    assert re.search(r"… 80,\d{3} more characters", html)


@each_model
def test_only_those_who_may_see_it_are_let_in(
    client: Client, user: User, conversation: Conversation, model: type[Model]
) -> None:
    urls = [listing(model), page_of(rows_of(model)[0])]
    assert {client.get(url).status_code for url in urls} == {302}
    client.force_login(user)
    assert {client.get(url).status_code for url in urls} == {302}
    User.objects.filter(pk=user.pk).update(is_staff=True)
    assert {client.get(url).status_code for url in urls} == {403}
