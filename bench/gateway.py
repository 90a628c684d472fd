"""A load gateway, which streams stamped deltas at the pace that the model's id names.

The address is `POST /model/sim.nCOUNT.usMICROSECONDS[.silent]/converse-stream`. Each event is a frame in a chunk of its own, as
Bedrock sends them. The first delta is sent at once, but for a silent model's, which waits for `GET /release`; `GET /silent` says
how many do. The gateway checks no credentials and prints the port it listens at.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any, cast
from urllib.parse import unquote
from zlib import crc32

from .machine import now, run
from .plan import pace
from .stamps import stamp

BACKLOG = 2048
GRAIN = 0.001
"""Seconds between two wake-ups of the timer, at least."""

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\n"
    b"x-amzn-requestid: 00000000-0000-0000-0000-000000000000\r\n\r\n"
)


def frame(name: str, payload: Mapping[str, Any]) -> bytes:
    """An event as a message of `application/vnd.amazon.eventstream`."""
    headers = b"".join(
        bytes([len(key)]) + key + b"\x07" + len(value).to_bytes(2, "big") + value
        for key, value in (
            (b":event-type", name.encode()),
            (b":content-type", b"application/json"),
            (b":message-type", b"event"),
        )
    )
    body = json.dumps(payload, separators=(",", ":")).encode()
    prelude = (16 + len(headers) + len(body)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = prelude + crc32(prelude).to_bytes(4, "big") + headers + body
    return message + crc32(message).to_bytes(4, "big")


def chunk(name: str, payload: Mapping[str, Any]) -> bytes:
    """An event as one chunk of the answer."""
    message = frame(name, {**payload, "p": "abcdefghijk"})
    return b"%x\r\n%b\r\n" % (len(message), message)


START = chunk("messageStart", {"role": "assistant"})
SAMPLE = stamp(0, 0)
BEFORE, AFTER = chunk(
    "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": SAMPLE.decode()}}
).split(SAMPLE)
AFTER = AFTER[: -len(b"\r\n") - 4]
PREFIX_CRC = crc32(BEFORE.partition(b"\r\n")[2])


def delta(number: int) -> bytes:
    """A stamped delta; only the stamp and the checksum are computed anew."""
    changing = stamp(now(), number) + AFTER
    return b"%b%b%b\r\n" % (BEFORE, changing, crc32(changing, PREFIX_CRC).to_bytes(4, "big"))


def ending(count: int) -> bytes:
    """The chunks after the last delta."""
    usage = {"inputTokens": 10, "outputTokens": count, "totalTokens": 10 + count}
    return (
        chunk("contentBlockStop", {"contentBlockIndex": 0})
        + chunk("messageStop", {"stopReason": "end_turn"})
        + chunk("metadata", {"metrics": {"latencyMs": 1}, "usage": usage})
        + b"0\r\n\r\n"
    )


class Stream:
    """One answer that is under way."""

    def __init__(self, connection: "Connection", count: int, interval: float) -> None:
        self._connection, self._count, self._interval = connection, count, interval
        self._number = 0

    @property
    def is_closed(self) -> bool:
        """Whether nobody reads it any more."""
        return self._connection.transport.is_closing()

    def send(self, due: float) -> float | None:
        """Sends a delta; returns when the next is due, None after the last or when nobody reads."""
        if self.is_closed:
            return None
        number, self._number = self._number, self._number + 1
        if self._number < self._count:
            self._connection.transport.write(delta(number))
            return due + self._interval
        self._connection.transport.write(delta(number) + ending(self._count))
        self._connection.finish()
        return None


class Ticker:
    """One timer for all streams, as a task a stream would cost more than what it sends."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Stream]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._serial = 0
        self._silent: list[Stream] = []

    @property
    def silent(self) -> int:
        """How many streams wait to be released."""
        return sum(not stream.is_closed for stream in self._silent)

    def begin(self, stream: Stream, *, is_silent: bool) -> None:
        """Sends the first delta, at once or when it is released."""
        if is_silent:
            self._silent.append(stream)
        else:
            self._send(time.monotonic(), stream)
            self._arm()

    def release(self) -> None:
        """Lets the silent streams speak."""
        streams, self._silent = self._silent, []
        for stream in streams:
            self.begin(stream, is_silent=False)

    def _send(self, due: float, stream: Stream) -> None:
        following = stream.send(due)
        if following is not None:
            self._serial += 1
            heappush(self._heap, (following, self._serial, stream))

    def _arm(self) -> None:
        if self._heap and self._timer is None:
            delay = max(GRAIN, self._heap[0][0] - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(min(delay, 5 * GRAIN), self._tick)

    def _tick(self) -> None:
        self._timer = None
        moment = time.monotonic() + GRAIN / 4
        while self._heap and self._heap[0][0] <= moment:
            due, _, stream = heappop(self._heap)
            self._send(due, stream)
        self._arm()


class Connection(asyncio.Protocol):
    """Answers the requests of one connection, one after the other."""

    transport: asyncio.Transport

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker
        self._data = b""
        self._is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answers a request once all of it is there."""
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if self._is_busy or not end:
            return
        length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) >= length:
            self._data = body[length:]
            self._answer(unquote(head.split(b" ")[1].decode()))

    def finish(self) -> None:
        """Is ready for the next request."""
        self._is_busy = False
        self.data_received(b"")

    def _answer(self, path: str) -> None:
        if path.startswith("/model/"):
            self._stream(path.split("/")[2])
            return
        if path == "/release":
            self._ticker.release()
        text = b"%d" % self._ticker.silent
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text))

    def _stream(self, model_id: str) -> None:
        count, interval, is_silent = pace(model_id)
        self._is_busy = True
        self.transport.write(HEAD + START)
        self._ticker.begin(Stream(self, count, interval), is_silent=is_silent)


async def serve() -> None:
    """Listens at any free port of this machine, for ever."""
    ticker = Ticker()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(ticker), "127.0.0.1", 0, backlog=BACKLOG
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    run(serve())
