"""The system checks: each thing that a site lacks is told by its id, and our own lacks nothing."""

from typing import Any

import pytest
from django.conf import settings as site

from conversations.checks import check_site
from conversations.conf import DEFAULTS
from conversations.conf import settings as own
from conversations.tools import registry, tool
from project.environment import (
    AguiEnvironment,
    Environment,
    FileEnvironment,
    McpEnvironment,
    TitleEnvironment,
)


def ids() -> list[str]:
    return [message.id or "" for message in check_site()]


def without(names: list[str], *left_out: str) -> list[str]:
    return [name for name in names if not name.endswith(left_out)]


def test_our_own_site_lacks_nothing() -> None:
    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "identifier"),
    [
        ("ASGI_APPLICATION", None, "E001"),
        ("MIDDLEWARE", without(site.MIDDLEWARE, "SessionMiddleware"), "E002"),
        ("STORAGES", {}, "E003"),
        ("ROOT_URLCONF", "tests.project.no_addresses", "E004"),
        ("LOGIN_URL", "nowhere", "E005"),
        ("INSTALLED_APPS", without(site.INSTALLED_APPS, "channels"), "W001"),
        ("MIDDLEWARE", without(site.MIDDLEWARE, "ContentPolicy"), "W002"),
        ("TURNTABLE", {"MAX_TOKENS": 5, "MAX_TOKEN": 5}, "W004"),
    ],
)
def test_what_is_missing_is_told(settings: Any, name: str, value: Any, identifier: str) -> None:
    setattr(settings, name, value)
    assert f"conversations.{identifier}" in ids()


def test_sqlite_without_immediate_transactions_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection

    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "transaction_mode", "DEFERRED")
    assert ids() == ["conversations.W003"] * (connection.vendor == "sqlite")


def test_a_card_that_is_not_there_is_told() -> None:
    with registry.override():
        tool(name="song", card="nowhere.html")(lambda: None)
        assert ids() == ["conversations.W005"]


def test_a_sites_table_goes_before_its_settings_and_those_before_the_defaults(settings: Any) -> None:
    settings.MAX_ROUNDS = 3
    assert own.MAX_ROUNDS == 3
    settings.TURNTABLE = {"MAX_ROUNDS": 7}
    assert own.MAX_ROUNDS == 7
    del settings.TURNTABLE
    del settings.MAX_ROUNDS
    assert DEFAULTS["MAX_ROUNDS"] == own.MAX_ROUNDS


@pytest.mark.parametrize(
    "environment", [AguiEnvironment, Environment, FileEnvironment, McpEnvironment, TitleEnvironment]
)
def test_the_environments_defaults_are_the_apps(environment: Any) -> None:
    defaults = {name: field.default for name, field in environment.model_fields.items() if name in DEFAULTS}
    assert defaults
    assert defaults == {name: DEFAULTS[name] for name in defaults}
