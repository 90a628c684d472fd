"""Slots, which bound the tool calls of a process, and a wake-up of a loop from another thread."""

import asyncio
import threading
from collections import deque
from contextlib import suppress


class Wakeup:
    """A future of the running loop that any thread can complete."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()
        self.is_sent = False

    def send(self) -> bool:
        """Completes the future, at once and from any thread; False if its loop has closed."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._complete)
            self.is_sent = True
        return self.is_sent

    async def wait(self, stop: asyncio.Event, seconds: float | None = None) -> None:
        """Returns at the wake-up, when `stop` is set or after so many seconds, whichever comes first."""
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((self._future, stopping), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            with suppress(RuntimeError):  # the loop has closed, and nobody waits any more
                stopping.cancel()

    def _complete(self) -> None:
        if not self._future.done():
            self._future.set_result(None)


class Slots:
    """Slots for the calls that run at once in a process; further calls wait, on loops of their own.

    An abandoned call has not ended, and nobody waits for it. `tolerance` of them keep no slot, each further one does.
    """

    def __init__(self, capacity: int, tolerance: int) -> None:
        self.capacity = capacity
        self.tolerance = tolerance
        self._running = 0
        self._abandoned = 0
        self._queue: deque[Wakeup] = deque()
        # Reentrant: the garbage collector may close a waiting coroutine, which leaves the queue, at any moment.
        self._lock = threading.RLock()

    async def enter(self, stop: asyncio.Event) -> bool:
        """Waits for a slot and takes it; False, and none is taken, if `stop` is set first."""
        wakeup = Wakeup()
        self._join(wakeup)
        has_entered = False
        try:
            await wakeup.wait(stop)
            has_entered = not stop.is_set()
        finally:
            if not has_entered:
                self._leave(wakeup)
        return has_entered

    def end(self) -> None:
        """Gives back the slot of a call that has ended."""
        with self._lock:
            self._running -= 1
            self._admit()

    def abandon(self) -> int:
        """Counts a running call as abandoned; returns how many slots abandoned calls keep."""
        with self._lock:
            self._running -= 1
            self._abandoned += 1
            self._admit()
            return self._kept()

    def end_abandoned(self) -> None:
        """Counts an abandoned call as ended."""
        with self._lock:
            self._abandoned -= 1
            self._admit()

    def _join(self, wakeup: Wakeup) -> None:
        with self._lock:
            self._queue.append(wakeup)
            self._admit()

    def _leave(self, wakeup: Wakeup) -> None:
        with self._lock:
            if wakeup in self._queue:
                self._queue.remove(wakeup)
            elif wakeup.is_sent:
                self.end()

    def _admit(self) -> None:
        while self._queue and self._running + self._kept() < self.capacity:
            self._running += 1
            if not self._queue.popleft().send():
                self._running -= 1

    def _kept(self) -> int:
        return max(0, self._abandoned - self.tolerance)
