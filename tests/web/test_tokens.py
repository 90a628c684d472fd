"""API tokens: made under the settings or by a command, shown once, and ended in either place."""

import io
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from conversations.models import ApiToken

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r"tt_[\w-]{43}")


def test_a_token_is_shown_once_and_only_its_digest_is_kept(client: Client, user: User) -> None:
    page = client.post("/settings/tokens/", {"name": "reports", "scope": ["read", "run"]})
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    [token] = set(TOKEN.findall(page.content.decode()))
    row = ApiToken.objects.get()
    assert (row.user, row.name, row.scopes) == (user, "reports", "read run")
    assert ApiToken.authenticate(token) == row
    assert token not in str(ApiToken.objects.values())
    later = client.get("/settings/").content.decode()
    assert "Read conversations · Start and stop runs" in later
    assert "last used" in later
    assert token not in later


def test_a_token_is_revoked_and_stays_on_record(client: Client, user: User) -> None:
    row, token = ApiToken.issue(user, "reports")
    client.post(f"/settings/tokens/{row.pk}/revoke/")
    assert ApiToken.authenticate(token) is None
    assert ApiToken.objects.get().revoked_at is not None
    assert "Revoke the token" not in client.get("/settings/").content.decode()


@pytest.mark.parametrize("form", [{"name": "x"}, {"name": "x", "scope": "everything"}])
def test_a_token_for_nothing_is_not_made(client: Client, form: dict[str, str]) -> None:
    page = client.post("/settings/tokens/", form)
    assert page.status_code == 400
    assert "Choose what the token may be used for." in page.content.decode()
    assert not ApiToken.objects.exists()


def test_there_is_an_end_to_tokens(client: Client, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.web.preferences.TOKENS", 1)
    ApiToken.issue(user, "reports")
    assert client.post("/settings/tokens/", {"name": "x", "scope": "read"}).status_code == 400
    assert ApiToken.objects.count() == 1


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("token", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_prints_a_token_as_its_last_word_and_ends_those_of_a_name(user: User) -> None:
    first = run("jennifer", "--name", "night shift").split()[-1]
    other = run("jennifer").split()[-1]
    assert {ApiToken.authenticate(first), ApiToken.authenticate(other)} == set(user.api_tokens.all())
    assert run("jennifer", "--name", "night shift", "--revoke") == (
        "Revoked: 1 API token named night shift of jennifer.\n"
    )
    assert ApiToken.authenticate(first) is None
    assert ApiToken.authenticate(other) is not None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nobody"], "no user is called nobody"),
        (["jennifer", "--revoke"], "jennifer has no API token named token"),
    ],
)
def test_the_command_says_what_cannot_be(user: User, arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        run(*arguments)
