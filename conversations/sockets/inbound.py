"""The limits of what one socket may send: JSON objects, at a rate, and so many waiting commands."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from conversations.errors import Refused, Throttled

JsonObject = dict[str, Any]

BURST = 4 * 1024 * 1024
REFILL = 512 * 1024
"""Bytes that a socket may send at once, and bytes a second after that."""

OVERHEAD = 16 * 1024
"""Bytes that a frame costs beside its length: 32 small ones a second pass, more than anyone types."""

DEBT = 1024 * 1024
"""Bytes over the limit whose frames are still answered."""

WAITING = 256 * 1024
"""Bytes of commands that may wait for the present one."""

ACK_LENGTH = 100
ID_LENGTH = 64


class Flood(Exception):
    """The client goes on sending too much after it was refused."""


class Meter:
    """A token bucket of bytes, from which every frame takes its cost."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._level, self._at = clock, float(BURST), clock()

    def charge(self, cost: int) -> None:
        """Takes the cost of a frame; raises Throttled over the limit, and Flood far over it."""
        now = self._clock()
        self._level = min(BURST, self._level + (now - self._at) * REFILL) - cost
        self._at = now
        if self._level < -DEBT:
            raise Flood
        if self._level < 0:
            raise Throttled("This page sends too much at a time. Wait a moment, then send again.")


class Inbox:
    """The commands of a socket, which wait for one another, up to a bound."""

    def __init__(self) -> None:
        self._commands: asyncio.Queue[tuple[JsonObject, int] | None] = asyncio.Queue()
        self._size = 0

    def put(self, frame: JsonObject, cost: int) -> None:
        """Takes a command; raises Throttled when too much waits."""
        if self._size and self._size + cost > WAITING:
            raise Throttled("This page sends more than can be done. Wait a moment, then send again.")
        self._size += cost
        self._commands.put_nowait((frame, cost))

    def end(self) -> None:
        """Lets `take` return None once the commands before are taken."""
        self._commands.put_nowait(None)

    def clear(self) -> None:
        """Forgets the commands that wait."""
        while not self._commands.empty():
            self._commands.get_nowait()

    async def take(self) -> JsonObject | None:
        """The next command, None when there will be no more."""
        command = await self._commands.get()
        if command is None:
            return None
        frame, cost = command
        self._size -= cost
        return frame


def cost(text: str | None, data: bytes | None) -> int:
    """The bytes that a frame counts for."""
    return OVERHEAD + (len(data or b"") if text is None else len(text.encode(errors="replace")))


def json_object(text: str | None) -> JsonObject:
    """The JSON object that a frame is; raises Refused for any other text."""
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        raise Refused("A frame is one JSON object.") from None
    if not isinstance(frame, dict):
        raise Refused("A frame is one JSON object.")
    return frame


def ack_seq(text: str | None) -> int | None:
    """The seq of a plain acknowledgement, None for any other frame."""
    if text is None or len(text) > ACK_LENGTH or '"ack"' not in text:
        return None
    try:
        frame = json_object(text)
    except Refused:
        return None
    seq = frame.get("seq")
    is_whole = isinstance(seq, int) and not isinstance(seq, bool)
    return seq if is_whole and frame.get("type") == "ack" else None


def frame_id(frame: JsonObject) -> str | None:
    """The frame's id, if it is short and printable, so that a refusal may repeat it."""
    value = frame.get("id")
    is_sane = isinstance(value, str) and len(value) <= ID_LENGTH and value.isprintable()
    return value if is_sane else None
