"""Imports what commands import, before there is a site: for the nursery's own process alone."""

import gc
import importlib
import os
import pkgutil
from importlib.util import find_spec
from typing import Any, ClassVar, NoReturn
from unittest.mock import patch

from django.apps import AppConfig, apps
from django.conf import global_settings, settings
from django.db import connections
from django.utils.functional import empty

APPS = (
    *(f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")),
    "axes", "channels", "csp", "conversations",
)  # fmt: skip

MODULES = (
    "autobahn.twisted.websocket", "channels.auth", "channels.routing", "conversations.admin", "conversations.checks",
    "conversations.demo_gateway", "conversations.management.commands.ask", "conversations.management.commands.chat",
    "conversations.mcp", "conversations.routing", "conversations.urls",
    "csp.middleware", "daphne.http_protocol", "daphne.utils", "daphne.ws_protocol", "dj_database_url",
    "django.contrib.auth.admin", "django.contrib.auth.backends", "django.contrib.auth.middleware",
    "django.contrib.messages.middleware", "django.contrib.sessions.backends.db", "django.contrib.sessions.middleware",
    "django.contrib.staticfiles.storage", "django.core.asgi", "django.core.cache.backends.locmem",
    "django.core.management.commands.migrate", "django.db.backends.sqlite3.base", "django.db.migrations.executor",
    "django.middleware.clickjacking", "django.middleware.common", "django.middleware.csrf", "django.middleware.security",
    "django.views.defaults", "httptools", "psycopg", "pydantic_settings", "twisted.internet.posixbase", "twisted.internet.tcp",
    "twisted.trial.itrial", "twisted.web.http", "unittest", "uvloop", "whitenoise.middleware",
)  # fmt: skip
"""What can be imported without a site's settings and without an event loop."""

PACKAGES = ("migrations", "templatetags")
"""Packages of the apps whose modules are imported, all of them."""


class Same:
    """The settings that models are made by, as every site has them.

    To read or to set another one while modules are imported is an error: each site has its own.
    """

    __slots__ = ()
    ABSOLUTE_URL_OVERRIDES: ClassVar[dict[str, Any]] = {}
    AUTH_USER_MODEL = global_settings.AUTH_USER_MODEL
    DATABASES: ClassVar[dict[str, Any]] = {}
    DEBUG = False
    DEFAULT_AUTO_FIELD = global_settings.DEFAULT_AUTO_FIELD
    DEFAULT_INDEX_TABLESPACE = DEFAULT_TABLESPACE = ""
    LANGUAGE_CODE = global_settings.LANGUAGE_CODE
    LOCALE_PATHS = ()
    USE_I18N = True


def import_everything() -> None:
    """Imports the apps' models and the modules, and leaves Django as if it had not been set up."""
    settings._wrapped = Same()
    for entry in APPS:
        app = AppConfig.create(entry)
        app.apps, apps.app_configs[app.label] = apps, app
    apps.apps_ready = True
    for app in apps.get_app_configs():
        app.import_models()
    apps.models_ready = apps.ready = True
    with patch.object(os, "urandom", _refuse_chance):
        for module in (*MODULES, *_modules_of_packages()):
            importlib.import_module(module)
    _forget_site()


def _refuse_chance(size: int) -> NoReturn:
    raise RuntimeError("what a process draws for itself would be the same in all commands")


def _modules_of_packages() -> list[str]:
    packages = [f"{app.name}.{package}" for app in apps.get_app_configs() for package in PACKAGES]
    paths = {name: importlib.import_module(name).__path__ for name in packages if find_spec(name)}
    return [module.name for name, path in paths.items() for module in pkgutil.iter_modules(path, f"{name}.")]


def _forget_site() -> None:
    apps.apps_ready = apps.models_ready = apps.ready = False
    apps.app_configs.clear()
    apps.clear_cache()
    del connections["default"], connections.settings
    connections._settings = None  # type: ignore[attr-defined]  # Django's own, which its types leave out
    settings._wrapped = empty
    gc.freeze()  # no collection of a child touches the pages of what is here


import_everything()
