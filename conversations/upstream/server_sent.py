"""Server-sent events as servers of chat completions send them: JSON objects, in bytes cut anywhere."""

import json
from collections.abc import Iterator
from typing import Any, Final

from conversations.upstream.refusals import StreamFailure

Chunk = dict[str, Any]

DONE: Final[Chunk] = {"done": True}
"""The chunk that stands for `[DONE]`."""

LINE_LIMIT = 32 * 1024 * 1024
NO_JSON = "The upstream sent an event that is no JSON object."


class ServerSentEvents:
    """Splits a stream into chunks.

    A chunk is complete as soon as its data is a whole JSON object: not every server ends it with a blank line.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._name = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """The chunks that these bytes complete; raises StreamFailure for an event that is no JSON."""
        *lines, rest = bytes(self._bytes + data).split(b"\n")
        self._bytes = bytearray(rest)
        if len(rest) > LINE_LIMIT:
            raise StreamFailure("modelStreamErrorException", NO_JSON)
        for line in lines:
            yield from self._line(line)

    def end(self) -> Iterator[Chunk]:
        """The chunk of a last line without an end, unless it is cut."""
        if self._bytes:
            yield from self._line(bytes(self._bytes))
            self._bytes.clear()

    def _line(self, line: bytes) -> Iterator[Chunk]:
        text = line.decode(errors="replace").removeprefix("\ufeff").rstrip("\r")
        if not text:
            yield from self._dispatch()
            return
        field, _, value = text.partition(":")
        if text.startswith("{"):
            field, value = "data", text
        if field in ("event", "error"):  # llama.cpp once wrote errors as a field of their own
            self._name = value.strip() if field == "event" else field
        if field in ("data", "error"):
            self._data.append(value.removeprefix(" "))
            yield from self._whole()

    def _whole(self) -> Iterator[Chunk]:
        """The chunk, if the data is complete."""
        text = "\n".join(self._data)
        if text.strip() == "[DONE]":
            self._data.clear()
            yield DONE
        elif (value := _object(text)) is not None:
            self._data.clear()
            yield {"error": value} if self._name == "error" and "error" not in value else value

    def _dispatch(self) -> Iterator[Chunk]:
        text, name = "\n".join(self._data).strip(), self._name
        self._data.clear()
        self._name = ""
        if text and name == "error":
            yield {"error": text}
        elif text:
            raise StreamFailure("modelStreamErrorException", NO_JSON)


def _object(text: str) -> Chunk | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
