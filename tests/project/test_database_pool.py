"""Connections to PostgreSQL are few, tried before use, and never stuck for long.

`python -m bench.services` runs these tests with a real server.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.db import OperationalError, connection, connections

from conversations.management.timeouts import without_timeout
from conversations.threads import Threads
from project.database import CONNECTIONS
from tests.conditions import until
from tests.resources import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="speaks of a pool of PostgreSQL's connections"
    ),
]
THREADS = 30
RESERVED = 2
"""Connections beside the pool: the journal's and that of the leases."""

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
TIMEOUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture(autouse=True)
def free_connections(transactional_db: None) -> None:
    """Takes back the connection of the thread in which asynchronous tests have called the database."""
    SyncToAsync.single_thread_executor.submit(connections.close_all).result(10)


def row(sql: str) -> tuple[object, ...]:
    """The first row of a statement's answer."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        first: tuple[object, ...] = cursor.fetchone()
        return first


def in_threads(work: Callable[[], object]) -> list[object]:
    """The results of 30 threads that work at once and then give their connections back."""
    return at_once(*[work] * THREADS)


def test_30_threads_at_once_are_all_answered_by_the_pools_connections() -> None:
    connection.close()
    assert connection.pool.max_size <= CONNECTIONS == 9
    answers = in_threads(lambda: row("SELECT pg_backend_pid() FROM pg_sleep(0.05)"))
    assert len(answers) == THREADS
    assert len(set(answers)) <= connection.pool.max_size
    # a journal's writer that another test has left gives its own back after two seconds
    most = connection.pool.max_size + RESERVED
    until(lambda: row(f"SELECT count(*) < {most} {OTHERS}") == (True,))


def test_connections_that_the_server_has_ended_fail_nobodys_next_query() -> None:
    in_threads(lambda: row("SELECT 1 FROM pg_sleep(0.01)"))
    row(f"SELECT count(pg_terminate_backend(pid)) {OTHERS}")
    assert in_threads(lambda: row("SELECT 1")) == [(1,)] * THREADS


def test_a_reserved_thread_keeps_its_connection_until_the_server_ends_it() -> None:
    def backend() -> tuple[object, ...]:
        return asyncio.run(threads.run(row, "SELECT pg_backend_pid()"))

    threads = Threads("reserved", 1, reserved=True)
    try:
        first = backend()
        assert first == backend()
        row(f"SELECT pg_terminate_backend({first[0]})")
        assert backend() != first
    finally:
        asyncio.run(threads.run(connections.close_all))


def test_what_is_stuck_is_ended_and_only_whole_tables_take_their_time() -> None:
    def times() -> list[object]:
        return [row(f"SHOW {name}")[0] for name in TIMEOUTS]

    assert times() == ["1min", "10s", "30s"]
    with without_timeout():
        assert times() == ["0", "10s", "30s"]
    assert times() == ["1min", "10s", "30s"]


def test_a_database_that_says_nothing_is_waited_for_25_seconds_at_most() -> None:
    connection.ensure_connection()
    options = connection.connection.info.get_parameters()
    assert options["tcp_user_timeout"] == "25000"
    assert [int(options[f"keepalives_{name}"]) for name in ("idle", "interval", "count")] == [10, 5, 3]


def test_whoever_gets_no_connection_in_time_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    taken: list[Any] = []

    def is_told_so() -> bool:
        while has_connections(connection.pool):
            taken.append(connection.pool.getconn(timeout=20))
        try:
            row("SELECT 1")
        except OperationalError as error:
            return "couldn't get a connection" in str(error)
        connection.close()  # a thread of another test has given one back, which is taken too
        return False

    try:
        with monkeypatch.context() as patch:
            patch.setattr(connection.pool, "timeout", 0.1)
            until(is_told_so)
    finally:
        for other in taken:
            connection.pool.putconn(other)
    assert row("SELECT 1") == (1,)


def has_connections(pool: Any) -> bool:
    """Whether one can be had: one is free, or may be made."""
    numbers = pool.get_stats()
    return bool(numbers["pool_available"]) or numbers["pool_size"] < numbers["pool_max"]
