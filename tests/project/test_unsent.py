"""Forms that come without a session or with an old token: nothing that was written is lost."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import AsyncClient, Client

from conversations.models import Conversation, Prompt
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db
PASSWORD = {"username": "jennifer", "password": "flycatcher"}
HOSTILE = "</textarea><script>alert(1)</script>&amp;\"'\n"
LONG = (HOSTILE * 150).strip()
NEW = {"new-name": "tea", "new-text": LONG}


@pytest.fixture
def stranger(user: User) -> Client:
    """A browser whose session has ended."""
    return Client()


def onward(answer: HttpResponse) -> str:
    """Where the sign-in leads on to, if the answer leads to the sign-in."""
    url = urlsplit(answer["Location"])
    assert url.path == "/accounts/login/"
    return parse_qs(url.query)["next"][0]


def sign_in(client: Client, answer: HttpResponse, **fields: str) -> HttpResponse:
    """Signs in where an answer leads to."""
    signed_in: HttpResponse = client.post("/accounts/login/", PASSWORD | {"next": onward(answer)} | fields)
    return signed_in


def form_of(answer: HttpResponse) -> tuple[str, dict[str, str]]:
    """The first form on a page that can be sent again: its address and its fields."""
    form, *_ = re.findall(r'<form class="fields"(.*?)</form>', answer.content.decode(), re.DOTALL)
    [path] = re.findall(r'action="(.*?)"', form)
    hidden = re.findall(r'<input type="hidden" name="(?!csrf)(.*?)" value="(.*?)">', form)
    texts = re.findall(r'<textarea [^>]*name="(.*?)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    return unescape(path), {name: unescape(value) for name, value in [*hidden, *texts]}


# -- without a session


def test_a_form_that_was_sent_without_a_session_goes_on_after_the_sign_in(
    stranger: Client, user: User
) -> None:
    answer = stranger.post("/settings/", NEW)
    assert "What you sent is kept" in stranger.get(answer["Location"]).content.decode()
    assert sign_in(stranger, answer)["Location"] == "/settings/"
    prompt = Prompt.objects.get()
    assert (prompt.user, prompt.name, prompt.text) == (user, "tea", LONG)
    assert "tea is saved." in stranger.get("/settings/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_so_it_does_on_an_asynchronous_server(user: User) -> None:
    async def send() -> str:
        client = AsyncClient()
        refusal = await client.post("/settings/", NEW)
        answer = await client.post("/accounts/login/", PASSWORD | {"next": onward(refusal)})
        return str(answer["Location"])

    assert async_to_sync(send)() == "/settings/"
    assert Prompt.objects.get().text == LONG


def test_a_wrong_password_on_the_way_loses_nothing(stranger: Client) -> None:
    answer = stranger.post("/settings/", NEW)
    sign_in(stranger, answer, password="wrong")
    sign_in(stranger, answer)
    assert Prompt.objects.get().text == LONG


def test_every_form_of_the_site_goes_on(stranger: Client, user: User) -> None:
    conversation = conversation_of(user)
    prompt = Prompt.objects.create(user=user, name="tea", text="Pour.")
    page = f"/conversations/{conversation.pk}/"
    rerun = {"model": "", "tools": "live", "miss": "error", "system": "Be brief."}
    sent = {
        f"/settings/prompts/{prompt.pk}/": ({f"{prompt.pk}-name": "tea", f"{prompt.pk}-text": "Brew."}, 302),
        f"{page}again/": (rerun, 400),  # there is nothing to ask yet
        f"{page}delete/": ({}, 302),
    }
    pages = {}
    for path, (fields, status) in sent.items():
        answer = sign_in(stranger, stranger.post(path, fields))
        pages[path] = answer.content.decode()
        assert answer.status_code == status, path
        stranger.logout()
    prompt.refresh_from_db()
    assert prompt.text == "Brew."
    assert "Be brief.</textarea>" in pages[f"{page}again/"]
    assert '<option value="live" selected>' in pages[f"{page}again/"]
    assert not Conversation.objects.exists()


def test_what_is_refused_after_the_sign_in_stays_in_its_boxes(stranger: Client) -> None:
    answer = sign_in(stranger, stranger.post("/settings/", NEW | {"new-name": "no name!"}))
    assert answer.status_code == 400
    path, fields = form_of(answer)
    assert path == "/settings/"
    assert fields["new-text"] == LONG


def test_another_account_that_may_not_send_it_finds_all_of_it(
    stranger: Client, user: User, other_user: User
) -> None:
    prompt = Prompt.objects.create(user=user, name="tea", text="Pour.")
    fields = {f"{prompt.pk}-name": "tea", f"{prompt.pk}-text": LONG}
    refusal = stranger.post(f"/settings/prompts/{prompt.pk}/", fields)
    answer = sign_in(stranger, refusal, username="herbert", password="turkeys-away")
    path, offered = form_of(stranger.get(answer["Location"]))
    assert (path, offered) == (f"/settings/prompts/{prompt.pk}/", fields)


def test_two_tabs_keep_a_form_each(stranger: Client) -> None:
    one, other = (stranger.post("/settings/", NEW | {"new-name": name}) for name in ("one", "other"))
    sign_in(stranger, one)
    path, fields = form_of(stranger.get(onward(other)))
    stranger.post(path, fields)
    assert sorted(Prompt.objects.values_list("name", flat=True)) == ["one", "other"]


@pytest.mark.parametrize("address", ["https://example.org/", "//example.org/", "/accounts/unsent/?form=1"])
def test_a_sign_in_that_leads_elsewhere_sends_nothing(stranger: Client, address: str) -> None:
    stranger.post("/settings/", NEW)
    answer = stranger.post("/accounts/login/", PASSWORD | {"next": address})
    assert "example.org" not in answer["Location"]
    assert stranger.get(answer["Location"], follow=True).status_code == 200
    assert not Prompt.objects.exists()


def test_nobody_is_signed_out_by_the_sign_in(stranger: Client) -> None:
    for path in ("/accounts/logout/", "/admin/logout/"):
        answer = stranger.post(path)
        assert sign_in(stranger, answer)["Location"] == "/"
        assert stranger.get("/").status_code == 200
        stranger.logout()


def test_a_password_is_never_kept(stranger: Client) -> None:
    stranger.post("/admin/password_change/", {"old_password": "flycatcher", "new_password1": "secret"})
    assert "secret" not in str(dict(stranger.session))


# -- with a token that has gone


@pytest.fixture
def tab(user: User) -> Client:
    """A browser in whose other tab somebody has signed out and in since the page came."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    client.get("/settings/")
    return client


def test_what_was_written_can_be_sent_again_from_the_page_that_refuses_it(tab: Client) -> None:
    answer = tab.post("/settings/", NEW | {"csrfmiddlewaretoken": "x" * 64})
    assert answer.status_code == 403
    path, fields = form_of(answer)
    assert (path, fields["new-name"], fields["new-text"]) == ("/settings/", "tea", LONG)
    assert "x" * 64 not in answer.content.decode()
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(.*?)"', answer.content.decode())[-1:]
    tab.post(path, fields | {"csrfmiddlewaretoken": token})
    assert Prompt.objects.get().text == LONG


def test_a_message_of_the_greatest_length_survives(tab: Client) -> None:
    written = {"message": "😀" * 100_000, "title": "Tea"}
    _, fields = form_of(tab.post("/conversations/", written))
    assert {name: fields[name] for name in written} == written


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_form_from_elsewhere_is_not_offered_to_be_sent(tab: Client, headers: dict[str, str]) -> None:
    answer = tab.post("/settings/", NEW, headers=headers)
    assert answer.status_code == 403
    assert "<textarea" not in answer.content.decode()
    assert "Send again" not in answer.content.decode()


def test_a_password_is_not_shown_by_the_page_that_refuses_it(tab: Client) -> None:
    answer = tab.post("/accounts/login/", PASSWORD)
    assert answer.status_code == 403
    assert "flycatcher" not in answer.content.decode()
