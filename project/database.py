"""The database: from its URL to Django's settings, and what to say when it cannot be used."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

# SQLite lets one process write at a time. IMMEDIATE takes the lock when a transaction begins, so that waiting
# for it can succeed; with WAL, readers go on meanwhile. NORMAL leaves syncing to the checkpoints: a crash of the
# process loses nothing and a loss of power the last commits at most, while 20 writers at once wait a third of the time.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    "timeout": 20,
}
POSTGRES_OPTIONS = {"connect_timeout": 5}
SCHEMES = {"sqlite": SQLITE_OPTIONS, "postgres": POSTGRES_OPTIONS, "postgresql": POSTGRES_OPTIONS}


def from_url(url: str, folder: Path = Path()) -> dict[str, Any]:
    """Django's settings for the database; an SQLite file is relative to the folder. ValueError for any other."""
    defaults = SCHEMES.get(urlsplit(url).scheme)
    settings: dict[str, Any] = dict(dj_database_url.parse(url))
    name = settings["NAME"]
    if defaults is None or name in ("", ":memory:") or "\0" in name:
        raise ValueError
    if defaults is SQLITE_OPTIONS:
        if settings["HOST"]:
            raise ValueError
        settings["NAME"] = folder / name
    return settings | {"OPTIONS": defaults | settings.get("OPTIONS", {})}


def explain(error: Exception) -> str | None:
    """A sentence for the operator about the database's failure; None when it is more likely a fault of ours."""
    from django.db import DatabaseError, OperationalError, connection

    try:
        if unapplied_migrations():
            return "The database is not up to date: run `python manage.py migrate` first."
    except DatabaseError as failure:
        error = failure
    else:
        if not isinstance(error, OperationalError):
            return None
    said = str(error).partition("\n")[0].rstrip(".")
    return f"The database {connection.settings_dict['NAME']} cannot be used: {said}."


def unapplied_migrations() -> bool:
    """Whether the database lacks a migration of the installed apps; raises DatabaseError."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
