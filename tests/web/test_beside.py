"""One question to two models, each in a conversation of its own, of which one is kept."""

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from conversations import engine, exports
from conversations.models import TOKENS, Conversation, Model, Turn
from conversations.models.catalogue import forget_rows
from tests.conditions import until
from tests.files import attached
from tests.pages import html_of
from tests.turns import QUESTION, ask, conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
FIRST, SECOND = "cohere.command-r-v1:0", "other.model-v1"


@pytest.fixture(autouse=True)
def two_models(settings: Settings) -> None:
    settings.GATEWAY_MODELS = [FIRST, SECOND]
    Model.make_rows()


@pytest.fixture
def conversation(client: Client, user: User) -> Conversation:
    """A conversation with an answered question, of the user who is signed in."""
    client.force_login(user)
    conversation = conversation_of(user, model=FIRST, title="Turkeys", system="Be brief.")
    ask(conversation, "help")
    return conversation


def ask_two(client: Client, conversation: Conversation, **fields: str | list[str]) -> Any:
    form = {"message": QUESTION, "second": SECOND} | fields
    return client.post(f"/conversations/{conversation.pk}/beside/", form)


def ended(*conversations: Conversation) -> None:
    """Waits until nothing runs in them."""
    until(lambda: not Turn.objects.filter(conversation__in=conversations, status__in=Turn.OPEN).exists())


def twin_of(conversation: Conversation) -> Conversation:
    return Conversation.objects.exclude(pk=conversation.pk).get()


def test_both_models_are_asked_with_the_same_history(client: Client, conversation: Conversation) -> None:
    answer = ask_two(client, conversation)
    twin = twin_of(conversation)
    assert answer["Location"] == f"/conversations/{conversation.pk}/beside/{twin.pk}/"
    ended(conversation, twin)
    assert (twin.model, twin.title, twin.system) == (SECOND, "Turkeys", "Be brief.")
    first, second = (json.loads(exports.as_json(one)) for one in (conversation, twin))
    assert [turn["status"] for turn in second["turns"]] == ["completed", "completed"]
    assert [turn["model"] for turn in second["turns"]] == [FIRST, SECOND]
    assert [m["content"][0].get("text") for m in second["messages"]][:3] == [
        m["content"][0].get("text") for m in first["messages"]
    ][:3]
    requests = [
        json.loads(engine.rebuild_request(turn.rounds.get(number=1))) for turn in newest(conversation, twin)
    ]
    assert requests[0] == requests[1]


def newest(*conversations: Conversation) -> list[Turn]:
    return [one.turns.latest("number") for one in conversations]


def test_what_was_used_before_counts_once(conversation: Conversation) -> None:
    twin = exports.copy_for(conversation, SECOND)
    assert conversation.turns.get().total_tokens > 0
    assert all(getattr(twin.turns.get(), column) == 0 for column in TOKENS)


def test_the_page_has_both_in_frames_and_keeping_one_archives_the_other(
    client: Client, conversation: Conversation
) -> None:
    address = ask_two(client, conversation)["Location"]
    twin = twin_of(conversation)
    page = client.get(address)
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    for one in (conversation, twin):
        assert f'<iframe src="/conversations/{one.pk}/column/" title="Conversation with {one.model}">' in (
            page.content.decode()
        )
    ended(conversation, twin)
    assert client.post(address, {"keep": str(twin.pk)})["Location"] == f"/conversations/{twin.pk}/"
    conversation.refresh_from_db()
    twin.refresh_from_db()
    assert (conversation.archived_at is None, twin.archived_at is None) == (False, True)
    assert client.post(address, {"keep": str(uuid.uuid4())}).status_code == 404


def test_a_column_may_stand_in_a_page_of_this_site_alone(client: Client, conversation: Conversation) -> None:
    answer = client.get(f"/conversations/{conversation.pk}/column/")
    policy = answer["Content-Security-Policy"]
    assert (answer["X-Frame-Options"], "frame-ancestors 'self'" in policy) == ("SAMEORIGIN", True)
    page = answer.content.decode()
    assert ('<base target="_top">' in page, "sidebar" in page) == (True, False)
    whole = client.get(f"/conversations/{conversation.pk}/")
    assert whole["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("fields", [{"second": "x.y"}, {"second": ""}, {"message": " "}])
def test_what_cannot_be_asked_is_kept_and_makes_no_conversation(
    client: Client, conversation: Conversation, fields: dict[str, str]
) -> None:
    answer = ask_two(client, conversation, **fields)
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (400, True)
    assert Conversation.objects.count() == 1
    conversation.refresh_from_db()
    assert conversation.draft == fields.get("message", QUESTION)


def test_nothing_is_asked_while_a_turn_is_open(client: Client, conversation: Conversation) -> None:
    conversation.turns.update(status="waiting")
    assert ask_two(client, conversation).status_code == 400
    assert Conversation.objects.count() == 1


def test_where_the_limit_lets_one_in_the_other_question_is_a_draft(
    client: Client, conversation: Conversation, settings: Settings
) -> None:
    settings.USER_TURNS_PER_MINUTE = 2  # of which the answered one is the first: its copy counts for nothing
    assert ask_two(client, conversation).status_code == 302
    twin = twin_of(conversation)
    assert (twin.turns.count(), twin.draft) == (1, QUESTION)
    ended(conversation)


def test_both_models_get_the_files_of_the_question(client: Client, conversation: Conversation) -> None:
    files = [attached(conversation), attached(conversation, "notes.txt", b"Less Nessman reads the news.")]
    ids = [str(file.pk) for file in files]
    assert ask_two(client, conversation, attachments=ids, message="").status_code == 302
    twin = twin_of(conversation)
    ended(conversation, twin)
    first, second = (json.loads(engine.rebuild_request(t.rounds.get())) for t in newest(conversation, twin))
    assert first["messages"] == second["messages"]
    assert {block for block in first["messages"][-1]["content"] for block in block} >= {"image", "document"}
    assert [one.attachments.count() for one in (conversation, twin)] == [2, 2]


def test_files_that_one_of_the_models_does_not_take_are_asked_of_neither(
    client: Client, conversation: Conversation, other_user: User
) -> None:
    Model.objects.filter(model_id=SECOND).update(takes_pictures=False)
    forget_rows()
    for file in (attached(conversation), attached(conversation_of(other_user))):
        answer = ask_two(client, conversation, attachments=[str(file.pk)])
        assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (400, True)
        assert (
            conversation.turns.count(),
            Conversation.objects.filter(owner=conversation.owner).count(),
        ) == (1, 1)
        assert file.messages.count() == 0


def test_a_new_conversation_may_be_begun_with_two(client: Client, user: User) -> None:
    client.force_login(user)
    form = {"message": QUESTION, "model": FIRST, "second": SECOND, "system": "Be brief."}
    answer = client.post("/conversations/", form)
    rows = {row.model: row for row in Conversation.objects.all()}
    assert answer["Location"] == f"/conversations/{rows[FIRST].pk}/beside/{rows[SECOND].pk}/"
    ended(*rows.values())
    assert [row.system for row in rows.values()] == ["Be brief."] * 2


def test_the_button_is_there_where_more_than_one_model_is_offered(
    client: Client, conversation: Conversation, settings: Settings
) -> None:
    for address in ("/", f"/conversations/{conversation.pk}/"):
        settings.GATEWAY_MODELS = [FIRST, SECOND]
        assert ">Ask two</button>" in html_of(client, address)
        settings.GATEWAY_MODELS = [FIRST]
        assert "Ask two" not in html_of(client, address)


def test_somebody_elses_conversation_stands_beside_nothing(
    client: Client, conversation: Conversation, other_user: User
) -> None:
    theirs = conversation_of(other_user)
    for pair in ((conversation, theirs), (theirs, conversation)):
        assert client.get(f"/conversations/{pair[0].pk}/beside/{pair[1].pk}/").status_code == 404
    assert ask_two(client, theirs).status_code == 404
