"""The databases on which servers are killed: SQLite, and PostgreSQL with or without Valkey as the channel layer."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from bench import services

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


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables of a site with an empty database."""
    return {} if request.param == "sqlite" else _empty(request)


@pytest.fixture(params=["looking", "listening", "layer"])
def joined(request: pytest.FixtureRequest) -> dict[str, str]:
    """The same, for each way in which processes hear of one another: they look at SQLite, listen to PostgreSQL, or have a layer."""
    if request.param == "looking":
        return {}
    variables = _empty(request)
    return variables if request.param == "layer" else variables | {"REDIS_URL": ""}


def _empty(request: pytest.FixtureRequest) -> dict[str, str]:
    servers: dict[str, Any] = request.getfixturevalue("servers")
    name = f"crash_{next(_numbers)}"
    with psycopg.connect(servers["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return servers | {"DATABASE_URL": servers["DATABASE_URL"].rpartition("/")[0] + f"/{name}?pool={POOL}"}
