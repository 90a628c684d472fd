"""A reader's stream: server-sent events from the journal, for as long as a run is under way."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from conversations.journal import HUB, READERS, Follower, Frame, last_seq, read
from conversations.models import PublicRun
from conversations.protocol.agui.runs import RunView
from conversations.sockets import SOCKETS

from . import runs
from .callers import Caller

BEAT = 15.0
"""Seconds of silence after which a comment says that the stream is alive."""

TASKS: set[asyncio.Future[None]] = set()


def spawn(work: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine as a task that outlives its request."""
    task = asyncio.ensure_future(work)
    TASKS.add(task)
    task.add_done_callback(TASKS.discard)


class Stream:
    """One reader's stream, which ends with its runs, its reader's credentials, or the process."""

    def __init__(self, caller: Caller, conversation: UUID, view: RunView, after: int) -> None:
        self.session, self.owner = caller.key, caller.user.pk
        self.conversation_id: UUID | None = conversation
        self._conversation = conversation
        self.on_lost: Callable[[], None] | None = None
        """Called in a thread when the reader is lost before all was sent."""

        self._view, self._awaited = view, view.run
        """The view of the record, and the run with whose end the stream ends."""

        self._follower = Follower(self._read, after)
        self._is_there: Callable[[], bool] = lambda: True
        """Whether the run still exists, looked up in a thread."""

        self._last = 0
        self._is_finishing = self._has_left = False

    @classmethod
    def of_run(cls, caller: Caller, run: PublicRun, names: dict[str, str]) -> "Stream":
        """The stream of one run, from its first event to its last."""
        stream = cls(caller, run.conversation_id, RunView(run=run.run_id, names=names), run.after)
        stream._is_there = partial(runs.exists, run)
        return stream

    @classmethod
    def of_thread(cls, caller: Caller, conversation: UUID, view: RunView, running: str) -> "Stream":
        """The stream of a thread's runs, up to the end of the one that is under way."""
        stream = cls(caller, conversation, view, 0)
        stream._awaited = running
        return stream

    async def _read(self, after: int) -> list[Frame]:
        return await READERS.run(read, self._conversation, after)

    # -- an OpenSocket, which ends with its credentials and with the process

    def finish(self) -> None:
        """Ends once everything is sent, as the process ends. The reader asks for the same run again."""
        self._is_finishing = True
        self._follower.wake()

    async def leave(self, code: int) -> None:
        """Ends at once."""
        self._has_left = True
        self._follower.wake()

    # -- the stream

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The events as they come, at the reader's pace, with a comment after a long silence."""
        HUB.attach(asyncio.get_running_loop())
        HUB.subscribe(self._conversation, self._follower)
        SOCKETS.add(self)
        try:
            self._last = await READERS.run(last_seq, self._conversation)
            self._follower.on_news(self._last)
            while not (self._is_over() or self._must_end()):
                if chunk := await self._next():
                    yield chunk
        finally:
            HUB.unsubscribe(self._conversation, self._follower)
            SOCKETS.remove(self)
            self.lose()

    def lose(self) -> None:
        """Calls `on_lost`, unless all was sent or this process ended the stream."""
        if self.on_lost and not (self._is_over() or self._must_end()):
            spawn(READERS.run(self.on_lost))

    def _is_over(self) -> bool:
        """Whether all was sent that there is to send."""
        if self._awaited:
            return self._awaited in self._view.ended
        return self._follower.seq >= self._last and not self._view.open_run

    def _must_end(self) -> bool:
        return self._has_left or (self._is_finishing and self._follower.seq >= self._follower.reach)

    async def _next(self) -> bytes:
        """The next events, or a beat; blank where none of the events is for the reader."""
        if frames := await self._follower.next_frames():
            return self._payload(frames)
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT):
                await self._follower.wait()
            return b""
        self._has_left = self._has_left or not await READERS.run(self._is_there)
        return b": beat\n\n"

    def _payload(self, frames: list[Frame]) -> bytes:
        texts = []
        for seq, text in frames:
            if seq == self._follower.seq + 1:
                self._follower.seq = seq
                texts.append(self._view.frame(text))
        return "".join(f"data: {text}\n\n" for text in texts if text).encode()
