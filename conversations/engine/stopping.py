"""The stop of a running turn. It cancels what the turn allows to be cancelled, and never a commit."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from conversations.errors import TurntableError


class Stopped(TurntableError):
    """The turn was stopped."""

    code = "stopped"


class Stop:
    """A running turn's stop, set once, on the loop that the turn runs on."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def request(self) -> None:
        """Stops the turn, and cancels what it awaits within `interruptible`."""
        if not self.event.is_set():
            self.event.set()
            if self._task is not None:
                self._task.cancel()

    def check(self) -> None:
        """Raises Stopped if the turn was stopped."""
        if self.event.is_set():
            raise Stopped

    async def sleep(self, seconds: float) -> None:
        """Waits, or raises Stopped as soon as the turn is stopped."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.event.wait(), seconds)
        self.check()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Lets a stop cancel what is awaited within; raises Stopped then."""
        self.check()
        task = self._task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            if task is None or not self.event.is_set() or task.uncancel():
                raise
            raise Stopped from None
        finally:
            self._task = None
