"""The databases on which servers are killed: SQLite, and PostgreSQL with and without Valkey."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench import services
from tests.servers import manage, migrated, site

POOL = 5
"""Connections of each server: there are up to three at a time, and 20 in all."""

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, str]]:
    """The URLs of a PostgreSQL and a Valkey."""
    with ExitStack() as stack:
        try:
            postgres = stack.enter_context(services.postgres())
            valkey = stack.enter_context(services.valkey())
        except services.Missing as missing:
            pytest.skip(str(missing))
        yield {"DATABASE_URL": postgres, "REDIS_URL": valkey}


@pytest.fixture(scope="session")
def template(servers: dict[str, str]) -> str:
    """The name of a PostgreSQL database with all tables and no rows, of which others are copies."""
    url = _database(servers, "migrated")
    done = manage(site(Path(), DATABASE_URL=url), "migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return "migrated"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables of a site with a database that has tables and no rows."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture(params=["looking", "listening", "layer"])
def joined(request: pytest.FixtureRequest) -> dict[str, str]:
    """The same, for each way in which processes hear of one another.

    They look at SQLite, listen to PostgreSQL, or have a layer.
    """
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture
def sqlite(tmp_path: Path) -> dict[str, str]:
    """An SQLite file."""
    return {"DATABASE_URL": migrated(site(tmp_path))["DATABASE_URL"]}


@pytest.fixture
def postgres(servers: dict[str, str], template: str) -> dict[str, str]:
    """A database of PostgreSQL, and Valkey between processes."""
    url = _database(servers, f"crash_{next(_numbers)}", f" TEMPLATE {template}")
    return servers | {"DATABASE_URL": f"{url}?pool={POOL}"}


@pytest.fixture
def looking(sqlite: dict[str, str]) -> dict[str, str]:
    """Processes look at SQLite."""
    return sqlite


@pytest.fixture
def listening(postgres: dict[str, str]) -> dict[str, str]:
    """Processes listen to PostgreSQL."""
    return postgres | {"REDIS_URL": ""}


@pytest.fixture
def layer(postgres: dict[str, str]) -> dict[str, str]:
    """Processes have Valkey between them."""
    return postgres


def _database(servers: dict[str, Any], name: str, options: str = "") -> str:
    with psycopg.connect(servers["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{options}".encode())
    return f"{servers['DATABASE_URL'].rpartition('/')[0]}/{name}"
