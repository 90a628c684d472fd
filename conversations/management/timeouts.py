"""The time that a command's statements may take."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def without_timeout() -> Iterator[None]:
    """Within the context this thread's statements may take as long as work on whole tables needs."""
    _set_on_postgres("SET statement_timeout = 0")
    try:
        yield
    finally:
        _set_on_postgres("RESET statement_timeout")  # the pool hands the connection on with its settings


def _set_on_postgres(statement: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement)
