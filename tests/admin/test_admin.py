"""The record in the admin can all be seen, cannot be changed, and is never run."""

import json
import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations.admin.pages import ReadOnlyAdmin
from conversations.models import (
    Allowance,
    ApiToken,
    Approval,
    Attachment,
    Conversation,
    Message,
    RequestBase,
    Round,
    ToolCall,
    Turn,
    UsageTotal,
)
from tests.pages import (
    address_of,
    full_conversation,
    html_of,
    list_address,
    query_count,
    rows_in_list,
    rows_of,
)

pytestmark = pytest.mark.django_db
EVIL = "<script>alert('turntable')</script>"
MODELS = [model for model, page in admin.site._registry.items() if isinstance(page, ReadOnlyAdmin)]
all_models = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.fixture
def conversation(user: User) -> Conversation:
    return full_conversation(user)


def test_all_of_a_turn_is_shown() -> None:
    record = {
        Conversation,
        Turn,
        Round,
        Message,
        ToolCall,
        Approval,
        Allowance,
        ApiToken,
        Attachment,
        UsageTotal,
    }
    assert set(MODELS) == record
    assert list_address(ToolCall) == "/admin/conversations/toolcall/"


@all_models
def test_every_row_is_listed_and_has_its_page(
    operator: Client, conversation: Conversation, model: type[Model]
) -> None:
    rows = list(rows_of(model))
    assert sorted(row.pk for row in rows_in_list(operator, model)) == [row.pk for row in rows] != []
    for row in rows:
        html_of(operator, address_of(row))
        html_of(operator, address_of(row, "history"))


def test_pages_say_in_which_zone_their_times_are(
    operator: Client, conversation: Conversation, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    for address in (list_address(Turn), address_of(conversation.turns.get())):
        assert "Times are in Europe/Berlin." in html_of(operator, address)


@all_models
def test_every_link_leads_somewhere(operator: Client, conversation: Conversation, model: type[Model]) -> None:
    html = html_of(operator, address_of(rows_of(model)[0])) + html_of(operator, list_address(model))
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/admin/conversations/[^"]+)"', html)}
    assert len(links) > 3
    assert {link: operator.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_a_call_leads_to_its_moment_in_the_playback_which_an_operator_may_watch(
    operator: Client, conversation: Conversation
) -> None:
    html = html_of(operator, address_of(conversation.turns.get().tool_calls.get()))
    (address,) = re.findall(rf'href="(/conversations/{conversation.pk}/replay/#call-[^"]+)"', html)
    assert operator.get(address).status_code == 200
    assert f'href="/conversations/{conversation.pk}/"' not in html


def test_everything_of_a_turn_leads_to_everything_else(operator: Client, conversation: Conversation) -> None:
    turn = conversation.turns.get()
    row, call, message = turn.rounds.get(), turn.tool_calls.get(), turn.messages.get(role="assistant")
    ways = {
        call: [message, row, turn, conversation],
        message: [row, turn, conversation],
        row: [call, message, turn, conversation],
        turn: [conversation, row, call, turn.messages.get(role="user")],
        conversation: [turn, row, call],
    }
    for start, ends in ways.items():
        html = html_of(operator, address_of(start))
        assert [end for end in ends if f'href="{address_of(end)}"' not in html] == [], start


@pytest.mark.any_database
@all_models
def test_nothing_can_be_added_changed_or_deleted(
    operator: Client, conversation: Conversation, model: type[Model]
) -> None:
    row, before = rows_of(model)[0], list(rows_of(model).values())
    add = reverse(f"admin:conversations_{model._meta.model_name}_add")
    for url in (add, address_of(row), address_of(row, "delete")):
        assert operator.post(url, {"title": "changed", "model": "other", "post": "yes"}).status_code == 403
    assert operator.get(add).status_code == 403
    operator.post(
        list_address(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    )
    assert list(rows_of(model).values()) == before


@all_models
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    operator: Client, user: User, model: type[Model]
) -> None:
    counts = []
    for more in (2, 10):
        for _ in range(more):
            full_conversation(user)
        counts.append(query_count(operator, list_address(model)))
    assert counts[0] == counts[1] < 20


@all_models
def test_a_rows_page_takes_as_many_queries_for_many_rows_as_for_few(
    operator: Client, user: User, model: type[Model]
) -> None:
    counts = []
    conversation = full_conversation(user)
    for _ in range(3):
        counts.append(query_count(operator, address_of(rows_of(model)[0])))
        for _ in range(5):
            full_conversation(user, within=conversation)
    assert counts[1] == counts[2] < 20


def test_the_search_finds_what_is_meant_and_nothing_else(
    operator: Client, conversation: Conversation
) -> None:
    full_conversation(User.objects.create_user("herbert"), "Another song")
    turn = conversation.turns.get()
    message, row = turn.messages.get(role="user"), turn.rounds.get()
    sought: dict[type[Model], list[object]] = {
        Conversation: [conversation.pk, "most popular", "jennifer"],
        Turn: [turn.pk, conversation.pk, "jennifer"],
        Round: [turn.pk, row.gateway_request_id],
        Message: [message.public_id, "most popular song"],
    }
    for model, words in sought.items():
        for word in words:
            rows = rows_in_list(operator, model, q=word)
            assert {getattr(row, "turn_id", turn.pk) for row in rows} == {turn.pk}, (model, word)
            assert len(rows) == 1, (model, word)
        assert rows_in_list(operator, model, q="turkey") == []


@pytest.mark.parametrize("words", ["Señora", "SENORA", "\N{GRINNING FACE}", "„Blue“", "天气"])
def test_the_search_finds_what_is_not_ascii(operator: Client, user: User, words: str) -> None:
    conversation = full_conversation(user, "Play Señora \N{GRINNING FACE} „Blue“ 今天天气很好!")
    ToolCall.objects.filter(conversation=conversation).update(result=[{"text": conversation.title}])
    full_conversation(user)
    assert rows_in_list(operator, Conversation, q=words) == [conversation]
    assert rows_in_list(operator, Message, q=words) == [conversation.messages.get(role="user")]
    assert rows_in_list(operator, ToolCall, q=words) == [conversation.tool_calls.get()]


@pytest.mark.parametrize("words", ["text", "role", "+", "u00f1"])
def test_the_search_finds_nothing_by_the_words_of_stored_json(
    operator: Client, user: User, words: str
) -> None:
    full_conversation(user, "Señora")
    for model in (Conversation, Message, ToolCall):
        assert rows_in_list(operator, model, q=words) == [], model


@all_models
def test_every_filter_works(operator: Client, conversation: Conversation, model: type[Model]) -> None:
    change_list = operator.get(list_address(model)).context["cl"]
    assert len(change_list.filter_specs) >= 1
    for filter_spec in change_list.filter_specs:
        for choice in filter_spec.choices(change_list):
            html_of(operator, list_address(model) + choice["query_string"])


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
        assert rows_in_list(operator, model, **{f"{column}__exact": value})
        assert rows_in_list(operator, model, **{f"{column}__exact": "another"}) == []


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
    Allowance.objects.update(tool=EVIL, input={EVIL: EVIL})
    Approval.objects.update(reason=EVIL, input={EVIL: EVIL}, decided_by_name=EVIL)
    return conversation


@pytest.mark.any_database
@all_models
def test_a_script_is_shown_and_not_run(operator: Client, spoiled: Conversation, model: type[Model]) -> None:
    for url in (list_address(model), *(address_of(row) for row in rows_of(model))):
        html = html_of(operator, url)
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(" in html


@pytest.mark.any_database
@all_models
def test_characters_that_reorder_others_are_marked(
    operator: Client, conversation: Conversation, model: type[Model]
) -> None:
    for url in (list_address(model), address_of(rows_of(model)[0])):
        User.objects.filter(username__startswith="jen").update(username="jen\u202enifer")
        Conversation.objects.update(title="a\u2066b", system="\u202a", model="m\u202e")
        Message.objects.update(content=[{"text": "\u202e"}])
        ToolCall.objects.update(name="\u202etop", arguments="\u2069", result=[{"text": "\ud800 \u202e"}])
        html = html_of(operator, url)
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", html)
        assert "U+20" in html


def dated(column: str, day: datetime, depth: int) -> dict[str, int]:
    """The parameters that choose the day's year, month or day."""
    parts = {"year": day.year, "month": day.month, "day": day.day}
    return {f"{column}__{part}": number for part, number in list(parts.items())[:depth]}


@all_models
def test_dates_lead_from_years_to_days(
    operator: Client, conversation: Conversation, model: type[Model]
) -> None:
    change_list = operator.get(list_address(model)).context["cl"]
    if change_list.date_hierarchy is None:
        assert model is UsageTotal
        return
    early = timezone.now() - timedelta(days=800)
    full_conversation(conversation.owner)
    first = rows_of(model)[0]
    model._default_manager.filter(pk=first.pk).update(**{change_list.date_hierarchy: early})
    for depth in range(1, 4):
        forward = [address for address, _, is_back in change_list.dates() if not is_back]
        assert len(change_list.dates()) - len(forward) == depth - 1
        change_list = operator.get(list_address(model) + forward[0]).context["cl"]
        assert list(change_list.result_list) == [first] or depth < 3
        change_list = operator.get(
            list_address(model) + f"?{urlencode(dated(change_list.date_hierarchy, early, depth))}"
        ).context["cl"]
        assert list(change_list.result_list) == [first]
    assert [is_back for *_, is_back in change_list.dates()] == [True] * 3
    model._default_manager.filter(pk=first.pk).update(**{change_list.date_hierarchy: timezone.now()})
    months = operator.get(list_address(model)).context["cl"].dates()
    assert [is_back for *_, is_back in months] == [False]
    for odd in (
        "__year=0",
        "__year=x",
        "__year=2026&{}__day=31",
        "__month=3",
        "__day=99",
        "__year=2026&{}__month=13",
    ):
        query = f"?{change_list.date_hierarchy}{odd.format(change_list.date_hierarchy)}"
        assert operator.get(list_address(model) + query).status_code in (200, 302), query


@pytest.mark.any_database
@all_models
def test_only_those_who_may_see_it_are_let_in(
    client: Client, user: User, conversation: Conversation, model: type[Model]
) -> None:
    urls = [list_address(model), address_of(rows_of(model)[0])]
    assert {client.get(url).status_code for url in urls} == {302}
    client.force_login(user)
    assert {client.get(url).status_code for url in urls} == {302}
    User.objects.filter(pk=user.pk).update(is_staff=True)
    assert {client.get(url).status_code for url in urls} == {403}
