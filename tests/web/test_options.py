"""The settings of a conversation: read, changed, and refused in words."""

import json
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from conversations.models import Conversation, Model, Preset
from conversations.tools import registry, tool
from tests.pages import html_of
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db
CLAUDE = "us.anthropic.claude-sonnet-4-20250514-v1:0"
ABOUT_CLAUDE = (
    "Tools, pictures, documents, reasoning. 200,000 tokens of context. "
    "A million tokens cost 3.00 USD in, 15.00 USD out."
)
JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def models(settings: Settings) -> None:
    settings.GATEWAY_MODELS = ["cohere.command-r-v1:0", CLAUDE, "amazon.titan-text-lite-v1"]
    settings.GATEWAY_PRICES = {CLAUDE: {"input": Decimal(3), "output": Decimal(15)}}


@pytest.fixture
def claude(user: User) -> Conversation:
    return conversation_of(user, model=CLAUDE)


def path_of(conversation: Conversation) -> str:
    return f"/conversations/{conversation.pk}/settings/"


def changed(client: Client, conversation: Conversation, **fields: str) -> dict[str, Any]:
    """The columns after a change that is taken."""
    answer = client.post(path_of(conversation), fields, headers=JSON)
    assert (answer.status_code, answer.json()["faults"]) == (200, {})
    conversation.refresh_from_db()
    return conversation.model_settings()


def faults(client: Client, conversation: Conversation, **fields: str) -> dict[str, str]:
    """What cannot be of a change, which leaves all as it was."""
    before = Conversation.objects.get(pk=conversation.pk).model_settings()
    answer = client.post(path_of(conversation), fields, headers=JSON)
    assert answer.status_code == 400
    assert Conversation.objects.get(pk=conversation.pk).model_settings() == before
    sentences: dict[str, str] = answer.json()["faults"]
    return sentences


def test_what_is_sent_is_changed_and_all_else_stays(client: Client, conversation: Conversation) -> None:
    changed(client, conversation, system="Be\r\nbrief.", temperature="0.3", topP="1", maxTokens="99")
    changed(client, conversation, stopSequences="END\r\n \r\nSTOP ", model=CLAUDE)
    in_force = changed(client, conversation, temperature=" ")
    assert in_force == {
        "model": CLAUDE,
        "system": "Be\nbrief.",
        "inference": {"topP": 1.0, "maxTokens": 99, "stopSequences": ["END", "STOP "]},
        "tools_off": [],
        "reasoning_budget": None,
    }


def test_a_tool_is_switched_off_and_on_and_one_that_is_gone_stays_off(client: Client, user: User) -> None:
    conversation = conversation_of(user, tools_off=["gone"])
    off = changed(client, conversation, **{"tool-top_song": "off", "tool-nonsense": "off"})
    assert off["tools_off"] == ["gone", "top_song"]
    assert changed(client, conversation, **{"tool-top_song": "on"})["tools_off"] == ["gone"]


def test_reasoning_is_switched_on_with_a_budget_and_off(client: Client, claude: Conversation) -> None:
    assert changed(client, claude, reasoning="off", budget="")["reasoning_budget"] is None
    assert changed(client, claude, reasoning="on", budget="")["reasoning_budget"] == 2048
    assert changed(client, claude, budget="1500")["reasoning_budget"] == 1500
    assert changed(client, claude, reasoning="off")["reasoning_budget"] == 0


FAULTS: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"temperature": "1.1"}, {"temperature": "This is a number from 0 to 1."}),
    ({"temperature": "warm", "topP": "-1"}, {"temperature": "This is a number from 0 to 1.", "topP": "This is a number from 0 to 1."}),
    ({"maxTokens": "0", "system": "kept"}, {"maxTokens": "This is a whole number from 1 to 64,000."}),
    ({"model": "another"}, {"model": "This model is not offered. Choose one of the list."}),
    ({"reasoning": "on", "budget": "5000"}, {"budget": "This is a whole number from 1,024 to 4,095."}),
    ({"system": "x" * 100_001}, {"system": "Instructions have 100,000 characters at most."}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "sentences"), FAULTS)
def test_what_the_model_does_not_take_is_refused_in_words(
    client: Client, claude: Conversation, fields: dict[str, str], sentences: dict[str, str]
) -> None:
    assert faults(client, claude, **fields) == sentences


def test_bounds_are_the_catalogues(client: Client, conversation: Conversation) -> None:
    Model.objects.create(model_id=conversation.model, most_temperature=2, most_output_tokens=500)
    assert changed(client, conversation, temperature="1.5")["inference"] == {"temperature": 1.5}
    assert "2." in faults(client, conversation, temperature="2.5")["temperature"]
    assert "500." in faults(client, conversation, maxTokens="501")["maxTokens"]


def test_without_script_it_is_a_page_that_leads_back_and_loses_nothing(
    client: Client, conversation: Conversation
) -> None:
    answer = client.post(path_of(conversation), {"temperature": "7", "system": "<b>Be brief.</b>"})
    page = unescape(answer.content.decode())
    assert (answer.status_code, "This is a number from 0 to 1." in page) == (400, True)
    assert re.search(r'name="temperature"[^>]* value="7"[^>]* aria-invalid="true"', page)
    assert "<b>Be brief.</b></textarea>" in page
    form = {"temperature": "0.7", "system": "Be brief.", "reasoning": "off", "tool-top_song": "off"}
    assert client.post(path_of(conversation), form)["Location"] == f"/conversations/{conversation.pk}/"
    conversation.refresh_from_db()
    assert (conversation.inference, conversation.reasoning_budget) == ({"temperature": 0.7}, None)
    page = client.get(path_of(conversation)).content.decode()
    assert 'value="0.7"' in page
    assert not re.search(r'type="checkbox" name="tool-top_song" value="on" checked', page)


def test_the_page_of_a_conversation_says_what_each_model_takes_and_costs(
    client: Client, conversation: Conversation
) -> None:
    Model.objects.create(model_id=CLAUDE, name="Claude")
    page = client.get(f"/conversations/{conversation.pk}/").content.decode()
    assert f'<option value="{CLAUDE}">Claude</option>' in page
    facts = json.loads(unescape(re.findall(r'data-facts="([^"]*)"', page)[0]))
    assert facts[CLAUDE] == {"about": ABOUT_CLAUDE, "lacks": [], "highest": 1}
    assert facts["amazon.titan-text-lite-v1"]["lacks"] == ["tools", "reasoning"]
    assert facts["amazon.titan-text-lite-v1"]["about"].startswith("Documents. No tools or pictures.")


def test_a_model_that_is_not_offered_any_more_stays_until_another_is_chosen(
    client: Client, user: User
) -> None:
    conversation = conversation_of(user, model="gone.model")
    page = client.get(path_of(conversation)).content.decode()
    assert re.search(r'<option value="gone.model"[^>]* selected>gone.model \(not offered any more\)', page)
    assert changed(client, conversation, model="gone.model", topP="0.5")["inference"] == {"topP": 0.5}


def test_each_tool_is_a_box_with_what_it_does(client: Client, conversation: Conversation) -> None:
    with registry.override():

        @tool
        def weigh() -> str:
            """Weigh <it>."""
            return ""

        page = client.get(path_of(conversation)).content.decode()
    assert re.search(r'type="checkbox" name="tool-weigh" value="on" checked[^>]*>weigh</label>', page)
    assert "Weigh &lt;it&gt;." in page


def test_odd_settings_of_an_import_break_no_page(client: Client, user: User) -> None:
    inference = {"temperature": "x", "maxTokens": "many", "stopSequences": [1]}
    conversation = conversation_of(user, inference=inference)
    assert 'value="many"' in client.get(path_of(conversation)).content.decode()


def test_scripts_read_what_is_in_force(client: Client, user: User) -> None:
    conversation = conversation_of(user, inference={"temperature": 0.3}, tools_off=["top_song"])
    settings = json.loads(client.get(path_of(conversation), headers=JSON).content)["settings"]
    expected = {
        "name": conversation.model,
        "temperature": "0.3",
        "topP": "",
        "tool-top_song": "off",
        "reasoning": "off",
    }
    assert expected.items() <= settings.items()


def test_a_new_conversation_begins_with_the_settings_of_its_form(client: Client) -> None:
    form = {
        "model": CLAUDE,
        "system": "Be brief.",
        "temperature": "0.3",
        "reasoning": "on",
        "tool-top_song": "off",
    }
    client.post("/conversations/", form | {"budget": ""})
    assert Conversation.objects.get().model_settings() == {
        "model": CLAUDE,
        "system": "Be brief.",
        "inference": {"temperature": 0.3},
        "tools_off": ["top_song"],
        "reasoning_budget": 2048,
    }


def test_a_new_conversation_with_a_setting_that_cannot_be_is_refused_and_loses_nothing(
    client: Client,
) -> None:
    answer = client.post("/conversations/", {"message": "hello", "temperature": "7", "tool-top_song": "off"})
    page = answer.content.decode()
    assert (answer.status_code, "Temperature: This is a number from 0 to 1." in page) == (400, True)
    assert re.search(r'name="temperature"[^>]* value="7"', page)
    assert not re.search(r'name="tool-top_song" value="on" checked', page)
    assert not Conversation.objects.exists()


def test_a_new_conversation_has_presets_and_stop_sequences_too(
    client: Client, user: User, other_user: User
) -> None:
    client.force_login(user)
    Preset.objects.create(user=user, name="Poet", text="Answer in rhymes.")
    Preset.objects.create(user=other_user, name="Spy", text="Whisper.")
    page = html_of(client, "/")
    assert (">Poet</option>" in page, "Spy" in page) == (True, False)
    assert 'name="stopSequences"' in page
    client.post("/conversations/", {"model": CLAUDE, "stopSequences": "END\r\nSTOP"})
    assert Conversation.objects.get(owner=user).inference == {"stopSequences": ["END", "STOP"]}
