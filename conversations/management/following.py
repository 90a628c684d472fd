"""A terminal's cursor on a conversation's record."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol
from uuid import UUID

from conversations import engine
from conversations.journal import HUB, Frame, last_seq, read
from conversations.models import Turn

Event = dict[str, Any]

TICK = 0.1
"""Seconds after which a display may redraw a clock, and Ctrl+C is noticed."""

POLL_INTERVAL = 0.5
"""Seconds between two looks for events of other processes."""

IMPATIENCE = 3
"""Presses of Ctrl+C in one answer after which the program itself is meant."""

ENDS = ("RUN_FINISHED", "RUN_ERROR")


class Display(Protocol):
    """A display of events."""

    def show(self, event: Event) -> None:
        """Shows an event."""

    def tick(self) -> None:
        """Redraws what changes with time."""


class TerminalFollower:
    """A cursor on a conversation's record."""

    def __init__(self, conversation: UUID, cursor: int | None = None) -> None:
        self.conversation = conversation
        self.cursor = last_seq(conversation) if cursor is None else cursor
        self._news = threading.Event()

    # -- the Socket protocol of the journal's hub

    def on_frames(self, frames: list[Frame]) -> None:
        """Notes that there is something to read."""
        self._news.set()

    def on_news(self, seq: int) -> None:
        """Notes that there is something to read."""
        self._news.set()

    def on_notice(self, text: str) -> None:
        """Ignores the notice."""

    # -- reading on

    def has_news(self) -> bool:
        """Whether there is something to read."""
        return last_seq(self.conversation) > self.cursor

    def unread(self) -> Iterator[Event]:
        """The stored events from the cursor on."""
        while frames := read(self.conversation, self.cursor):
            for self.cursor, data in frames:
                yield json.loads(data)

    def follow(self, display: Display, turn: Turn, *, with_others: bool = False) -> str | None:
        """Shows the turn's events until its run ends, and returns its error's text if it failed.

        Ctrl+C stops it. With `with_others` the events of turns before it are shown too, until any run ends.
        """
        has_begun = with_others
        for event in self._events(display, turn):
            has_begun = has_begun or event.get("runId") == turn.run_id
            if has_begun:
                display.show(event)
            if has_begun and event["type"] in ENDS:
                error: str | None = event.get("message")
                return error
        return None

    def _events(self, display: Display, turn: Turn) -> Iterator[Event]:
        """The events from the cursor on, until the turn is over."""
        looked_at = time.monotonic()
        with Presses() as presses:
            while True:
                is_late = time.monotonic() - looked_at > POLL_INTERVAL
                has_news = self._news.wait(TICK) or is_late
                self._news.clear()
                before = self.cursor
                for event in self.unread() if has_news else ():
                    yield event
                    presses.heed(self.conversation)
                looked_at = time.monotonic() if has_news else looked_at
                presses.heed(self.conversation)
                display.tick()
                if is_late and self.cursor == before and not self._is_under_way(turn):
                    yield from self.unread()
                    return

    def _is_under_way(self, turn: Turn) -> bool:
        """Whether the turn runs or is queued. A turn whose process has died is taken over here."""
        engine.WORKER.sweep(self.conversation)
        return Turn.objects.filter(pk=turn.pk, status__in=(Turn.Status.RUNNING, Turn.Status.QUEUED)).exists()


@contextmanager
def following(conversation: UUID) -> Iterator[TerminalFollower]:
    """A follower of the conversation's record from now on."""
    follower = TerminalFollower(conversation)
    HUB.subscribe(conversation, follower)
    try:
        yield follower
    finally:
        HUB.unsubscribe(conversation, follower)


@contextmanager
def on_ctrl_c(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Within the context Ctrl+C calls the handler."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


class Presses:
    """Presses of Ctrl+C during an answer, which take effect between events."""

    def __init__(self) -> None:
        self._count = 0
        self._is_heeded = False
        self._former: Any = None

    def __enter__(self) -> "Presses":
        if threading.current_thread() is threading.main_thread():
            self._former = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_: object) -> None:
        if self._former is not None:
            signal.signal(signal.SIGINT, self._former)

    def _press(self, number: int, frame: object) -> None:
        self._count += 1

    def heed(self, conversation: UUID) -> None:
        """Stops the answer at the first press; raises KeyboardInterrupt at the third."""
        if self._count >= IMPATIENCE:
            raise KeyboardInterrupt
        if self._count and not self._is_heeded:
            self._is_heeded = True
            engine.stop(conversation)
