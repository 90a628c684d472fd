"""What one socket may send: frames that are one JSON object, so many in a while, and so much that waits to be done."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from conversations.errors import Refused, Throttled

Frame = dict[str, Any]

BURST = 4 * 1024 * 1024
REFILL = 512 * 1024
"""Bytes that a socket may send at once, and bytes a second after that."""

OVERHEAD = 16 * 1024
"""Bytes that each frame counts for beside its own: 32 small ones a second, which is more than anybody types."""

DEBT = 1024 * 1024
"""Bytes over the limit that are still answered."""

WAITING = 256 * 1024
"""Bytes of commands that may wait for the one that is being done."""

ACK_LENGTH = 100
ID_LENGTH = 64


class Flood(Exception):
    """The client goes on sending too much after it was told."""


class Meter:
    """A bucket of bytes that fills up as time goes, and that every frame takes its cost from."""

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
    """The commands of a socket, which are done one after another; few may wait."""

    def __init__(self) -> None:
        self._commands: asyncio.Queue[tuple[Frame, int] | None] = asyncio.Queue()
        self._held = 0

    def put(self, frame: Frame, cost: int) -> None:
        """Takes a command; raises Throttled when too much waits."""
        if self._held and self._held + cost > WAITING:
            raise Throttled("This page sends more than can be done. Wait a moment, then send again.")
        self._held += cost
        self._commands.put_nowait((frame, cost))

    def end(self) -> None:
        """Takes no more commands."""
        self._commands.put_nowait(None)

    def clear(self) -> None:
        """Forgets what waits."""
        while not self._commands.empty():
            self._commands.get_nowait()

    async def take(self) -> Frame | None:
        """The next command, None when there will be no more."""
        found = await self._commands.get()
        if found is None:
            return None
        self._held -= found[1]
        return found[0]


def cost(text: str | None, data: bytes | None) -> int:
    """What a frame counts for, in bytes."""
    return OVERHEAD + (len(data or b"") if text is None else len(text.encode(errors="replace")))


def parsed(text: str | None) -> Frame:
    """The frame's object; raises Refused when it is none."""
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        raise Refused("A frame is one JSON object.") from None
    if not isinstance(frame, dict):
        raise Refused("A frame is one JSON object.")
    return frame


def acknowledged(text: str | None) -> int | None:
    """The seq of a plain acknowledgement, None for any other frame."""
    if text is None or len(text) > ACK_LENGTH or '"ack"' not in text:
        return None
    try:
        frame = parsed(text)
    except Refused:
        return None
    seq = frame.get("seq")
    is_whole = isinstance(seq, int) and not isinstance(seq, bool)
    return seq if is_whole and frame.get("type") == "ack" else None


def echoed(frame: Frame) -> str | None:
    """The frame's id as far as an answer repeats it."""
    given = frame.get("id")
    is_sane = isinstance(given, str) and len(given) <= ID_LENGTH and given.isprintable()
    return given if is_sane else None
