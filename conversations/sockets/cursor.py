"""A socket's cursor on the journal, at most 256 KiB ahead of what the client has acknowledged.

Daphne never pushes back, so the bound for a slow reader is here: events that it has no room for stay in the journal.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from conversations.journal import WINDOW, Follower, Frame, Read

Send = Callable[[str], Awaitable[None]]
Write = Callable[[bytes], bool]
"""Sends a text (UTF-8) at once, or returns False where only `Send` can."""

ACK_TIMEOUT = 60.0
NOTICES_LIMIT = 64 * 1024
"""Bytes of notices that wait to be sent; the newest one may be longer."""


class TooSlow(Exception):
    """The client left the server waiting for an acknowledgement."""


class Cursor(Follower):
    """One socket's place in the record: `seq` is the last one sent.

    `sent` is the seq of the frame that is being sent, which the client may apply before the server's send has returned.
    """

    def __init__(self, send: Send, read: Read, write: Write | None = None) -> None:
        super().__init__(read)
        self.sent = 0
        self._send, self._write = send, write
        self._notices: deque[tuple[str, int]] = deque()
        self._notices_size = 0
        self._in_flight: deque[tuple[int, int]] = deque()
        self._unacknowledged = 0
        self._room = asyncio.Event()
        self._is_idle = False
        self._is_finishing = False

    # -- a Socket, as the journal's hub wants it

    def on_frames(self, frames: list[Frame]) -> None:
        """Takes events that were committed in this process, and sends them at once if it can."""
        self.reach = max(self.reach, frames[-1][0])
        if self._write and self._is_idle and not self._news.is_set():
            frames = self._write_through(self._write, frames)
            if self.seq >= self.reach:
                return
        self._keep(frames)

    def _write_through(self, write: Write, frames: list[Frame]) -> list[Frame]:
        """Sends the frames that follow at once, while the pump is idle; returns the rest."""
        for number, (seq, text) in enumerate(frames):
            payload = text.encode()
            if seq != self.seq + 1 or self._unacknowledged >= WINDOW or not write(payload):
                return frames[number:]
            self._count(seq, len(payload))
            self.seq = seq
        return []

    def on_notice(self, text: str) -> None:
        """Takes a frame that is no part of the record. If there are too many, the oldest are dropped."""
        size = len(text.encode())
        while self._notices and self._notices_size + size > NOTICES_LIMIT:
            self._notices_size -= self._notices.popleft()[1]
        self._notices.append((text, size))
        self._notices_size += size
        self._news.set()

    def finish(self) -> None:
        """Lets the pump end once everything is sent."""
        self._is_finishing = True
        self._news.set()

    # -- the client's side

    def was_sent(self, seq: int) -> bool:
        """Whether the client may acknowledge `seq`."""
        return 0 <= seq <= self.sent

    def acknowledge(self, seq: int) -> bool:
        """Notes that the client has applied everything up to `seq`; returns whether that frees any bytes."""
        if not self.was_sent(seq):
            return False
        before = self._unacknowledged
        while self._in_flight and self._in_flight[0][0] <= seq:
            self._unacknowledged -= self._in_flight.popleft()[1]
        if self._unacknowledged < WINDOW:
            self._room.set()
            if self._notices:
                self._news.set()
        return self._unacknowledged < before

    async def begin(self, seq: int, frame: str | None) -> None:
        """Begins at `seq`, with a snapshot if there is one."""
        self.seq = self.sent = seq
        self.reach = max(self.reach, seq)
        if frame is not None:
            await self._send_counted(seq, frame)
        self._news.set()

    async def pump(self) -> None:
        """Sends every frame in order and once, until `finish`; raises TooSlow."""
        while not (self._is_finishing and self.seq >= self.reach and not self._notices):
            self._is_idle = True
            await self.wait()
            self._is_idle = False
            await self._send_notices()
            while self.seq < self.reach and await self._send_next():
                await self._send_notices()

    async def _send_notices(self) -> None:
        """Sends notices while the reader keeps up. They are acknowledged with the frame before them."""
        while self._notices and self._unacknowledged < WINDOW:
            text, size = self._notices.popleft()
            self._notices_size -= size
            await self._send_counted(self.seq, text)

    async def _send_next(self) -> bool:
        """Sends the frames that follow; returns whether there were any."""
        start = self.seq
        for seq, text in await self.next_frames():
            if seq == self.seq + 1:
                if self._unacknowledged >= WINDOW:
                    await self._wait_for_room()
                await self._send_counted(seq, text)
                self.seq = seq
        return self.seq > start

    async def _send_counted(self, seq: int, text: str) -> None:
        self._count(seq, len(text.encode()))
        await self._send(text)

    def _count(self, seq: int, size: int) -> None:
        self.sent = seq
        self._in_flight.append((seq, size))
        self._unacknowledged += size

    async def _wait_for_room(self) -> None:
        while self._unacknowledged >= WINDOW:
            self._room.clear()
            try:
                await asyncio.wait_for(self._room.wait(), ACK_TIMEOUT)
            except TimeoutError:
                raise TooSlow from None
