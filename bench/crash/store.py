"""The stored rows, read with SQL of our own: the checker shares no code with what it checks."""

import sqlite3
import zlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

Row = tuple[Any, ...]
RECORD = """
SELECT conversation_id, seq, data, NULL FROM conversations_event
UNION ALL SELECT conversation_id, first_seq, '', body FROM conversations_recording
"""
"""One statement, so that a turn that is packed meanwhile is read once."""

BUSY = "SELECT count(*) FROM conversations_turn WHERE status IN ('queued', 'running', 'waiting')"

FREE = {"sqlite": "BEGIN IMMEDIATE", "postgres": "SELECT 1 FROM conversations_turn FOR UPDATE NOWAIT"}


@dataclass(frozen=True)
class Turn:
    """A turn's row; times in seconds since 1970."""

    id: str
    conversation: str
    number: int
    status: str
    attempts: int
    created: float
    finished: float | None
    stop_requested: float | None = None


@dataclass(frozen=True)
class Call:
    """A tool call's row."""

    conversation: str
    name: str
    status: str
    error: str
    arguments: str


class Store:
    """The database of a site, by its DATABASE_URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def turns(self) -> list[Turn]:
        """Every turn."""
        rows = self._all(
            "SELECT id, conversation_id, number, status, attempts, created_at, finished_at,"
            " stop_requested_at FROM conversations_turn"
        )
        return [_turn(*row) for row in rows]

    def busy(self) -> int:
        """How many turns have not ended."""
        return int(self._all(BUSY)[0][0])

    def is_free(self) -> bool:
        """Whether nobody is in the middle of a commit."""
        try:
            self._all(FREE[self._url.partition(":")[0]])
        except (sqlite3.OperationalError, psycopg.errors.LockNotAvailable):
            return False
        return True

    def messages(self) -> dict[str, list[str]]:
        """The ids of the users' messages, by conversation."""
        messages: dict[str, list[str]] = defaultdict(list)
        for conversation, message in self._all(
            "SELECT conversation_id, public_id FROM conversations_message WHERE role = 'user'"
        ):
            messages[_id(conversation)].append(_id(message))
        return messages

    def calls(self) -> list[Call]:
        """Every tool call."""
        rows = self._all("SELECT conversation_id, name, status, error, arguments FROM conversations_toolcall")
        return [Call(_id(row[0]), *row[1:]) for row in rows]

    def record(self) -> dict[str, list[tuple[int, str]]]:
        """Every conversation's frames in order of their number, those of packed turns included."""
        record: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for conversation, first, data, body in self._all(RECORD):
            lines = zlib.decompress(body).decode().split("\n") if body else [data]
            record[_id(conversation)] += [
                (seq, line.partition("\t")[0] if body else line) for seq, line in enumerate(lines, first)
            ]
        return {conversation: sorted(frames) for conversation, frames in record.items()}

    def _all(self, query: str) -> list[Row]:
        if self._url.startswith("sqlite"):
            connection = sqlite3.connect(urlsplit(self._url).path.replace("/", "", 1), timeout=0.5)
            try:
                return connection.execute(query).fetchall()
            finally:
                connection.close()
        with psycopg.connect(self._url) as server:
            return server.execute(query.encode()).fetchall()


def _turn(key: Any, conversation: Any, number: int, status: str, attempts: int, *times: Any) -> Turn:
    created, finished, stop_requested = map(_time, times)
    return Turn(_id(key), _id(conversation), number, status, attempts, created or 0, finished, stop_requested)


def _id(value: Any) -> str:
    """A UUID in canonical form; SQLite keeps it as 32 digits."""
    return str(value if isinstance(value, UUID) else UUID(value))


def _time(value: Any) -> float | None:
    if value is None:
        return None
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)
    return float(at.timestamp())
