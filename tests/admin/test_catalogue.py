"""The catalogue of models in the admin: staff edit what holds, and see what was learned."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.fixtures import Settings

from conversations.models import FACTS, PRICE_COLUMNS, Model, learn
from tests.pages import address_of, html_of, list_address, rows_in_list

pytestmark = pytest.mark.django_db
LABELS = ("Name", "Enabled", "Takes tools", "Takes pictures", "Takes documents", "Most output tokens")
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
PRICES = {kind: Decimal("0.25") for kind in PRICE_COLUMNS}
HOSTILE = "<script>alert('turntable')</script>"


@pytest.fixture(autouse=True)
def two_models(settings: Settings) -> None:
    settings.GATEWAY_MODELS, settings.GATEWAY_PRICES = ["one", CLAUDE], {CLAUDE: PRICES}


@pytest.fixture
def claude(operator: Client) -> Model:
    html_of(operator, list_address(Model))
    return row_of(CLAUDE)


def row_of(model_id: str) -> Model:
    return Model.objects.get(model_id=model_id)


def filled_in(client: Client, row: Model) -> dict[str, Any]:
    """The form of the row's page, as a browser would send it back."""
    form = client.get(address_of(row)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {
        name: "on" if value is True else value for name, value in values.items() if value not in (None, False)
    }


def save(client: Client, row: Model, **changes: Any) -> None:
    """Saves the row's page with these values; None empties a field or unticks a box."""
    form = filled_in(client, row) | changes
    sent = {name: value for name, value in form.items() if value is not None}
    assert client.post(address_of(row), sent).status_code == 302


def edits(row: Model) -> dict[str, Any]:
    row.refresh_from_db()
    columns = ("name", "position", *FACTS, *PRICE_COLUMNS.values())
    return {name: getattr(row, name) for name in columns if getattr(row, name) not in (None, "")}


def test_each_model_of_the_settings_is_listed_in_their_order(operator: Client, settings: Settings) -> None:
    assert [row.model_id for row in rows_in_list(operator, Model)] == ["one", CLAUDE]
    settings.GATEWAY_MODELS = [CLAUDE, "new"]
    assert [row.model_id for row in rows_in_list(operator, Model)] == [CLAUDE, "new", "one"]
    assert list_address(Model) == "/admin/conversations/model/"


def test_order_and_enabled_are_edited_in_the_list(operator: Client, claude: Model) -> None:
    one = row_of("one")
    form = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save"}
    form |= {
        "form-0-id": one.pk,
        "form-0-position": "",
        "form-1-id": claude.pk,
        "form-1-position": 1,
        "form-1-enabled": "on",
    }
    assert operator.post(list_address(Model), form).status_code == 302
    assert [row.model_id for row in Model.offered()] == [CLAUDE]
    assert row_of(CLAUDE).position == 1


def test_the_form_s_fields_have_labels_of_which_none_is_a_part_of_another(
    operator: Client, claude: Model
) -> None:
    html = html_of(operator, address_of(claude))
    labels = [unescape(label).strip() for label in re.findall(r"<label[^>]*>([^<]+)</label>", html)]
    for label in LABELS:
        assert [other for other in labels if label.lower() in other.lower()] == [label]


def test_the_form_shows_what_holds_and_saving_it_untouched_edits_nothing(
    operator: Client, claude: Model
) -> None:
    learn(CLAUDE, takes_pictures=False)
    form = filled_in(operator, claude)
    assert (form["most_output_tokens"], form["input_price"]) == (4_096, Decimal("0.25"))
    assert ("takes_tools" in form, "takes_temperature" in form, "takes_pictures" in form) == (
        True,
        True,
        False,
    )
    save(operator, claude)
    assert edits(claude) == {}
    assert list(row_of(CLAUDE).learned) == ["takes_pictures"]


def test_a_change_becomes_an_edit_in_the_place_of_what_was_learned(operator: Client, claude: Model) -> None:
    learn(CLAUDE, takes_pictures=False, most_output_tokens=1_500, takes_system=False)
    save(
        operator,
        claude,
        name="Haiku",
        takes_pictures="on",
        takes_tools=None,
        most_output_tokens=2_000,
        output_price=0,
    )
    assert edits(claude) == {
        "name": "Haiku", "takes_pictures": True, "takes_tools": False, "most_output_tokens": 2_000, "output_price": 0,
    }  # fmt: skip
    assert list(claude.learned) == ["takes_system"]
    holds = Model.of(CLAUDE)
    assert (holds.capabilities.takes_pictures, holds.capabilities.most_output_tokens) == (True, 2_000)
    assert (str(holds), holds.prices) == ("Haiku", PRICES | {"output": 0})


def test_an_edit_that_is_emptied_leaves_what_the_id_says(operator: Client, claude: Model) -> None:
    save(operator, claude, most_output_tokens=2_000, input_price=1)
    save(operator, row_of(CLAUDE), most_output_tokens=None, input_price=None)
    assert edits(claude) == {}
    assert Model.of(CLAUDE).capabilities.most_output_tokens == 4_096


def test_what_was_learned_is_shown_with_its_time_and_the_refusal_s_words(
    operator: Client, claude: Model
) -> None:
    learn(CLAUDE, HOSTILE, takes_pictures=False, most_output_tokens=1_500)
    for html in (html_of(operator, list_address(Model)), html_of(operator, address_of(claude))):
        (pictures,) = re.findall(r"<li>(Takes pictures: no, on [^<]+)</li>", html)
        assert re.search(r"on \d{4}-\d\d-\d\d \d\d:\d\d UTC: &lt;script&gt;", pictures)
        assert "<li>Most output tokens: 1500, on " in html
        assert HOSTILE not in html


def test_what_was_learned_can_be_forgotten(operator: Client, claude: Model) -> None:
    learn(CLAUDE, takes_pictures=False)
    save(operator, claude, takes_documents=None)
    form = {"action": "forget_learned", "_selected_action": [claude.pk]}
    assert "Forgot what was learned" in operator.post(list_address(Model), form, follow=True).content.decode()
    assert (row_of(CLAUDE).learned, Model.of(CLAUDE).capabilities.takes_pictures) == ({}, True)
    assert edits(claude) == {"takes_documents": False}


def test_who_may_only_look_can_change_nothing(claude: Model, client: Client) -> None:
    learn(CLAUDE, takes_pictures=False)
    reader = User.objects.create_user("venus", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_model"))
    client.force_login(reader)
    assert '<input type="submit"' not in html_of(client, address_of(claude))
    assert client.post(address_of(claude), {"name": "Mine"}).status_code == 403
    client.post(list_address(Model), {"action": "forget_learned", "_selected_action": [claude.pk]})
    assert (row_of(CLAUDE).name, list(row_of(CLAUDE).learned)) == ("", ["takes_pictures"])


def test_who_may_not_look_sees_nothing(claude: Model, client: Client) -> None:
    client.force_login(User.objects.create_user("andy", is_staff=True))
    assert client.get(list_address(Model)).status_code == client.get(address_of(claude)).status_code == 403
