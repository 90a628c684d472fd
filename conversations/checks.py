"""System checks of a site, for `manage.py check`: what it lacks to run the app, each with an id."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist
from django.db import connections
from django.shortcuts import resolve_url
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse

from conversations.conf import DEFAULTS
from conversations.tools import registry

NEEDED = {
    "django.contrib.sessions.middleware.SessionMiddleware": "sessions",
    "django.contrib.auth.middleware.AuthenticationMiddleware": "signed-in users",
    "django.contrib.messages.middleware.MessageMiddleware": "messages",
    "django.middleware.csrf.CsrfViewMiddleware": "protection of forms",
}


def check_site(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """Everything that the site lacks. Errors (`E`) break the pages, warnings (`W`) do not."""
    return [*_servers(), *_parts(), *_addresses(), *_users(), *_settings(), *_tools()]


def _servers() -> Iterator[CheckMessage]:
    if not getattr(settings, "ASGI_APPLICATION", None):
        yield Error(
            "ASGI_APPLICATION is not set: without websockets no answer is shown.",
            hint="Name an application that routes websockets to conversations.routing.websocket_urlpatterns.",
            id="conversations.E001",
        )
    if "channels" not in settings.INSTALLED_APPS:
        yield checks.Warning("'channels' is not in INSTALLED_APPS.", id="conversations.W001")


def _parts() -> Iterator[CheckMessage]:
    present = {_name_of(name) for name in settings.MIDDLEWARE}
    for name, purpose in NEEDED.items():
        if _name_of(name) not in present:
            yield Error(f"{name} is not in MIDDLEWARE: it is for {purpose}.", id="conversations.E002")
    if not any("Content" in name or "CSP" in name.upper() for name in present):
        yield checks.Warning(
            "No middleware sends a Content-Security-Policy.",
            hint="Answers of models are cleaned before they are shown; a policy is the second lock. Add csp.middleware.CSPMiddleware.",
            id="conversations.W002",
        )
    if "attachments" not in settings.STORAGES:
        yield Error(
            "STORAGES has no 'attachments': files that people attach have no place.",
            hint="Give it a folder that no address leads to.",
            id="conversations.E003",
        )
    yield from _databases()


def _databases() -> Iterator[CheckMessage]:
    database = connections["default"]
    is_deferred = database.settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE"
    if database.vendor == "sqlite" and is_deferred:
        yield checks.Warning(
            "SQLite without immediate transactions fails when two write at once.",
            hint='Set OPTIONS to {"transaction_mode": "IMMEDIATE", "timeout": 20} at least.',
            id="conversations.W003",
        )


def _name_of(path: str) -> str:
    return path.rpartition(".")[2]


def _addresses() -> Iterator[CheckMessage]:
    try:
        reverse("conversations:index")
    except NoReverseMatch:
        yield Error(
            "The app's addresses are not in ROOT_URLCONF.",
            hint='Add path("chat/", include("conversations.urls")).',
            id="conversations.E004",
        )
    try:
        resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        yield Error(f"LOGIN_URL is {settings.LOGIN_URL!r}, which is no address.", id="conversations.E005")


def _users() -> Iterator[CheckMessage]:
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        yield Error("The user model has no field is_active.", id="conversations.E006")


def _settings() -> Iterator[CheckMessage]:
    for name in sorted(set(getattr(settings, "TURNTABLE", {})) - set(DEFAULTS)):
        yield checks.Warning(
            f"TURNTABLE has {name!r}, which is no setting of the app.", id="conversations.W004"
        )


def _tools() -> Iterator[CheckMessage]:
    tools = [tool for name in registry.names() if (tool := registry.get(name)) and tool.card]
    for tool in tools:
        try:
            get_template(tool.card)
        except TemplateDoesNotExist:
            yield checks.Warning(
                f"The card of tool {tool.name!r} is {tool.card}, which is not there.", id="conversations.W005"
            )
