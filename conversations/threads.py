"""Threads for work that blocks: a pool with a bound, so that no number of turns or sockets takes more connections than that."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import connection

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


class Threads:
    """A few threads for database work, each with one connection at most; `reserved` ones have theirs beside the site's pool."""

    def __init__(self, name: str, count: int, *, reserved: bool = False) -> None:
        prepare = reserve_connection if reserved else None
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name, initializer=prepare)

    async def run(
        self, work: Callable[Parameters, Result], *args: Parameters.args, **options: Parameters.kwargs
    ) -> Result:
        """Runs the work in one of the threads and waits for its result; what waits for a thread holds none."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _tidily, partial(work, *args, **options))


def _tidily(work: Callable[[], Result]) -> Result:
    try:
        return work()
    finally:
        give_back_connection()


def reserve_connection() -> None:
    """Lets this thread connect beside the site's pool, which tools and pages may exhaust: leases and the journal have to go on."""
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    connection.settings_dict = connection.settings_dict | {"OPTIONS": options}


def give_back_connection() -> None:
    """Gives this thread's connection back to the pool, or closes it. SQLite's, which is dear to open, stays unless it is broken."""
    if connection.vendor != "sqlite" or connection.errors_occurred:
        connection.close()
