"""A new conversation and its first message, sent with a session or by the sign-in that follows."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.journal import one_snapshot, page
from conversations.models import Conversation, Message
from conversations.protocol.converse.content import plain_text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway", "settled")]
MODELS = ["cohere.command-r-v1:0", "amazon.nova-lite-v1:0"]
HOSTILE = "</div><script>alert(1)</script>&amp;\"'"
FORM = {"model": MODELS[1], "title": "Tea", "system": "Be brief.", "message": f"\n  {HOSTILE}\r\nhelp"}
PASSWORD = {"username": "jennifer", "password": "flycatcher"}


@pytest.fixture
def settled() -> Iterator[None]:
    """Leaves no turn running behind a test."""
    yield
    assert engine.WORKER.wait(20)


@pytest.fixture(autouse=True)
def models(settings: Settings) -> None:
    settings.GATEWAY_MODELS = MODELS


def texts() -> list[str]:
    """The users' messages that were accepted."""
    return [plain_text(message.content) for message in Message.objects.filter(role="user").order_by("pk")]


def filled_in(answer: HttpResponse) -> dict[str, str]:
    """The start page's form, as the page fills it in."""
    html = answer.content.decode()
    areas = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n(.*?)</textarea>', html, re.DOTALL)
    title = re.findall(r'name="(title)"[^>]* value="(.*?)"', html)
    model = re.findall(r"<option selected>(.+?)</option>", html)
    return {name: unescape(text) for name, text in [*areas, *title, *(("model", name) for name in model)]}


FILLED_FORM = FORM | {"message": f"\n  {HOSTILE}\nhelp"}

# -- signed in


def test_a_message_is_accepted_in_the_request_that_brings_it(client: Client, user: User) -> None:
    answer = client.post("/conversations/", FORM)
    conversation = Conversation.objects.get()
    assert answer["Location"] == f"/conversations/{conversation.pk}/"
    assert (conversation.owner, conversation.model, conversation.title, conversation.system) == (
        user,
        MODELS[1],
        "Tea",
        "Be brief.",
    )
    assert texts() == [FILLED_FORM["message"]]


@pytest.mark.parametrize("method", ["head", "get"])
def test_looking_at_the_page_first_loses_nothing_and_sends_nothing_again(client: Client, method: str) -> None:
    where = client.post("/conversations/", {"message": "help"})["Location"]
    for _ in range(2):
        getattr(client, method)(where)
    page = client.get(where).context["page"]
    assert "help" in [
        message.get("content", message.get("text")) for message in [*page.messages, *page.queue]
    ]
    assert texts() == ["help"]


def test_the_message_is_answered(client: Client) -> None:
    client.post("/conversations/", {"message": "What is the most popular song on WZPZ?"})
    assert engine.WORKER.wait(20)
    with one_snapshot():
        assert "Elemental Hotel" in page(Conversation.objects.get()).messages[-1]["content"]


@pytest.mark.parametrize("blank", ["", " ", "\r\n"])
def test_without_a_message_there_is_a_conversation_to_write_in(client: Client, blank: str) -> None:
    client.post("/conversations/", {"message": blank, "title": f"{blank}\u200b"})
    conversation = Conversation.objects.get()
    assert (conversation.title, conversation.has_own_title) == ("", False)
    assert texts() == []


LONG = "x" * 100_001


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"model": "x.y"}, 400, "This model is not offered."),
        ({"message": LONG}, 400, "The message is too long"),
        ({"message": "one too many"}, 429, "too many messages in a minute"),
    ],
)
def test_what_is_refused_stays_in_its_boxes_and_leaves_no_conversation(
    client: Client, settings: Settings, change: dict[str, str], status: int, sentence: str
) -> None:
    settings.USER_TURNS_PER_MINUTE = 1
    if status == 429:
        client.post("/conversations/", {"message": "help"})
    before = Conversation.objects.count()
    answer = client.post("/conversations/", FORM | change)
    assert answer.status_code == status
    assert sentence in answer.content.decode()
    form = FILLED_FORM | change
    assert filled_in(answer) == {name: form[name] for name in filled_in(answer)}
    assert "model" in {*filled_in(answer), *change}
    assert Conversation.objects.count() == before


def test_as_many_characters_as_a_message_may_have_are_counted_as_they_were_typed(client: Client) -> None:
    text = "a\n" * 50_000
    client.post("/conversations/", {"message": text.replace("\n", "\r\n")})
    assert texts() == [text]


# -- not signed in


@pytest.fixture
def stranger(user: User) -> Client:
    """A browser whose session has ended."""
    return Client()


def sign_in(client: Client, answer: HttpResponse, **fields: str) -> HttpResponse:
    """Signs in where an answer leads to, by the form that is there."""
    url = urlsplit(answer["Location"])
    assert url.path == "/accounts/login/"
    page = client.get(answer["Location"]).content.decode()
    assert "Your message is kept" in page
    (onward,) = parse_qs(url.query)["next"]
    assert f'name="next" value="{onward}"' in page
    signed_in: HttpResponse = client.post("/accounts/login/", PASSWORD | {"next": onward} | fields)
    return signed_in


def test_what_was_written_without_a_session_is_sent_by_the_sign_in(stranger: Client, user: User) -> None:
    redirect = stranger.post("/conversations/", FORM)
    assert not Conversation.objects.exists()
    answer = sign_in(stranger, redirect)
    conversation = Conversation.objects.get()
    assert answer["Location"] == f"/conversations/{conversation.pk}/"
    assert (conversation.owner, conversation.model, conversation.title, conversation.system) == (
        user,
        MODELS[1],
        "Tea",
        "Be brief.",
    )
    assert texts() == [FILLED_FORM["message"]]
    assert stranger.get(answer["Location"]).status_code == 200
    assert "unsent" not in stranger.session


def test_a_wrong_password_on_the_way_loses_nothing(stranger: Client) -> None:
    redirect = stranger.post("/conversations/", FORM)
    again = sign_in(stranger, redirect, password="wrong")
    assert "Your message is kept" in again.content.decode()
    sign_in(stranger, redirect)
    assert texts() == [FILLED_FORM["message"]]


def test_a_lockout_on_the_way_loses_nothing(stranger: Client, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 1
    redirect = stranger.post("/conversations/", FORM)
    (onward,) = parse_qs(urlsplit(redirect["Location"]).query)["next"]
    locked = sign_in(stranger, redirect, password="wrong")
    assert locked.status_code == 429
    assert f'name="next" value="{onward}"' in locked.content.decode()


def test_what_is_refused_after_the_sign_in_stays_in_its_boxes(stranger: Client) -> None:
    answer = sign_in(stranger, stranger.post("/conversations/", FORM | {"message": LONG}))
    assert not Conversation.objects.exists()
    page = stranger.get(answer["Location"])
    assert "The message is too long" in page.content.decode()
    assert filled_in(page) == FILLED_FORM | {"message": LONG}
    stranger.post("/conversations/", filled_in(page) | {"message": "help"})
    assert texts() == ["help"]
    assert filled_in(stranger.get(answer["Location"]))["message"] == ""


def test_another_way_to_sign_in_finds_the_boxes_filled_in(stranger: Client, user: User) -> None:
    (onward,) = parse_qs(urlsplit(stranger.post("/conversations/", FORM)["Location"]).query)["next"]
    stranger.force_login(user)
    assert filled_in(stranger.get(onward)) == FILLED_FORM
    assert not Conversation.objects.exists()


def test_whoever_was_signed_in_otherwise_meanwhile_sends_it_all_the_same(
    stranger: Client, user: User, other_user: User
) -> None:
    redirect = stranger.post("/conversations/", FORM)
    stranger.force_login(other_user)
    sign_in(stranger, redirect)
    assert Conversation.objects.get().owner == user


@pytest.mark.parametrize("onward", ["/", "/?unsent=", "/?unsent=6b95a221-5126-4deb-8a77-a4104e145dab"])
def test_a_sign_in_that_leads_elsewhere_sends_nothing_and_shows_nothing(
    stranger: Client, onward: str
) -> None:
    stranger.post("/conversations/", FORM)
    answer = stranger.post("/accounts/login/", PASSWORD | {"next": onward})
    assert answer["Location"] == onward
    assert filled_in(stranger.get(onward))["message"] == ""
    assert not Conversation.objects.exists()


def test_a_form_from_elsewhere_is_not_kept_for_the_sign_in(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/conversations/", FORM).status_code == 403
    assert not Session.objects.exists()


def test_a_form_of_this_site_is_kept_though_the_session_has_ended(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    token = re.findall(
        r'name="csrfmiddlewaretoken" value="(.+?)"', client.get("/accounts/login/").content.decode()
    )[0]
    redirect = client.post("/conversations/", FORM | {"csrfmiddlewaretoken": token})
    sign_in(client, redirect, csrfmiddlewaretoken=token)
    assert texts() == [FILLED_FORM["message"]]


def test_only_a_post_is_kept(stranger: Client) -> None:
    assert stranger.get("/conversations/", FORM).status_code == 302
    assert not Session.objects.exists()


def test_a_form_that_says_nothing_promises_nothing(stranger: Client) -> None:
    redirect = stranger.post("/conversations/")
    assert "Your message is kept" not in stranger.get(redirect["Location"]).content.decode()
