"""Presets of instructions: kept, chosen, changed and deleted by their user alone."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Preset
from tests.pages import html_of
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}
HOSTILE = "</textarea><script>alert(1)</script>&amp;\"'"


@pytest.fixture
def preset(user: User) -> Preset:
    return Preset.objects.create(user=user, name="Brief & kind", text="Be brief.")


def keep(client: Client, name: str, text: str) -> tuple[int, dict[str, str]]:
    """What the panel of a conversation asks for."""
    answer = client.post("/settings/presets/", {"preset-name": name, "preset-text": text}, headers=JSON)
    return answer.status_code, answer.json()


def presets_of(user: User) -> dict[str, str]:
    return dict(user.presets.values_list("name", "text"))


def test_instructions_are_kept_and_offered_in_every_conversation(client: Client, user: User) -> None:
    status, body = keep(client, "  Brief &\nkind ", "Be brief.\r\nAnd kind.")
    row = Preset.objects.get()
    assert (status, body) == (201, {"id": row.pk, "name": row.name})
    page = html_of(client, f"/conversations/{conversation_of(user).pk}/")
    assert f'<option value="{row.pk}">' in page
    assert "Be brief." not in page
    answer = client.get("/settings/presets/", {"id": row.pk}, headers=JSON)
    assert answer.json() == {"text": "Be brief.\nAnd kind."}


def test_what_cannot_be_kept_is_refused_in_words(client: Client, user: User, preset: Preset) -> None:
    status, body = keep(client, preset.name, "x")
    assert (status, "a preset with this name" in body["fault"]) == (400, True)
    assert keep(client, "blank", " ")[0] == 400
    assert "100,000" in keep(client, "long", "x" * 100_001)[1]["fault"]
    Preset.objects.bulk_create(Preset(user=user, name=str(n), text="x") for n in range(99))
    assert keep(client, "one more", "x") == (
        400,
        {"fault": "You have 100 presets already. Delete one first."},
    )
    assert user.presets.count() == 100


def test_a_preset_is_added_changed_and_deleted_under_the_settings(client: Client, user: User) -> None:
    assert (
        client.post("/settings/presets/", {"preset-name": "a", "preset-text": HOSTILE})["Location"]
        == "/settings/presets/"
    )
    assert HOSTILE not in html_of(client, "/settings/presets/")
    row = Preset.objects.get()
    form = {f"preset-{row.pk}-name": "b", f"preset-{row.pk}-text": "Be long."}
    assert client.post(f"/settings/presets/{row.pk}/", form).status_code == 302
    assert presets_of(user) == {"b": "Be long."}
    answer = client.post(f"/settings/presets/{row.pk}/", form | {f"preset-{row.pk}-text": ""})
    assert (answer.status_code, 'value="b"' in answer.content.decode()) == (400, True)
    client.post(f"/settings/presets/{row.pk}/", {"delete": ""})
    assert presets_of(user) == {}


def test_what_is_anothers_is_not_there(client: Client, other_user: User, preset: Preset) -> None:
    client.force_login(other_user)
    where = f"/settings/presets/{preset.pk}/"
    assert client.post(where, {"delete": ""}).status_code == 404
    for key in (str(preset.pk), "x", "9" * 30):
        assert "Be brief." not in client.get("/settings/presets/", {"id": key}, headers=JSON).content.decode()
    assert "Brief" not in html_of(client, f"/conversations/{conversation_of(other_user).pk}/")
