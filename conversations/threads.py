"""Threads for work that blocks, in pools with a bound on threads and on database connections."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import connection

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


class Threads:
    """A few threads for database work, each with one connection at most.

    `reserved` threads have a connection beside the site's pool, and keep it.
    """

    def __init__(self, name: str, count: int, *, reserved: bool = False) -> None:
        prepare = reserve_connection if reserved else None
        self._leave = keep_connection if reserved else give_back_connection
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name, initializer=prepare)

    async def run(
        self, work: Callable[Parameters, Result], *args: Parameters.args, **options: Parameters.kwargs
    ) -> Result:
        """Runs the work in one of the threads and returns its result; the wait takes no thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._do, partial(work, *args, **options))

    def submit(
        self, work: Callable[Parameters, object], *args: Parameters.args, **options: Parameters.kwargs
    ) -> None:
        """Gives the work to one of the threads, from any thread, without waiting for it."""
        self._pool.submit(self._do, partial(work, *args, **options))

    def _do(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        finally:
            self._leave()


def reserve_connection() -> None:
    """Lets this thread connect beside the site's pool, which tools and pages may exhaust."""
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    connection.settings_dict = connection.settings_dict | {"OPTIONS": options, "CONN_MAX_AGE": None}


def keep_connection() -> None:
    """Keeps this thread's connection unless it is broken, which is checked before its next use."""
    if connection.errors_occurred:
        connection.close()
    connection.close_if_unusable_or_obsolete()


def give_back_connection() -> None:
    """Gives this thread's connection back to the pool, or closes it.

    An SQLite connection, which is slow to open, stays open unless it is broken.
    """
    if connection.vendor != "sqlite" or connection.errors_occurred:
        connection.close()
