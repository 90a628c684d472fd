"""From a commit to the sockets: this process's at once, other processes' by a doorbell on the channel layer.

No delta goes through the layer: it says only that a conversation has news, and whoever has sockets for it reads on from the journal. A lost
ring costs a second, since every process also looks for itself.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import connection

Frame = tuple[int, str]
Batch = list[tuple[UUID, list[Frame]]]
Heads = Callable[[list[UUID]], dict[UUID, int]]

logger = logging.getLogger(__name__)

GROUP = "turntable.doorbell"
RING_EVERY = 0.02
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
        if conversation in self._sockets and seq > self._seen.get(conversation, -1):
            self._seen[conversation] = seq
            self._each(conversation, lambda socket: socket.news(seq))

    def rings(self) -> dict[str, int]:
        """Takes the news that other processes have not been told of: `seq` by conversation."""
        rings, self._rings = self._rings, {}
        return rings

    def _soon(self, call: Callable[[], None]) -> None:
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

    def _deliver(self, batch: Batch) -> None:
        for conversation, frames in batch:
            if frames:
                self._rings[str(conversation)] = self._seen[conversation] = frames[-1][0]
                self._each(conversation, lambda socket, frames=frames: socket.frames(frames))  # type: ignore[misc]
                if conversation not in self._sockets:
                    self._seen.pop(conversation, None)

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


async def in_reader(work: Callable[..., Any], *args: Any) -> Any:
    """Runs database work in a thread of the readers' pool."""
    return await asyncio.get_running_loop().run_in_executor(READERS, _closing, work, *args)


def _closing(work: Callable[..., Any], *args: Any) -> Any:
    try:
        return work(*args)
    finally:
        connection.close()


async def keep_in_touch(heads: Heads, hub: Hub = HUB) -> None:
    """Rings for other processes and hears their rings, for ever; `heads` reads the last `seq` of conversations."""
    tasks = [asyncio.create_task(_look(hub, heads))]
    if has_layer():
        tasks += [asyncio.create_task(ring(hub)), asyncio.create_task(hear(hub))]
    await asyncio.gather(*tasks)


def has_layer() -> bool:
    """Whether a channel layer joins several processes."""
    return not isinstance(get_channel_layer(), InMemoryChannelLayer)


async def _look(hub: Hub, heads: Heads) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if not has_layer():
            hub.rings()
        if hub.listening():
            await _safely(_look_once(hub, heads))


async def _look_once(hub: Hub, heads: Heads) -> None:
    loop = asyncio.get_running_loop()
    for conversation, seq in (await loop.run_in_executor(READERS, heads, hub.listening())).items():
        hub.rang(conversation, seq)


async def ring(hub: Hub) -> None:
    """Tells the other processes of what was committed in this one, for ever."""
    layer: Any = get_channel_layer()
    while True:
        await asyncio.sleep(RING_EVERY)
        rings = hub.rings()
        if rings and not await _safely(layer.group_send(GROUP, {"type": "doorbell", "rings": rings})):
            await asyncio.sleep(LOOK_EVERY)


async def hear(hub: Hub) -> None:
    """Hears what the other processes tell, for ever; a layer that fails or forgets is joined again."""
    layer: Any = get_channel_layer()
    channel = await layer.new_channel("turntable.process")
    while True:
        if not await _safely(_hear_for_a_while(hub, layer, channel)):
            await asyncio.sleep(LOOK_EVERY)


async def _hear_for_a_while(hub: Hub, layer: Any, channel: str) -> None:
    await layer.group_add(GROUP, channel)
    with suppress(TimeoutError):
        async with asyncio.timeout(JOIN_EVERY):
            while True:
                _answer(hub, await layer.receive(channel))


def _answer(hub: Hub, message: dict[str, dict[str, int]]) -> None:
    for conversation, seq in message["rings"].items():
        hub.rang(UUID(conversation), seq)


async def _safely(work: Awaitable[None]) -> bool:
    """Whether the work went well; a failure is only logged, as every process looks for itself too."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 (a layer or database may fail with anything)
        logger.warning("other processes could not be reached: %r", error)
        return False
    return True
