"""From a commit to the sockets: this process's at once, other processes' by a doorbell on the channel layer.

No delta goes through the layer: it says only that a conversation has news, and whoever has sockets for it reads on from the journal. A lost
ring costs a second, since every process also looks for itself.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from uuid import UUID

from channels.layers import InMemoryChannelLayer, get_channel_layer

Frame = tuple[int, str]
Batch = list[tuple[UUID, list[Frame]]]

logger = logging.getLogger(__name__)

GROUP = "turntable.doorbell"
LOOK_EVERY = 1.0
JOIN_EVERY = 60.0


class Socket(Protocol):
    """What hears of a conversation; called on the server's loop, or on the writer's thread where there is none."""

    def frames(self, frames: list[Frame]) -> None:
        """Events that were committed in this process."""

    def news(self, seq: int) -> None:
        """The record reaches `seq`, as another process wrote it."""

    def notice(self, text: str) -> None:
        """A frame that is no part of the record."""


class Hub:
    """This process's open sockets, by conversation."""

    def __init__(self) -> None:
        self._sockets: dict[UUID, set[Socket]] = {}
        self._seen: dict[UUID, int] = {}
        self._waiting: list[Callable[[], None]] = []
        self._rings: dict[str, int] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Delivers on this loop from now on; what an earlier loop left undone was for sockets that are gone."""
        if loop is not self._loop:
            with self._lock:
                self._loop, self._waiting = loop, []

    def subscribe(self, conversation: UUID, socket: Socket) -> None:
        """Lets a socket hear of a conversation."""
        self._sockets.setdefault(conversation, set()).add(socket)

    def unsubscribe(self, conversation: UUID, socket: Socket) -> None:
        """Lets it hear no more."""
        listening = self._sockets.get(conversation, set())
        listening.discard(socket)
        if not listening:
            self._sockets.pop(conversation, None)
            self._seen.pop(conversation, None)

    def publish(self, batch: Batch) -> None:
        """Shows what was committed, from the writer's thread: one wake-up of the loop for all sockets."""
        self._soon(lambda: self._deliver(batch))

    def notify(self, conversation: UUID, event: dict[str, Any]) -> None:
        """Sends every socket of a conversation a frame that is no part of the record, from any thread."""
        text = unnumbered(event)
        self._soon(lambda: self._each(conversation, lambda socket: socket.notice(text)))

    def listening(self) -> list[UUID]:
        """The conversations that sockets are open for."""
        return list(self._sockets)

    def rang(self, conversation: UUID, seq: int) -> None:
        """Tells the sockets of a record that goes further than they have heard."""
        if seq > self._seen.get(conversation, -1):
            self._seen[conversation] = seq
            self._each(conversation, lambda socket: socket.news(seq))

    def rings(self) -> dict[str, int]:
        """Takes the news that other processes have not been told of: `seq` by conversation."""
        rings, self._rings = self._rings, {}
        return rings

    def _soon(self, call: Callable[[], None]) -> None:
        loop = self._loop
        if loop is None:
            call()
            return
        with self._lock:
            self._waiting.append(call)
            if len(self._waiting) > 1:
                return
        try:
            loop.call_soon_threadsafe(self._run_waiting)
        except RuntimeError:
            logger.info("the server's loop is closed")

    def _run_waiting(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def _deliver(self, batch: Batch) -> None:
        for conversation, frames in batch:
            if frames:
                self._rings[str(conversation)] = self._seen[conversation] = frames[-1][0]
                self._each(conversation, lambda socket, frames=frames: socket.frames(frames))  # type: ignore[misc]
                if conversation not in self._sockets:
                    self._seen.pop(conversation)

    def _each(self, conversation: UUID, tell: Callable[[Socket], None]) -> None:
        for socket in list(self._sockets.get(conversation, ())):
            try:
                tell(socket)
            except Exception:
                logger.exception("a socket could not be told")


def unnumbered(event: dict[str, Any]) -> str:
    """The frame of an event that is no part of the record."""
    return json.dumps(event | {"timestamp": time.time_ns() // 1_000_000}, ensure_ascii=False)


HUB = Hub()
READERS = ThreadPoolExecutor(8, thread_name_prefix="journal-reader")
"""Database reads of sockets: Django's own thread for them is one for all, and the loop's default pool is six here."""


async def keep_in_touch(heads: Callable[[list[UUID]], dict[UUID, int]]) -> None:
    """Rings for other processes and hears their rings, for ever; `heads` reads the last `seq` of conversations."""
    tasks = [asyncio.create_task(_look(heads))]
    if has_layer():
        tasks += [asyncio.create_task(_ring()), asyncio.create_task(_hear())]
    await asyncio.gather(*tasks)


def has_layer() -> bool:
    """Whether a channel layer joins several processes."""
    return not isinstance(get_channel_layer(), InMemoryChannelLayer)


async def _look(heads: Callable[[list[UUID]], dict[UUID, int]]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        HUB.rings() if not has_layer() else None
        conversations = HUB.listening()
        if conversations:
            await _safely(_look_once(loop, heads, conversations))


async def _look_once(
    loop: asyncio.AbstractEventLoop,
    heads: Callable[[list[UUID]], dict[UUID, int]],
    conversations: Iterable[UUID],
) -> None:
    for conversation, seq in (await loop.run_in_executor(READERS, heads, list(conversations))).items():
        HUB.rang(conversation, seq)


async def _ring() -> None:
    layer: Any = get_channel_layer()
    while True:
        await asyncio.sleep(0.02)
        rings = HUB.rings()
        if rings:
            await _safely(layer.group_send(GROUP, {"type": "doorbell", "rings": rings}))


async def _hear() -> None:
    layer: Any = get_channel_layer()
    channel = await layer.new_channel("turntable.process")
    while True:
        await _safely(layer.group_add(GROUP, channel))
        try:
            async with asyncio.timeout(JOIN_EVERY):
                await _hear_rings(layer, channel)
        except TimeoutError:
            continue


async def _hear_rings(layer: Any, channel: str) -> None:
    while True:
        message = await layer.receive(channel)
        for conversation, seq in message["rings"].items():
            HUB.rang(UUID(conversation), seq)


async def _safely(work: Any) -> None:
    try:
        await work
    except Exception:
        logger.exception("other processes could not be reached")
