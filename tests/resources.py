"""Threads of this process and their connections to the database."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from django.db import connection

from conversations.engine.worker import DATABASE_THREADS

T = TypeVar("T")
GATEWAYS = ("(_serve)", "(process_request_thread)")


def threads() -> list[str]:
    """The threads of this process by name, but for those of the gateways that the tests play."""
    return [thread.name for thread in threading.enumerate() if not thread.name.endswith(GATEWAYS)]


def at_once(*functions: Callable[[], T]) -> list[T]:
    """What functions return that begin together, each in a thread with a connection of its own."""
    ready = threading.Barrier(len(functions), timeout=20)

    def begin(function: Callable[[], T]) -> T:
        ready.wait()
        try:
            return function()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result(100) for future in [pool.submit(begin, function) for function in functions]]


def elsewhere(query: Callable[[], T]) -> T:
    """What a query finds on another connection: only what has been committed."""
    return at_once(query)[0]


def connections() -> int:
    """Connections to the database that this process has open."""
    if connection.vendor == "sqlite":
        path = str(connection.settings_dict["NAME"])
        return sum(target == path for target in map(_target, Path("/proc/self/fd").iterdir()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def _target(descriptor: Path) -> str:
    try:
        return os.readlink(descriptor)  # noqa: PTH115 (what is no path has a target too)
    except FileNotFoundError:
        return ""


class Before:
    """The threads and connections of this process before its turns and reruns waited."""

    POOLS = DATABASE_THREADS + 6
    """The engine's threads, and beside them the heart, the loop, the journal, and the resolver of names."""

    def __init__(self) -> None:
        self._threads, self._connections = threads(), connections()

    def more_threads(self) -> Counter[str]:
        """The threads that have come, by what their names begin with."""
        return Counter(
            name.split()[0].split("_")[0] for name in (Counter(threads()) - Counter(self._threads)).elements()
        )

    def check(self, **others: int) -> None:
        """Checks that there are no more threads and connections than the pools have, but for these threads."""
        more = self.more_threads()
        assert {name: more.pop(name) for name in others} == others
        assert more.total() <= self.POOLS, more
        assert connections() - self._connections <= self.POOLS
