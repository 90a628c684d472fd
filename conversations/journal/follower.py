"""A reader's place in a conversation's record."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from .recordings import Frame

Read = Callable[[int], Awaitable[list[Frame]]]

WINDOW = 256 * 1024
"""Characters of frames that are kept for a reader, who reads any more from the journal."""


class Follower:
    """A Socket of the hub that knows its reader's place in the record.

    `seq` is the last that was read, `reach` the last that is known to exist.
    """

    def __init__(self, read: Read, seq: int = 0) -> None:
        self.seq = self.reach = seq
        self._read = read
        self._frames: deque[Frame] = deque()
        self._frames_size = 0
        self._news = asyncio.Event()

    def on_frames(self, frames: list[Frame]) -> None:
        """Takes events that were committed in this process, and keeps them if there is room."""
        self.reach = max(self.reach, frames[-1][0])
        self._keep(frames)

    def _keep(self, frames: list[Frame]) -> None:
        size = sum(len(text) for _, text in frames)
        if self._frames_size + size <= WINDOW:
            self._frames += frames
            self._frames_size += size
        self._news.set()

    def on_news(self, seq: int) -> None:
        """Takes note that the record reaches `seq`."""
        self.reach = max(self.reach, seq)
        if seq > self.seq:
            self._news.set()

    def on_notice(self, text: str) -> None:
        """Ignores a frame that is no part of the record, as most readers do."""

    def wake(self) -> None:
        """Ends the reader's wait for a reason that is not in the record."""
        self._news.set()

    async def wait(self) -> None:
        """Waits until there may be more to read."""
        await self._news.wait()
        self._news.clear()

    async def next_frames(self) -> list[Frame]:
        """The frames that follow on `seq`, none if there are none yet; the reader then moves `seq`."""
        return self._take_frames() or (await self._read(self.seq) if self.seq < self.reach else [])

    def _take_frames(self) -> list[Frame]:
        """Removes the waiting frames, and returns them if they follow on."""
        frames = [frame for frame in self._frames if frame[0] > self.seq]
        self._frames.clear()
        self._frames_size = 0
        return frames if frames and frames[0][0] == self.seq + 1 else []
