"""How a process hears of what another has written: it looks, and the others ring through the channel layer."""

import asyncio
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from pytest_django.fixtures import Settings

from conversations import live
from conversations.journal.hub import Hub, hear, keep_in_touch, ring
from tests.listening import ONE, OTHER, Listener, batch, until


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def listener(hub: Hub) -> Listener:
    found = Listener()
    hub.subscribe(ONE, found)
    return found


@asynccontextmanager
async def at_work(*tasks: Any) -> AsyncIterator[None]:
    """These coroutines, running meanwhile."""
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
    hub: Hub, listener: Listener
) -> None:
    began = time.monotonic()
    async with at_work(keep_in_touch(lambda conversations: dict.fromkeys(conversations, 7), hub)):
        await reaches(listener, 7)
    assert time.monotonic() - began < 2


async def test_a_database_that_fails_is_asked_again(hub: Hub, listener: Listener) -> None:
    asked: list[list[uuid.UUID]] = []

    def heads(conversations: list[uuid.UUID]) -> dict[uuid.UUID, int]:
        asked.append(conversations)
        if len(asked) == 1:
            raise OSError
        return {ONE: 7}

    async with at_work(keep_in_touch(heads, hub)):
        await reaches(listener, 7)
    assert asked == [[ONE], [ONE]]


async def test_the_doorbell_tells_another_process_how_far_the_record_reaches(
    hub: Hub, listener: Listener
) -> None:
    writing = Hub()
    async with at_work(ring(writing), hear(hub), hear(writing)):
        await members(2)
        writing.publish([*batch(1, 2), *batch(5, conversation=OTHER)])
        await reaches(listener, 2)
        writing.publish(batch(3))
        await reaches(listener, 3)
    assert (listener.seqs, listener.reaches) == ([], [2, 3])


async def members(count: int) -> None:
    """Waits until so many processes listen for the doorbell."""
    layer = live.get_channel_layer()
    await until(lambda: len(layer.groups.get(live.GROUP, ())) == count)


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
    monkeypatch.setattr(live, "LOOK_EVERY", 0.01)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.Faltering"}}
    writing = Hub()
    async with at_work(ring(writing), hear(hub)):
        await until(lambda: Faltering.lost)
        await members(1)
        writing.publish(batch(4))
        await reaches(listener, 4)


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
    hub: Hub, listener: Listener, settings: Settings, redis: str
) -> None:
    config = {"hosts": [{"address": redis, "socket_timeout": 30}]}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}
    }
    writing = Hub()
    async with at_work(keep_in_touch(nothing_found, hub), keep_in_touch(nothing_found, writing)):
        async with asyncio.timeout(20):
            while not listener.reaches:
                writing.publish(batch(2))
                await asyncio.sleep(0.05)
    await live.get_channel_layer().close_pools()
    assert listener.reaches == [2]


def nothing_found(conversations: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    return {}
