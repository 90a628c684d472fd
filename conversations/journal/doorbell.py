"""News between processes: rings over the channel layer, and a poll of the database every second.

A ring says how far a conversation's record goes and which notices there are, and has the newest frames if they are small. A process with
sockets for the conversation passes the frames on if none is missing, else reads the journal. A lost ring costs a second. Without a layer
PostgreSQL rings for queued turns, and the poll finds everything else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import connection
from django.utils import timezone

from conversations.models import Conversation, Notice
from conversations.protocol.agui.events import Event

from .hub import HUB, LISTED, Hub, Ring, this_process
from .reading import READERS, last_seqs

logger = logging.getLogger(__name__)

GROUP = "turntable.doorbell"
CHANNEL = "turntable_queue"
CONNECTION_PARAMETERS = ("dbname", "user", "password", "host", "port", "connect_timeout", "sslmode")
RING_SECONDS = 0.01
"""Seconds between two rings, at least: news of that time is in the next."""

POLL_SECONDS = 1.0
JOIN_SECONDS = 60.0
"""Seconds after which a process joins the layer's group again: a layer may have forgotten it."""

ReadNotices = Callable[[UUID, Iterable[str]], list[Event]]
"""Reads a conversation's notices of some names, as they are now."""


async def run_doorbell(
    read_notices: ReadNotices, on_queued: Callable[[], None] = lambda: None, hub: Hub = HUB
) -> None:
    """Rings for other processes, hears their rings and polls the database, for ever.

    `on_queued` is called when another process has queued a turn.
    """
    tasks = [asyncio.create_task(_poll_for_ever(hub, read_notices))]
    if has_layer():
        tasks += [asyncio.create_task(ring(hub)), asyncio.create_task(hear(hub, read_notices, on_queued))]
    elif connection.vendor == "postgresql":
        tasks += [asyncio.create_task(_listen_for_ever(on_queued))]
    await asyncio.gather(*tasks)


def has_layer() -> bool:
    """Whether a channel layer joins several processes."""
    layer = get_channel_layer()
    return layer is not None and not isinstance(layer, InMemoryChannelLayer)


def store_notice(conversation: UUID, name: str) -> None:
    """Stores that there is a notice, for the polls of other processes, unless a layer carries it."""
    if not has_layer():
        Notice.objects.bulk_create(
            [Notice(conversation_id=conversation, name=name, process=this_process())],
            update_conflicts=True,
            unique_fields=["conversation", "name"],
            update_fields=["process", "at"],
        )


def ring_queue() -> None:
    """Tells other processes that a turn was queued or must stop, if there is a layer or PostgreSQL."""
    if has_layer():
        HUB.announce_queued()
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


# -- by the layer


async def ring(hub: Hub) -> None:
    """Sends this process's news to the other processes, for ever."""
    layer: Any = get_channel_layer()
    hub.is_joined = True
    while True:
        await hub.news.wait()
        rings = [_packed(conversation, news) for conversation, news in hub.rings().items()]
        message = {"type": "doorbell", "rings": rings, "queued": hub.has_queued}
        hub.has_queued = False
        if not await _attempt(layer.group_send(GROUP, message)):
            await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(RING_SECONDS)


def _packed(conversation: UUID, news: Ring) -> list[Any]:
    return [str(conversation), news.seq, news.frames, sorted(news.notices)]


async def hear(hub: Hub, read_notices: ReadNotices, on_queued: Callable[[], None] = lambda: None) -> None:
    """Hears other processes' rings for ever; rejoins a layer that fails or forgets this process."""
    layer: Any = get_channel_layer()
    channel = await layer.new_channel("turntable.process")

    async def hear_for_ever() -> None:
        while True:
            message = await layer.receive(channel)
            await _answer(hub, read_notices, message)
            if message["queued"]:
                on_queued()

    async def hear_for_a_while() -> None:
        await layer.group_add(GROUP, channel)
        with suppress(TimeoutError):
            await asyncio.wait_for(hear_for_ever(), JOIN_SECONDS)

    while True:
        if not await _attempt(hear_for_a_while()):
            await asyncio.sleep(POLL_SECONDS)


async def _answer(hub: Hub, read_notices: ReadNotices, message: dict[str, Any]) -> None:
    conversations = set(hub.conversations())
    for name, seq, frames, notices in message["rings"]:
        conversation = UUID(name)
        if LISTED in notices:
            hub.change_here(conversation)
        if conversation in conversations:
            hub.receive_ring(conversation, seq, [(number, text) for number, text in frames])
            await _show_notices(hub, read_notices, conversation, notices)


async def _show_notices(
    hub: Hub, read_notices: ReadNotices, conversation: UUID, names: Iterable[str]
) -> None:
    if names:
        for event in await READERS.run(read_notices, conversation, names):
            hub.notify_here(conversation, event)


# -- by the database


async def _listen_for_ever(on_queued: Callable[[], None]) -> None:
    while True:
        await _attempt(_listen(on_queued))
        await asyncio.sleep(POLL_SECONDS)


async def _listen(on_queued: Callable[[], None]) -> None:
    """Listens on a connection of its own, until it is lost."""
    from psycopg import AsyncConnection

    parameters = connection.get_connection_params()
    options = {name: value for name, value in parameters.items() if name in CONNECTION_PARAMETERS}
    listener = await AsyncConnection.connect(**options, autocommit=True)
    async with listener:
        await listener.execute(f"LISTEN {CHANNEL}")
        on_queued()  # for turns that were queued while nobody listened
        async for _ in listener.notifies():
            on_queued()


async def _poll_for_ever(hub: Hub, read_notices: ReadNotices) -> None:
    since = timezone.now()
    while True:
        await asyncio.sleep(POLL_SECONDS)
        now = timezone.now()
        if await _attempt(_poll(hub, read_notices, since)):
            since = now - timedelta(seconds=POLL_SECONDS)  # a commit may come later than its time


async def _poll(hub: Hub, read_notices: ReadNotices, since: datetime) -> None:
    if owners := hub.library.owners() if hub.library else []:
        for conversation, at in await READERS.run(_changes, owners, since):
            hub.change_here(conversation, at)
    if not (conversations := hub.conversations()):
        return
    for conversation, seq in (await READERS.run(last_seqs, conversations)).items():
        hub.receive_ring(conversation, seq)
    if not has_layer():
        for conversation, names in (await READERS.run(_notices, conversations, since)).items():
            await _show_notices(hub, read_notices, conversation, names)


def _changes(owners: list[int], since: datetime) -> list[tuple[UUID, datetime]]:
    """The users' conversations whose rows in a list have changed since then, and when."""
    rows = Conversation.with_deleted.filter(owner__in=owners, changed_at__gt=since).order_by()
    return list(rows.values_list("pk", "changed_at"))


def _notices(conversations: list[UUID], since: datetime) -> dict[UUID, list[str]]:
    """The names of the notices since then, by conversation."""
    names: dict[UUID, list[str]] = {}
    rows = Notice.objects.filter(conversation__in=conversations, at__gt=since).exclude(process=this_process())
    for conversation, name in rows.values_list("conversation", "name"):
        names.setdefault(conversation, []).append(name)
    return names


async def _attempt(work: Awaitable[None]) -> bool:
    """Does the work; returns whether it succeeded. A failure is only logged: the next poll repairs it."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 (a layer or database may fail with anything)
        logger.warning("other processes could not be reached: %r", error)
        return False
    return True
