"""The database: its settings for Django from its URL, and a sentence about its failures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from conversations.management.interpreter import python

# SQLite lets one process write at a time. IMMEDIATE takes the lock when a transaction begins, so that waiting
# for it can succeed; with WAL, readers go on meanwhile. NORMAL leaves syncing to the checkpoints: a crash of the
# process loses nothing and a loss of power the last commits at most, while 20 writers at once wait a third of the time.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000",
    "timeout": 20,
}
CONNECTIONS = 9
"""PostgreSQL connections of a process's pool, at most.

`?pool=6` in DATABASE_URL says otherwise, `?pool=0` is a connection a thread.
Beside it the journal and the leases have one each, and without REDIS_URL one listens: twelve in all.
"""

# A wait for a connection of the pool fails before a browser gives up. A pool that cannot connect gives up soon as well:
# it tries again for the next request, where it would otherwise wait twice as long each time.
POOL = {
    "min_size": 1,
    "max_size": CONNECTIONS,
    "timeout": 10,
    "reconnect_timeout": 5,
    "max_idle": 120,
    "max_lifetime": 30 * 60,
}
# The slowest page takes seconds, a lock is held for milliseconds, and a transaction waits for nothing but the database:
# what takes longer is stuck, and has to give up its connection and its locks. Work on whole tables lifts the limit for
# statements (conversations/management/timeouts.py).
STATEMENT_TIMEOUT, LOCK_TIMEOUT, IDLE_TRANSACTION_TIMEOUT = 60, 10, 30
# A server that has gone without a word is noticed in 25 s, whether it owes an answer or an acknowledgement.
POSTGRES_OPTIONS = {
    "pool": POOL,
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "options": f"-c statement_timeout={STATEMENT_TIMEOUT}s -c lock_timeout={LOCK_TIMEOUT}s"
    f" -c idle_in_transaction_session_timeout={IDLE_TRANSACTION_TIMEOUT}s",
}
SCHEMES = {"sqlite": SQLITE_OPTIONS, "postgres": POSTGRES_OPTIONS, "postgresql": POSTGRES_OPTIONS}


def from_url(url: str, folder: Path = Path()) -> dict[str, Any]:
    """Django's settings for the database; raises ValueError for one that Turntable cannot use.

    An SQLite file is relative to the folder.
    """
    defaults = SCHEMES.get(urlsplit(url).scheme)
    settings: dict[str, Any] = dict(dj_database_url.parse(url))
    name = settings["NAME"]
    if defaults is None or name in ("", ":memory:") or "\0" in name:
        raise ValueError
    if defaults is SQLITE_OPTIONS:
        if settings["HOST"]:
            raise ValueError
        settings["NAME"] = folder / name
    options = defaults | settings.get("OPTIONS", {})
    if type(options.get("pool")) is int and options["pool"]:
        options["pool"] = POOL | {"max_size": options["pool"]}
    # With a pool this means: a connection is tried before it is used, so that a restarted database is survived.
    return settings | {"OPTIONS": options, "CONN_HEALTH_CHECKS": bool(options.get("pool"))}


def attachments_folder(database: Mapping[str, Any], folder: Path) -> Path:
    """Where attached files are: beside an SQLite file, or else in the folder."""
    is_file = "sqlite" in database["ENGINE"]
    return (Path(database["NAME"]).parent if is_file else folder) / "attachments"


def not_up_to_date() -> str:
    """What to do about a database whose migrations have not all run."""
    return f"The database is not up to date: run `{python()} manage.py migrate` first."


def explain(error: Exception) -> str | None:
    """A sentence for the operator about the database's failure, or None if the fault is ours."""
    from django.db import DatabaseError, OperationalError, connection

    try:
        reach()
        if unapplied_migrations():
            return not_up_to_date()
    except DatabaseError as failure:
        error = failure
    else:
        if not isinstance(error, OperationalError):
            return None
    reason = str(error).partition("\n")[0].rstrip(".")
    return f"The database {connection.settings_dict['NAME']} cannot be used: {reason}."


def reach() -> None:
    """Connects without the pool, whose errors name no reason; raises DatabaseError with the reason."""
    from django.db import connection

    if connection.vendor == "postgresql":
        import psycopg

        with connection.wrap_database_errors:
            psycopg.connect(**connection.get_connection_params()).close()


def unapplied_migrations() -> bool:
    """Whether the database lacks a migration of the installed apps; raises DatabaseError."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
