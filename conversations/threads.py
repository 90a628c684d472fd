"""Threads for work that blocks: a pool with a bound, so that no number of turns or sockets takes more connections than that."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from django.db import connection

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


class Threads:
    """A few threads for database work, each with one connection at most."""

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(
        self, work: Callable[Parameters, Result], *args: Parameters.args, **options: Parameters.kwargs
    ) -> Result:
        """Runs the work in one of the threads and waits for its result; what waits for a thread holds none."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _tidily, work, args, options)


def _tidily(work: Callable[..., Result], args: Any, options: Any) -> Result:
    try:
        return work(*args, **options)
    finally:
        give_back_connection()


def give_back_connection() -> None:
    """Gives this thread's connection back to the pool. SQLite's, which is dear to open, stays unless it is broken."""
    if connection.vendor != "sqlite" or connection.errors_occurred:
        connection.close()
