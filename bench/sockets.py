"""A bare websocket client: one page of a conversation, which reads the stamps in its frames and acknowledges them."""

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

SEQ = re.compile(rb'"seq":(\d+)')
ENDS = (b'"RUN_FINISHED"', b'"RUN_ERROR"')
TEXT, PING, PONG = 1, 9, 10


class Page(asyncio.Protocol):
    """A socket. `tally` counts the deltas of its turn; `opened` and `ended` are done when the connection is lost, too."""

    transport: asyncio.Transport

    def __init__(self, url: str, conversation: str, cookie: str) -> None:
        loop = asyncio.get_running_loop()
        self._handshake = _handshake(urlsplit(url).netloc, conversation, cookie)
        self._data = b""
        self._unacknowledged = 0
        self.tally = Tally(0)
        self.opened: asyncio.Future[bool] = loop.create_future()
        self.ended: asyncio.Future[bool] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the upgrade."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._handshake)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends what is waited for."""
        _settle(self.opened, is_good=False)
        _settle(self.ended, is_good=False)

    def data_received(self, data: bytes) -> None:
        """Takes the handshake's answer and then frames."""
        at = now()
        self._data += data
        if not self.opened.done() and not self._take_answer():
            return
        start = 0
        while bounds := _payload(self._data, start):
            begin, end = bounds
            self._take(self._data[start] & 15, self._data[begin:end], at)
            start = end
        self._data = self._data[start:]

    def ask(self, count: int) -> int:
        """Sends a message whose turn has `count` deltas; when, in microseconds of the monotonic clock."""
        self.tally = Tally(count)
        self.ended = asyncio.get_running_loop().create_future()
        self._say(
            {"type": "message", "id": str(uuid.uuid4()), "text": "What is the most popular song on WZPZ?"}
        )
        return now()

    def _take_answer(self) -> bool:
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return False
        if b" 101 " not in head:
            self.transport.close()
            return False
        self._data = rest
        self.opened.set_result(True)
        return True

    def _take(self, kind: int, payload: bytes, at: int) -> None:
        if kind == PING:
            self._send(PONG, payload)
        if kind != TEXT:
            return
        if not self.tally.take(payload, at) and any(end in payload for end in ENDS):
            _settle(self.ended, is_good=ENDS[0] in payload)
        self._unacknowledged += len(payload)
        if self._unacknowledged > ACKNOWLEDGE and (seqs := SEQ.findall(payload)):
            self._say({"type": "ack", "seq": int(seqs[-1])})
            self._unacknowledged = 0

    def _say(self, frame: Mapping[str, object]) -> None:
        self._send(TEXT, json.dumps(frame).encode())

    def _send(self, kind: int, payload: bytes) -> None:
        """A frame of less than 64 KiB; a mask of zeros leaves the payload as it is."""
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
        self.transport.write(bytes([0x80 | kind]) + size + bytes(4) + payload)


def _handshake(host: str, conversation: str, cookie: str) -> bytes:
    lines = (
        f"GET /ws/conversations/{conversation}/?after=0 HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        f"Cookie: {cookie}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
    )
    return "\r\n".join((*lines, "", "")).encode()


def _payload(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the payload of the server's frame that begins at `start` lies; None unless all of it is there."""
    if len(data) < start + 2:
        return None
    length, begin = data[start + 1], start + 2
    if length > 125:
        begin += 2 if length == 126 else 8
        length = int.from_bytes(data[start + 2 : begin], "big")
    return (begin, begin + length) if len(data) >= begin + length else None


def _settle(waited: "asyncio.Future[bool]", *, is_good: bool) -> None:
    if not waited.done():
        waited.set_result(is_good)
