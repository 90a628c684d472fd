"""The models that people can choose: those enabled of the setting, in order, by their names."""

import json
import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine.settings import NOT_OFFERED
from conversations.errors import Refused
from conversations.models import Conversation, Model
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_models(settings: Settings, client: Client, user: User) -> None:
    settings.GATEWAY_MODELS = ["one", "two", "three"]
    Model.objects.create(model_id="one", enabled=False)
    Model.objects.create(model_id="three", position=1, name="<Third> & best")
    client.force_login(user)


def options(client: Client, path: str) -> list[str]:
    return re.findall(r"<option[^>]*>[^<]+</option>", client.get(path).content.decode())


NAMED = '<option value="three">&lt;Third&gt; &amp; best</option>'


def test_a_new_conversation_chooses_among_them(client: Client) -> None:
    assert options(client, "/") == [NAMED, "<option>two</option>"]


def test_a_conversation_is_asked_again_by_one_of_them(client: Client, user: User) -> None:
    conversation = conversation_of(user)
    choices = options(client, f"/conversations/{conversation.pk}/again/")
    assert [choice for choice in choices if "two" in choice or "three" in choice] == [
        NAMED,
        "<option>two</option>",
    ]


def test_an_answer_is_regenerated_by_one_of_them(client: Client, user: User) -> None:
    context = client.get(f"/conversations/{conversation_of(user).pk}/").context
    assert (json.loads(context["models"]), json.loads(context["names"])) == (
        ["three", "two"],
        {"three": "<Third> & best"},
    )


def test_the_first_of_them_is_the_default(client: Client) -> None:
    client.post("/conversations/", {})
    assert Conversation.objects.get().model == "three"


@pytest.mark.parametrize("model", ["one", "four"])
def test_no_other_can_be_chosen(client: Client, user: User, model: str) -> None:
    answer = client.post("/conversations/", {"model": model})
    assert (answer.status_code, NOT_OFFERED in answer.content.decode()) == (400, True)
    conversation = conversation_of(user)
    assert client.post(f"/conversations/{conversation.pk}/again/", {"model": model}).status_code == 400
    with pytest.raises(Refused, match="not offered"):
        engine.regenerate(conversation, str(uuid.uuid4()), model=model)


def test_where_none_is_enabled_none_begins_a_conversation(client: Client) -> None:
    for model_id in ("two", "three"):
        Model.objects.update_or_create(model_id=model_id, defaults={"enabled": False})
    assert client.post("/conversations/", {}).status_code == 400
    assert not Conversation.objects.exists()


def test_a_conversation_shows_its_model_by_name(client: Client, user: User) -> None:
    conversation = conversation_of(user, model="three")
    assert "&lt;Third&gt; &amp; best" in client.get(f"/conversations/{conversation.pk}/").content.decode()
