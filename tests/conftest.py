"""Fixtures of every test: a database in a file, two users, a conversation, a gateway that behaves."""

import functools
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import create_loader
from django.conf import settings as site
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.test import TransactionTestCase, override_settings
from hypothesis import settings as examples
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings
from whitenoise.middleware import WhiteNoiseMiddleware

from conversations import demo_gateway as demo
from conversations import engine
from conversations.models import Conversation, forget_rows
from conversations.tools import registry
from tests.turns import conversation_of

examples.register_profile("turntable", deadline=None)  # a busy machine is no failure
if not examples.get_current_profile_name().startswith("ci"):
    examples.load_profile("turntable")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Puts an SQLite test database into a file.

    One in memory cannot be shared by threads as the real one is. On PostgreSQL each process of the tests has a database of its own.
    """
    database = connections.databases["default"]
    if "sqlite" in database["ENGINE"]:
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
        database["OPTIONS"]["init_command"] += "; PRAGMA synchronous=OFF"  # no test cuts the power


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Ends the connections that threads keep before the test database goes."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session", autouse=True)
def fast_passwords() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def attachments_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests' attached files are."""
    folder: Path = tmp_path_factory.mktemp("attachments")
    site.STORAGES["attachments"]["OPTIONS"]["location"] = folder
    return folder


KEPT = {"auth_permission", "django_content_type", "django_migrations"}
"""Tables whose rows are written by `migrate` and by no test."""


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Deletes a test's rows where Django truncates every table and then writes all permissions anew."""

    @functools.cache
    def deletions() -> list[str]:
        """What empties every table: on PostgreSQL in one journey."""
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        names = [connection.ops.quote_name(table) for table in sorted(set(tables) - KEPT)]
        every = [f"DELETE FROM {name}" for name in names]  # noqa: S608 (Django's names)
        return ["; ".join(every)] if connection.vendor == "postgresql" else every

    def delete_rows(case: TransactionTestCase) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in deletions():
                cursor.cursor.execute(statement)  # without a log of it, which takes longer than the statement

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", delete_rows)
        yield


@pytest.fixture(scope="session", autouse=True)
def services_read_once() -> Iterator[None]:
    """Lets botocore read its files once: each gateway's address makes a session of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", functools.cache(create_loader))
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_listed_once() -> Iterator[None]:
    """Lets the clients of all tests share one list of the apps' static files."""
    listed: dict[str, dict[str, Any]] = {}
    list_files = WhiteNoiseMiddleware.add_files_from_finders

    def share_files(middleware: WhiteNoiseMiddleware) -> None:
        if middleware.static_prefix not in listed:
            others, middleware.files = middleware.files, {}
            list_files(middleware)
            listed[middleware.static_prefix], middleware.files = middleware.files, others
        middleware.files |= listed[middleware.static_prefix]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", share_files)
        yield


@pytest.fixture(autouse=True)
def unread_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets the catalogue's rows of earlier tests. A test reads them once, as statements are counted."""
    monkeypatch.setattr("conversations.models.catalogue.FRESH_SECONDS", 86_400)
    forget_rows()


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("jennifer", password="flycatcher")


@pytest.fixture
def other_user(db: None) -> User:
    return User.objects.create_user("herbert", password="turkeys-away")


@pytest.fixture
def conversation(user: User) -> Conversation:
    return conversation_of(user)


@pytest.fixture
def no_other_tools() -> Iterator[None]:
    """A registry without tools, for those that the test declares."""
    with registry.override():
        yield


@pytest.fixture
def no_limits(settings: Settings) -> None:
    """Lets users begin as many turns as they like."""
    settings.USER_TURNS_AT_ONCE = settings.USER_TURNS_PER_MINUTE = 0


@pytest.fixture(scope="session")
def demo_gateway() -> Iterator[demo.DemoGateway]:
    """The embedded gateway, which sends an answer at once."""
    gateway = demo.start(pace=0)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(demo_gateway: demo.DemoGateway) -> Iterator[demo.DemoGateway]:
    """The embedded gateway as GATEWAY_URL. A turn ends before the test's tables are emptied."""
    with override_settings(GATEWAY_URL=demo_gateway.url):
        yield demo_gateway
        engine.WORKER.wait(5)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the kills, which take longest: at the end one process would be left alone with them."""
    items.sort(key=lambda item: "crash" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Spares the collections of garbage a walk through all modules and tests, and makes them seldom."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
