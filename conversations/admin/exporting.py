"""A list of tool calls as a file, streamed: CSV for spreadsheets, JSON Lines for programs."""

import csv
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain, islice
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from conversations.models import ToolCall
from conversations.protocol.agui.events import result_text

from .lists import USER_NAME

logger = logging.getLogger(__name__)

ROWS = 500
"""Rows that are read and sent at a time."""

COLUMNS = {
    "id": "pk", "name": "name", "toolUseId": "tool_use_id", "status": "status", "error": "error",
    "user": f"turn__user__{USER_NAME}", "model": "turn__model", "conversation": "conversation_id", "turn": "turn_id",
    "turnNumber": "turn__number", "round": "round__number", "attempt": "round__attempt", "position": "position",
    "createdAt": "created_at", "startedAt": "started_at", "finishedAt": "finished_at", "durationMs": "duration_ms",
    "arguments": "arguments", "input": "input", "result": "result",
}  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula: https://owasp.org/www-community/attacks/CSV_Injection"""

Row = dict[str, Any]


def file_response(request: HttpRequest, calls: QuerySet[ToolCall], kind: str) -> StreamingHttpResponse:
    """The calls as `csv` or `jsonl`."""
    write, content_type = KINDS[kind]
    chunks = _chunks(request, calls, kind, write)
    # An asynchronous server would read a plain iterator to its end before it sends the first byte.
    content = _asynchronous(chunks) if isinstance(request, ASGIRequest) else chunks
    headers = {"Content-Disposition": f'attachment; filename="tool-calls.{kind}"'}
    return StreamingHttpResponse(content, content_type=content_type, headers=headers)


def _chunks(
    request: HttpRequest,
    calls: QuerySet[ToolCall],
    kind: str,
    write: Callable[[Iterator[Row]], Iterator[str]],
) -> Iterator[str]:
    """The file in chunks; the log says how many calls a user exported, also when the file is cut short."""
    values = calls.values(*COLUMNS.values()).iterator(chunk_size=ROWS)
    number = 0

    def rows() -> Iterator[Row]:
        nonlocal number
        for row in values:
            number += 1
            yield {name: row[column] for name, column in COLUMNS.items()}

    try:
        lines = write(rows())
        while chunk := "".join(islice(lines, ROWS)):
            yield chunk
    finally:
        logger.info("user %s exported %d tool calls as %s", request.user.pk, number, kind)


async def _asynchronous(chunks: Iterator[str]) -> AsyncIterator[str]:
    """The chunks, read in the request's own thread."""
    step = sync_to_async(lambda: next(chunks, ""))
    try:
        while chunk := await step():
            yield chunk
    finally:
        await sync_to_async(chunks.close)()  # type: ignore[attr-defined]  # a generator


def _csv(rows: Iterator[Row]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    for cells in chain([COLUMNS], (map(_cell, row.items()) for row in rows)):
        yield writer.writerow(cells)


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _cell(column: tuple[str, Any]) -> str:
    text = _text(*column).encode("utf-8", "replace").decode()
    return f"'{text}" if text.startswith(FORMULA) else text


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "result":
        return result_text(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else _plain(value)


def _json_lines(rows: Iterator[Row]) -> Iterator[str]:
    return (json.dumps(row, default=_plain) + "\n" for row in rows)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


KINDS: dict[str, tuple[Callable[[Iterator[Row]], Iterator[str]], str]] = {
    "csv": (_csv, "text/csv; charset=utf-8"),
    "jsonl": (_json_lines, "application/jsonl"),
}
