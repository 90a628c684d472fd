"""A bare websocket client, which reads the stamps in the frames and acknowledges them as a page does."""

import asyncio
import base64
import json
import os
import re
import uuid
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from .machine import now
from .stamps import Tally

ACKNOWLEDGE = 32 * 1024
"""Bytes after which a page acknowledges; the contract asks for 64 KiB at most."""

QUESTION = "What is the most popular song on WZPZ?"
SEQ = re.compile(rb'"seq":(\d+)')
ENDS = (b'"RUN_FINISHED"', b'"RUN_ERROR"')
TEXT, PING, PONG = 1, 9, 10


class Socket(asyncio.Protocol):
    """A websocket, whose `tally` counts the deltas of its turn.

    `opened` and `ended` are done when the connection is lost, too. Subclasses send what a turn begins with (`prompt`) and
    notice its end (`take`).
    """

    transport: asyncio.Transport

    def __init__(self, url: str, path: str, cookie: str = "") -> None:
        loop = asyncio.get_running_loop()
        self._handshake = _handshake(urlsplit(url).netloc, path, cookie)
        self._data = b""
        self._is_upgraded = False
        self.tally = Tally(0)
        self.opened: asyncio.Future[bool] = loop.create_future()
        self.ended: asyncio.Future[bool] = loop.create_future()

    def prompt(self) -> None:
        """Sends what a turn begins with."""
        raise NotImplementedError

    def take(self, payload: bytes, at: int) -> None:
        """Takes a text frame that arrived at `at`, in microseconds."""
        self.tally.take(payload, at)

    def upgraded(self) -> None:
        """The server has agreed to the websocket, which is now open."""
        self.opened.set_result(True)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Requests the upgrade."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._handshake)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends what is waited for."""
        settle(self.opened, is_good=False)
        settle(self.ended, is_good=False)

    def data_received(self, data: bytes) -> None:
        """Takes the handshake's answer and then frames."""
        at = now()
        self._data += data
        if not self._is_upgraded and not self._take_answer():
            return
        start = 0
        while bounds := _payload(self._data, start):
            begin, end = bounds
            self._take(self._data[start] & 15, self._data[begin:end], at)
            start = end
        self._data = self._data[start:]

    def ask(self, count: int) -> int:
        """Begins a turn of `count` deltas; returns the time, in microseconds of the monotonic clock."""
        self.tally = Tally(count)
        self.ended = asyncio.get_running_loop().create_future()
        at = now()
        self.prompt()
        return at

    def send(self, payload: bytes, kind: int = TEXT) -> None:
        """Sends a frame of less than 64 KiB; a mask of zeros leaves the payload as it is."""
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
        self.transport.write(bytes([0x80 | kind]) + size + bytes(4) + payload)

    def _take_answer(self) -> bool:
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return False
        if b" 101 " not in head:
            self.transport.close()
            return False
        self._data, self._is_upgraded = rest, True
        self.upgraded()
        return True

    def _take(self, kind: int, payload: bytes, at: int) -> None:
        if kind == PING:
            self.send(payload, PONG)
        if kind == TEXT:
            self.take(payload, at)


class Page(Socket):
    """A page of a conversation, which acknowledges what it reads."""

    def __init__(self, url: str, conversation: str, cookie: str) -> None:
        super().__init__(url, f"/ws/conversations/{conversation}/?after=0", cookie)
        self._unacknowledged = 0

    def prompt(self) -> None:
        """Sends a message."""
        self._send({"type": "message", "id": str(uuid.uuid4()), "text": QUESTION})

    def take(self, payload: bytes, at: int) -> None:
        """Counts deltas, sees the turn's end, and acknowledges."""
        if not self.tally.take(payload, at) and any(end in payload for end in ENDS):
            settle(self.ended, is_good=ENDS[0] in payload)
        self._unacknowledged += len(payload)
        if self._unacknowledged > ACKNOWLEDGE and (seqs := SEQ.findall(payload)):
            self._send({"type": "ack", "seq": int(seqs[-1])})
            self._unacknowledged = 0

    def _send(self, frame: Mapping[str, object]) -> None:
        self.send(json.dumps(frame).encode())


def _handshake(host: str, path: str, cookie: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        *([f"Cookie: {cookie}"] if cookie else []),
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
    )
    return "\r\n".join((*lines, "", "")).encode()


def _payload(data: bytes, start: int) -> tuple[int, int] | None:
    """The bounds of the payload of the frame that begins at `start`; None unless all of it is there."""
    if len(data) < start + 2:
        return None
    length, begin = data[start + 1], start + 2
    if length > 125:
        begin += 2 if length == 126 else 8
        length = int.from_bytes(data[start + 2 : begin], "big")
    return (begin, begin + length) if len(data) >= begin + length else None


def settle(waited: "asyncio.Future[bool]", *, is_good: bool) -> None:
    """Ends a waiting that has not ended."""
    if not waited.done():
        waited.set_result(is_good)
