"""Who gets in, the list of conversations, a new conversation, and its menu."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from conversations.models import Conversation
from tests.conditions import until
from tests.records import recorded_turn, text_events
from tests.reruns import reports
from tests.turns import ask

MODELS = ["cohere.command-r-v1:0", "amazon.nova-lite-v1:0"]
HOSTILE = "</div><script>alert(1)</script>&amp;\"'"
NOWHERE = "6b95a221-5126-4deb-8a77-a4104e145dab"


@pytest.fixture
def conversation(user: User) -> Conversation:
    return Conversation.objects.create(owner=user, model=MODELS[0], title="Turkeys")


# -- who may see what


@pytest.mark.parametrize("path", ["/", f"/conversations/{NOWHERE}/"])
def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(client: Client, path: str) -> None:
    client.logout()
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={path}"


def test_another_user_s_conversation_is_not_there(client: Client, other_user: User) -> None:
    theirs = Conversation.objects.create(owner=other_user, model=MODELS[0], title="Secret plans")
    assert client.get(f"/conversations/{theirs.pk}/").status_code == 404
    assert "Secret plans" not in client.get("/").content.decode()
    assert "Secret plans" not in client.get("/", {"q": "Secret"}).content.decode()


def test_a_superuser_sees_no_more(other_user: User, conversation: Conversation) -> None:
    other_user.is_superuser = other_user.is_staff = True
    other_user.save()
    client = Client()
    client.force_login(other_user)
    assert client.get(f"/conversations/{conversation.pk}/").status_code == 404


@pytest.mark.parametrize("name", ["none", "123", NOWHERE])
def test_an_address_without_a_conversation_is_404_with_a_way_back(client: Client, name: str) -> None:
    answer = client.get(f"/conversations/{name}/")
    assert answer.status_code == 404
    assert '<a href="/">Your conversations</a>' in answer.content.decode()


# -- the list


def test_conversations_are_listed_newest_first(client: Client, user: User) -> None:
    for title in ("first", "second", "third"):
        Conversation.objects.create(owner=user, model=MODELS[0], title=title)
    page = client.get("/").content.decode()
    assert page.index(">third<") < page.index(">second<") < page.index(">first<")


def test_the_list_goes_on_from_page_to_page(client: Client, user: User) -> None:
    for number in range(51):
        Conversation.objects.create(owner=user, model=MODELS[0], title=f"number {number}")
    assert ">number 0<" not in client.get("/").content.decode()
    assert ">number 0<" in client.get("/", {"page": "2"}).content.decode()


@pytest.mark.parametrize("words", ["turk", "TURKEYS", "café", "“quoted”", 'back\\slash "and" quotes'])
def test_a_search_finds_titles_and_what_was_said(
    client: Client, user: User, conversation: Conversation, words: str
) -> None:
    other = Conversation.objects.create(owner=user, model=MODELS[0], title="something else")
    recorded_turn(other, 'In the café he said “quoted” and back\\slash "and" quotes')
    page = client.get("/", {"q": words}).content.decode()
    titles = set(re.findall(r">(Turkeys|something else)</a>", page))
    assert titles == ({"Turkeys"} if "turk" in words.lower() else {"something else"})


def test_a_search_shows_what_it_finds(client: Client, user: User) -> None:
    recorded_turn(
        Conversation.objects.create(owner=user, model=MODELS[0]), f"A CAFÉ <b>in</b> Zürich {HOSTILE}"
    )
    page = client.get("/", {"q": "cafe ZUR"}).content.decode()
    assert '<p class="hit">You: <bdi>A <mark>CAFÉ</mark> &lt;b&gt;in&lt;/b&gt; <mark>Zür</mark>ich' in page
    assert HOSTILE not in page
    assert 'class="hit"' not in client.get("/").content.decode()


def test_a_search_goes_on_from_page_to_page(client: Client, user: User) -> None:
    for number in range(51):
        Conversation.objects.create(owner=user, model=MODELS[0], title=f"number {number}.")
    first, second = (client.get("/", {"q": "number", "page": page}).content.decode() for page in (1, 2))
    assert "51 with" in first
    assert (">number 0.<" in first, ">number 0.<" in second) == (False, True)


def test_a_search_without_a_hit_says_so(client: Client, conversation: Conversation) -> None:
    page = client.get("/", {"q": HOSTILE}).content.decode()
    assert "0 with" in page
    assert HOSTILE not in page
    assert HOSTILE in unescape(page)


# -- a new conversation


def test_a_new_conversation_leads_to_its_page(client: Client, user: User) -> None:
    answer = client.post("/conversations/")
    conversation = Conversation.objects.get()
    assert (conversation.owner, conversation.title, conversation.system) == (user, "", "")
    assert answer.status_code == 302
    assert answer["Location"] == f"/conversations/{conversation.pk}/"


@override_settings(GATEWAY_MODELS=MODELS)
def test_a_new_conversation_takes_model_title_and_system_prompt(client: Client) -> None:
    client.post("/conversations/", {"model": MODELS[1], "title": " Tea\0 time ", "system": "Be brief."})
    conversation = Conversation.objects.get()
    assert (conversation.model, conversation.title, conversation.system) == (
        MODELS[1],
        "Tea\N{REPLACEMENT CHARACTER} time",
        "Be brief.",
    )


@override_settings(GATEWAY_MODELS=MODELS)
def test_the_first_model_is_the_default_and_others_can_be_chosen(client: Client) -> None:
    assert re.findall(r"<option>(.+?)</option>", client.get("/").content.decode()) == MODELS
    client.post("/conversations/", {"model": ""})
    assert Conversation.objects.get().model == MODELS[0]


def test_with_one_model_there_is_nothing_to_choose(client: Client) -> None:
    assert "<select" not in client.get("/").content.decode()


def test_a_title_that_is_too_long_is_cut(client: Client) -> None:
    client.post("/conversations/", {"title": "x" * 300})
    assert Conversation.objects.get().title == "x" * 200


def test_a_conversation_s_page_is_kept_in_no_cache(client: Client, conversation: Conversation) -> None:
    assert "no-store" in client.get(f"/conversations/{conversation.pk}/")["Cache-Control"]


def test_a_conversation_is_only_made_by_post(client: Client) -> None:
    assert client.get("/conversations/").status_code == 405
    assert not Conversation.objects.exists()


def test_a_form_from_elsewhere_is_refused(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    answer = client.post("/conversations/")
    assert answer.status_code == 403
    assert "This was refused" in answer.content.decode()
    assert not Conversation.objects.exists()


# -- signing in and out


def test_signing_in_leads_to_where_one_was_going(user: User) -> None:
    fields = {"username": "jennifer", "password": "flycatcher", "next": "/?q=x"}
    answer = Client().post("/accounts/login/", fields)
    assert answer["Location"] == "/?q=x"


def test_a_wrong_password_is_told(user: User) -> None:
    answer = Client().post("/accounts/login/", {"username": "jennifer", "password": "wrong"})
    assert 'role="alert"' in answer.content.decode()
    assert 'value="jennifer"' in answer.content.decode()


def test_signing_out_takes_a_post(client: Client) -> None:
    assert client.get("/accounts/logout/").status_code == 405
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302


# -- a conversation's menu: export, the end, once more


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("json", "application/json"), ("md", "text/markdown"), ("jsonl", "application/x-ndjson")],
)
def test_a_conversation_can_be_taken_home(
    client: Client, conversation: Conversation, name: str, media_type: str
) -> None:
    recorded_turn(conversation, "hello", *text_events("there"))
    conversation.title = '../"Café"\r\nrm -rf /'
    conversation.save()
    answer = client.get(f"/conversations/{conversation.pk}/export/", {"format": name})
    assert answer["Content-Type"] == f"{media_type}; charset=utf-8"
    assert re.fullmatch(rf'attachment; filename="cafe-rm-rf\.{name}"', answer["Content-Disposition"])
    assert (answer["X-Content-Type-Options"], "no-store" in answer["Cache-Control"]) == ("nosniff", True)
    assert "hello" in answer.content.decode()


def test_a_title_without_any_letter_makes_a_file_name_too(client: Client, conversation: Conversation) -> None:
    for title in ("", "???", "日本", "."):
        Conversation.objects.filter(pk=conversation.pk).update(title=title)
        answer = client.get(f"/conversations/{conversation.pk}/export/")
        assert answer["Content-Disposition"] == 'attachment; filename="conversation.json"'


def test_an_unknown_format_is_refused(client: Client, conversation: Conversation) -> None:
    answer = client.get(f"/conversations/{conversation.pk}/export/", {"format": "<b>"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert answer.content.decode() == "There is no such format. Ask for one of json, md, jsonl, zip."


def test_deleting_asks_first_and_says_what_goes(client: Client, conversation: Conversation) -> None:
    recorded_turn(conversation, "hello")
    path = f"/conversations/{conversation.pk}/delete/"
    page = " ".join(client.get(path).content.decode().split())
    assert "1 message, 0 tool calls and the recording go for good." in page
    assert Conversation.objects.exists()
    assert client.post(path)["Location"] == "/"
    assert not Conversation.objects.exists()
    assert client.post(path).status_code == 404


AGAIN = {"model": "", "system": "", "tools": "recorded", "miss": "stop"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_asking_again_leads_to_a_new_conversation_that_can_be_compared(
    client: Client, conversation: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    ask(conversation, "What is the most popular song on WZPZ?")
    where = client.post(f"/conversations/{conversation.pk}/again/", AGAIN)["Location"]
    new = Conversation.objects.get(rerun_of=conversation)
    assert where == f"/conversations/{new.pk}/"
    until(lambda: reports(caplog) == [f"rerun {new.pk}: 1 turns asked again"])
    page = client.get(f"{where}compare/").content.decode()
    assert "Turn 1: What is the most popular song on WZPZ?" in page
    assert "Differs in nothing." in page
    assert "Compare with the original" in client.get(where).content.decode()


@pytest.mark.parametrize("field", [{"model": "x.y"}, {"tools": "all"}, {"miss": ""}])
def test_asking_again_with_what_is_not_offered_is_refused(
    client: Client, conversation: Conversation, field: dict[str, str]
) -> None:
    answer = client.post(f"/conversations/{conversation.pk}/again/", AGAIN | field)
    assert (answer.status_code, "This is not offered." in answer.content.decode()) == (400, True)
    assert Conversation.objects.count() == 1


def test_there_is_nothing_to_compare_without_a_rerun_of_ones_own(
    client: Client, user: User, other_user: User, conversation: Conversation
) -> None:
    theirs = Conversation.objects.create(owner=other_user, model=MODELS[0])
    assert client.get(f"/conversations/{conversation.pk}/compare/").status_code == 404
    rerun = Conversation.objects.create(owner=user, model=MODELS[0], rerun_of=theirs)
    assert client.get(f"/conversations/{rerun.pk}/compare/").status_code == 404
