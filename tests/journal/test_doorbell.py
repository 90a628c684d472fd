"""A process learns what another has written: it looks, or hears the other ring."""

import asyncio
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import notices
from conversations.journal import doorbell
from conversations.journal.doorbell import hear, ring, run_doorbell
from conversations.journal.hub import RING_LIMIT, Hub
from conversations.models import Conversation, Notice
from conversations.protocol.agui.events import custom
from tests.conditions import until_async
from tests.listeners import ONE, OTHER, Listener, batch
from tests.lost_turns import pending_approvals
from tests.records import running
from tests.turns import conversation_of, decision


@pytest.fixture(autouse=True)
def own_layer(settings: Settings) -> None:
    """A layer that no other test has joined."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@asynccontextmanager
async def at_work(*tasks: Any) -> AsyncIterator[None]:
    """Runs these coroutines meanwhile."""
    running = [asyncio.create_task(task) for task in tasks]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def reaches(listener: Listener, seq: int) -> None:
    """Waits until a socket has heard that the record reaches `seq`."""
    async with asyncio.timeout(10):
        while seq not in listener.reaches:
            listener.heard.clear()
            await listener.heard.wait()


async def test_a_process_looks_for_itself_and_finds_within_two_seconds_what_another_wrote(
    hub: Hub, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "last_seqs", lambda conversations: dict.fromkeys(conversations, 7))
    monkeypatch.setattr(doorbell, "_notices", no_notices)
    began = time.monotonic()
    async with at_work(run_doorbell(nothing_new, hub=hub)):
        await reaches(listener, 7)
    assert time.monotonic() - began < 2


async def test_a_database_that_fails_is_asked_again(
    hub: Hub, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries: list[list[uuid.UUID]] = []

    def last_seqs(conversations: list[uuid.UUID]) -> dict[uuid.UUID, int]:
        queries.append(conversations)
        if len(queries) == 1:
            raise OSError
        return {ONE: 7}

    monkeypatch.setattr(doorbell, "last_seqs", last_seqs)
    monkeypatch.setattr(doorbell, "_notices", no_notices)
    async with at_work(run_doorbell(nothing_new, hub=hub)):
        await reaches(listener, 7)
    assert queries == [[ONE], [ONE]]


async def test_small_frames_travel_with_the_bell_to_the_sockets_of_another_process(
    hub: Hub, listener: Listener
) -> None:
    writing = Hub()
    async with at_work(ring(writing), hear(hub, nothing_new), hear(writing, nothing_new)):
        await members(2)
        writing.publish([*batch(1, 2), *batch(5, conversation=OTHER)])
        await until_async(lambda: listener.seqs == [1, 2])
        writing.publish(batch(3))
        await until_async(lambda: listener.seqs == [1, 2, 3])
    assert listener.reaches == []


async def test_of_large_frames_another_process_hears_how_far_the_record_reaches(
    hub: Hub, listener: Listener
) -> None:
    writing = Hub()
    async with at_work(ring(writing), hear(hub, nothing_new)):
        await members(1)
        writing.publish([(ONE, [(1, "x" * RING_LIMIT), (2, "x")])])
        await reaches(listener, 2)
    assert listener.seqs == []


async def test_a_notice_is_read_by_the_other_process_and_sent_to_its_sockets(
    hub: Hub, listener: Listener
) -> None:
    writing = Hub()
    async with at_work(ring(writing), hear(hub, lambda conversation, names: [custom(*names, "now")])):
        await members(1)
        writing.notify(ONE, "draft", custom("draft", "then"))
        await until_async(lambda: listener.notices)
    assert [(notice["name"], notice["value"]) for notice in listener.notices] == [("turntable.draft", "now")]


class Listening:
    """What shows lists, and remembers of which conversations it has heard."""

    def __init__(self) -> None:
        self.conversations: list[uuid.UUID] = []

    def owners(self) -> list[int]:
        return []

    def on_change(self, conversation: uuid.UUID, at: datetime | None = None) -> None:
        self.conversations.append(conversation)


async def test_a_change_of_what_lists_show_travels_with_the_bell() -> None:
    writing, reading = Hub(), Hub()
    reading.library = library = Listening()
    async with at_work(ring(writing), hear(reading, nothing_new)):
        await members(1)
        writing.change(ONE)
        await until_async(lambda: library.conversations == [ONE])


async def members(count: int) -> None:
    """Waits until so many processes listen for the doorbell."""
    layer = doorbell.get_channel_layer()
    await until_async(lambda: len(layer.groups.get(doorbell.GROUP, ())) == count)


class Faltering(InMemoryChannelLayer):  # type: ignore[misc]
    """A layer that loses its connections once."""

    lost = False

    async def receive(self, channel: str) -> Any:
        if not Faltering.lost:
            Faltering.lost = True
            self.groups.clear()
            raise ConnectionError
        return await super().receive(channel)


async def test_a_layer_that_fails_is_joined_again(
    hub: Hub, listener: Listener, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "POLL_SECONDS", 0.01)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.Faltering"}}
    writing = Hub()
    async with at_work(ring(writing), hear(hub, nothing_new)):
        await until_async(lambda: Faltering.lost)
        await members(1)
        writing.publish(batch(4))
        await until_async(lambda: listener.seqs == [4])


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """A Redis of the test's own, as REDIS_URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            assert any("Ready to accept connections" in line for line in server.stdout)
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.kill()


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server")
async def test_the_doorbell_rings_through_redis(
    hub: Hub, listener: Listener, settings: Settings, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "last_seqs", lambda conversations: {})
    config = {"hosts": [{"address": redis, "socket_timeout": 30}]}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}
    }
    writing = Hub()
    async with at_work(run_doorbell(nothing_new, hub=hub), run_doorbell(nothing_new, hub=writing)):
        async with asyncio.timeout(20):
            while not listener.seqs:
                writing.publish(batch(2))
                await asyncio.sleep(0.05)
    await doorbell.get_channel_layer().close_pools()
    assert listener.seqs == [2]


# -- notices, where no layer joins the processes


@pytest.fixture
def conversation(user: User, hub: Hub, listener: Listener) -> Conversation:
    """A conversation that a socket of this process is open for."""
    row = conversation_of(user)
    hub.subscribe(row.pk, listener)
    return row


@contextmanager
def another_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Makes this process another one, for a while."""
    with monkeypatch.context() as other:
        name = uuid.uuid4()
        other.setattr(doorbell, "this_process", lambda: name)
        yield


def notices_of(listener: Listener) -> list[tuple[str, Any]]:
    """The notices that a socket has heard."""
    return [(notice["name"].removeprefix("turntable."), notice["value"]) for notice in listener.notices]


def draft(conversation: Conversation) -> tuple[str, Any]:
    engine.keep_draft(conversation, "half a th")
    return "draft", {"text": "half a th"}


def queue(conversation: Conversation) -> tuple[str, Any]:
    running(conversation)
    message_id = str(uuid.uuid4())
    engine.start(conversation.pk, message_id, "help")
    return "queued", [{"id": message_id, "text": "help"}]


def withdrawal(conversation: Conversation) -> tuple[str, Any]:
    _, (message,) = queue(conversation)
    engine.withdraw(conversation, message["id"])
    return "queued", []


def branch(conversation: Conversation) -> tuple[str, Any]:
    turn = running(conversation, status="completed")
    running(conversation, 2, status="completed", parent=None)
    engine.show_branch(conversation, str(turn.pk))
    return "branch", {"turn": str(turn.pk)}


def decided(conversation: Conversation) -> tuple[str, Any]:
    pending_approvals(conversation, "one", "two")
    engine.resume(conversation, conversation.owner, [decision("two")])
    return "decided", {"interrupts": ["two"]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [draft, queue, withdrawal, branch, decided])
async def test_without_a_layer_a_notice_of_another_process_reaches_the_sockets_of_this_one(
    hub: Hub,
    listener: Listener,
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Conversation], tuple[str, Any]],
) -> None:
    since = timezone.now()
    with another_process(monkeypatch):
        notice = await sync_to_async(change)(conversation)
    await doorbell._poll(hub, notices.current_notices, since)
    assert notices_of(listener) == [notice]
    await doorbell._poll(hub, notices.current_notices, timezone.now())
    assert notices_of(listener) == [notice]


@pytest.mark.django_db(transaction=True)
async def test_a_notice_of_this_process_is_not_sent_a_second_time(
    hub: Hub, listener: Listener, conversation: Conversation
) -> None:
    since = timezone.now()
    await sync_to_async(draft)(conversation)
    await doorbell._poll(hub, notices.current_notices, since)
    assert notices_of(listener) == []


@pytest.mark.django_db(transaction=True)
async def test_of_a_notice_that_is_announced_again_and_again_the_newest_state_is_sent(
    hub: Hub, listener: Listener, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = timezone.now()
    for text in ("h", "ha", "half"):
        with another_process(monkeypatch):
            await sync_to_async(engine.keep_draft)(conversation, text)
    await doorbell._poll(hub, notices.current_notices, since)
    assert notices_of(listener) == [("draft", {"text": "half"})]
    assert await Notice.objects.acount() == 1


@pytest.mark.django_db(transaction=True)
async def test_a_notice_is_kept_for_this_process_though_it_announces_the_same_meanwhile(
    hub: Hub, listener: Listener, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    since, state = timezone.now(), notices.VALUES["queued"]
    message = await sync_to_async(queue)(conversation)

    def read_too_early(row: Conversation) -> Any:
        waiting = state(row)
        monkeypatch.setitem(notices.VALUES, "queued", state)
        with another_process(monkeypatch):
            engine.withdraw(row, message[1][0]["id"])
        return waiting

    monkeypatch.setitem(notices.VALUES, "queued", read_too_early)
    await sync_to_async(notices.queue_changed)(conversation.pk)
    await doorbell._poll(hub, notices.current_notices, since)
    assert notices_of(listener) == [("queued", [])]


@pytest.mark.django_db(transaction=True)
async def test_a_process_looks_for_notices_as_long_as_it_serves(
    hub: Hub, listener: Listener, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "POLL_SECONDS", 0.05)
    async with at_work(run_doorbell(notices.current_notices, hub=hub)):
        await asyncio.sleep(0)
        values = {"conversation_id": conversation.pk, "name": "draft", "process": uuid.uuid4()}
        await Conversation.objects.filter(pk=conversation.pk).aupdate(draft="half")
        await Notice.objects.acreate(**values)
        await until_async(lambda: notices_of(listener))
    assert notices_of(listener)[0] == ("draft", {"text": "half"})


def nothing_new(conversation: uuid.UUID, names: Any) -> list[Any]:
    return []


def no_notices(conversations: list[uuid.UUID], since: Any) -> dict[uuid.UUID, list[str]]:
    return {}
