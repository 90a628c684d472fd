"""Delivers commits to this process's open sockets, with one wake-up of the loop for all of them."""

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Protocol
from uuid import UUID, uuid4

from .recordings import Frame

Delivery = list[tuple[UUID, list[Frame]]]
"""Frames by conversation, in the order of their commit."""

LISTED = "listed"
"""The notice in a ring that a conversation's row in lists has changed."""

logger = logging.getLogger(__name__)

RING_LIMIT = 32 * 1024
"""Characters of a conversation's frames that travel with a ring."""


class Socket(Protocol):
    """A reader of a conversation, called on the server's loop, or else on the writer's thread."""

    def on_frames(self, frames: list[Frame]) -> None:
        """Takes events that were committed in this process."""

    def on_news(self, seq: int) -> None:
        """Takes note that another process has written the record up to `seq`."""

    def on_notice(self, text: str) -> None:
        """Takes a frame that is no part of the record."""


@dataclass
class Ring:
    """News of a conversation for other processes: its last `seq`, newest frames and names of notices."""

    seq: int = 0
    frames: list[Frame] = field(default_factory=list)
    notices: set[str] = field(default_factory=set)
    _size: int = 0

    def add(self, frames: list[Frame]) -> None:
        """Adds frames. Beyond the limit it keeps none: readers then read the journal."""
        self.seq = frames[-1][0]
        self._size += sum(len(text) for _, text in frames)
        self.frames = [*self.frames, *frames] if self._size <= RING_LIMIT else []


class Library(Protocol):
    """The lists of conversations that are open in this process; called on the server's loop."""

    def owners(self) -> list[int]:
        """The users whose lists are open."""

    def on_change(self, conversation: UUID, at: datetime | None = None) -> None:
        """Takes note that a conversation's row in lists has changed, `at` the time if it is known."""


class Hub:
    """This process's open sockets, by conversation."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        """Set when there is news for other processes, while a doorbell `is_joined` to them."""

        self.is_joined = False
        self.has_queued = False
        """Whether the next ring tells other processes that a turn was queued."""

        self.library: Library | None = None
        """The open lists of this process."""

        self._sockets: dict[UUID, set[Socket]] = {}
        self._waiting: list[Callable[[], None]] = []
        self._rings: dict[UUID, Ring] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Delivers on this loop from now on. Calls that wait for an earlier loop are dropped."""
        if loop is not self._loop:
            with self._lock:
                self._loop, self._waiting = loop, []

    def subscribe(self, conversation: UUID, socket: Socket) -> None:
        """Delivers a conversation's frames to a socket from now on."""
        self._sockets.setdefault(conversation, set()).add(socket)

    def unsubscribe(self, conversation: UUID, socket: Socket) -> None:
        """Delivers no more of a conversation to a socket."""
        sockets = self._sockets.get(conversation, set())
        sockets.discard(socket)
        if not sockets:
            self._sockets.pop(conversation, None)

    def publish(self, delivery: Delivery) -> None:
        """Delivers committed frames, from the writer's thread: one wake-up of the loop for all sockets."""
        self._schedule(lambda: self._deliver(delivery))

    def notify(self, conversation: UUID, name: str, event: dict[str, Any]) -> None:
        """Sends every socket of a conversation a frame that is no part of the record, from any thread."""
        text = unnumbered_frame(event)
        self._schedule(lambda: self._notify(conversation, name, text))

    def change(self, conversation: UUID) -> None:
        """Tells every process that a conversation's row in lists has changed; from any thread."""
        self._schedule(lambda: self._change(conversation))

    def change_here(self, conversation: UUID, at: datetime | None = None) -> None:
        """Tells this process so; called on the loop."""
        if self.library is not None:
            self.library.on_change(conversation, at)

    def _change(self, conversation: UUID) -> None:
        self.change_here(conversation)
        if self.is_joined:
            self._rings.setdefault(conversation, Ring()).notices.add(LISTED)
            self.news.set()

    def announce_queued(self) -> None:
        """Tells other processes that a turn was queued, which any of them may claim."""
        self._schedule(self._ring_queue)

    def _ring_queue(self) -> None:
        self.has_queued = self.is_joined
        if self.is_joined:
            self.news.set()

    def notify_here(self, conversation: UUID, event: dict[str, Any]) -> None:
        """Sends the sockets of this process a notice of another process; called on the loop."""
        text = unnumbered_frame(event)
        self._tell(conversation, lambda socket: socket.on_notice(text))

    def _notify(self, conversation: UUID, name: str, text: str) -> None:
        self._tell(conversation, lambda socket: socket.on_notice(text))
        if self.is_joined:
            self._rings.setdefault(conversation, Ring()).notices.add(name)
            self.news.set()

    def conversations(self) -> list[UUID]:
        """The conversations that sockets are open for."""
        return list(self._sockets)

    def receive_ring(self, conversation: UUID, seq: int, frames: list[Frame] | None = None) -> None:
        """Tells a conversation's sockets how far another process has written, or its frames."""
        if frames:
            self._show(conversation, frames)
        else:
            self._tell(conversation, lambda socket: socket.on_news(seq))

    def rings(self) -> dict[UUID, Ring]:
        """Removes and returns the news for other processes, by conversation."""
        self.news.clear()
        rings, self._rings = self._rings, {}
        return rings

    def _schedule(self, call: Callable[[], None]) -> None:
        with self._lock:
            loop, is_first = self._loop, not self._waiting
            if loop is not None:
                self._waiting.append(call)
        if loop is None:
            call()
        elif is_first:
            self._wake(loop)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(self._run_waiting)
        except RuntimeError:
            logger.info("the server's loop is closed")
            with self._lock:
                self._waiting = [] if self._loop is loop else self._waiting

    def _run_waiting(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def _deliver(self, delivery: Delivery) -> None:
        for conversation, frames in delivery:
            if not frames:
                continue
            if self.is_joined:
                self._rings.setdefault(conversation, Ring()).add(frames)
                self.news.set()
            self._show(conversation, frames)

    def _show(self, conversation: UUID, frames: list[Frame]) -> None:
        self._tell(conversation, lambda socket: socket.on_frames(frames))

    def _tell(self, conversation: UUID, call: Callable[[Socket], None]) -> None:
        for socket in list(self._sockets.get(conversation, ())):
            try:
                call(socket)
            except Exception:
                logger.exception("a socket failed to take its news")


def unnumbered_frame(event: dict[str, Any]) -> str:
    """The frame of an event that is no part of the record."""
    return json.dumps(event | {"timestamp": time.time_ns() // 1_000_000}, ensure_ascii=False)


def this_process() -> UUID:
    """The id of this process in what it writes; a forked process has an id of its own."""
    return _process(os.getpid())


@cache
def _process(pid: int) -> UUID:
    return uuid4()


HUB = Hub()
