"""A process runs no more turns at once than it may; one that waits holds no thread or connection."""

import asyncio
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connections
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER, commands
from conversations.engine.worker import Worker
from conversations.gateway import get_gateway
from conversations.journal.hub import HUB
from conversations.models import Conversation, Turn
from conversations.tools import registry, tool
from conversations.tools.execution import TOOLS_AT_ONCE
from tests.conditions import until
from tests.engine.station import top_song_as
from tests.gateway.wire import Answer, WireServer
from tests.lost_turns import Lost
from tests.resources import Before
from tests.turns import QUESTION, conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway", "no_limits")]
MANY = 50


def start(conversation: Conversation, text: str = QUESTION) -> Turn:
    return engine.start(conversation.pk, str(uuid.uuid4()), text).turn


def statuses() -> list[str]:
    return list(Turn.objects.order_by("created_at").values_list("status", flat=True))


# -- capacity


class Serving:
    """A worker as a server process has it, on a loop in a thread."""

    def __init__(self, *, takes_turns: bool = True, capacity: int = 1) -> None:
        self.worker = Worker()
        self.worker.capacity = capacity
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.worker.serve(self._loop, takes_turns=takes_turns)

    def close(self) -> None:
        """Ends it, and all that it does with the database."""
        self.worker.drain(20)
        HUB.attach(None)
        get_gateway().close()
        asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result(10)
        self.worker._keeper.submit(connections.close_all)
        for threads in (self.worker._threads, self.worker._keeper):
            threads._pool.shutdown()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _cancel(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Worker]]:
    """Makes a worker that serves, and that takes this process's messages; it has no sockets."""
    monkeypatch.setattr("conversations.engine.worker.run_doorbell", alone)
    processes: list[Serving] = []

    def serve(**options: object) -> Worker:
        processes.append(Serving(**options))  # type: ignore[arg-type]
        monkeypatch.setattr(commands, "WORKER", processes[-1].worker)
        return processes[-1].worker

    yield serve
    for process in processes:
        process.close()


async def alone(*_: object) -> None:
    """Is in touch with no other process."""


class Studio:
    """A tool that plays until it is released, and counts who plays at once."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.playing, self.most = 0, 0
        self._lock = threading.Lock()

    def play(self, sign: str) -> str:
        with self._lock:
            self.playing += 1
            self.most = max(self.most, self.playing)
        self.release.wait(20)
        with self._lock:
            self.playing -= 1
        return sign


@pytest.fixture(name="studio")
def _studio() -> Iterator[Studio]:
    studio = Studio()
    with top_song_as(studio.play):
        yield studio
        studio.release.set()
        assert WORKER.wait(20)


def test_beyond_its_capacity_a_message_waits_until_a_turn_has_ended(
    user: User, studio: Studio, serving: Callable[..., Worker]
) -> None:
    worker = serving(capacity=1)
    first, second = start(conversation_of(user)), start(conversation_of(user), "help")
    until(lambda: studio.playing)
    assert (first.status, second.status, statuses()) == ("running", "queued", ["running", "queued"])
    worker.claim()
    assert statuses() == ["running", "queued"]
    studio.release.set()
    until(lambda: statuses() == ["completed", "completed"])


def test_no_more_turns_run_at_once_than_the_capacity(
    user: User, studio: Studio, serving: Callable[..., Worker]
) -> None:
    serving(capacity=2)
    for _ in range(6):
        start(conversation_of(user))
    until(lambda: studio.playing == 2)
    assert Counter(statuses()) == {"running": 2, "queued": 4}
    studio.release.set()
    until(lambda: statuses() == ["completed"] * 6)
    assert studio.most == 2


def test_no_more_lost_turns_are_taken_over_at_once_than_the_capacity(
    user: User, studio: Studio, serving: Callable[..., Worker]
) -> None:
    for _ in range(4):
        Lost(conversation_of(user))
    start(conversation_of(user))
    assert statuses() == ["running"] * 5
    until(lambda: studio.playing == 1)
    serving(capacity=2)
    until(lambda: studio.playing == 3)
    assert Turn.objects.filter(attempts=0).count() == 2
    studio.release.set()
    until(lambda: statuses() == ["completed"] * 5)
    assert studio.most == 3


def test_a_process_that_only_serves_leaves_turns_to_another(
    user: User, serving: Callable[..., Worker]
) -> None:
    worker, conversation = serving(takes_turns=False), conversation_of(user)
    turn = start(conversation)
    assert (turn.status, statuses(), worker.runs) == ("queued", ["queued"], {})
    assert engine.stop(conversation.pk) is False
    serving(capacity=1)
    until(lambda: statuses() == ["completed"])
    assert worker.runs == {}


# -- what waits


def test_turns_that_wait_for_a_silent_gateway_hold_no_thread_and_no_connection(
    user: User, settings: Settings
) -> None:
    conversations = [conversation_of(user) for _ in range(MANY)]
    with WireServer([Answer.silence()]) as server:
        settings.GATEWAY_URL = server.url
        before = Before()
        for conversation in conversations:
            start(conversation)
        for _ in conversations:
            server.wait()
        assert len(WORKER.runs) == MANY
        before.check()
        for conversation in conversations:
            engine.stop(conversation.pk)
        assert WORKER.wait(20)
    assert statuses() == ["stopped"] * MANY


def test_turns_that_wait_for_slow_tools_hold_no_connection_and_no_thread_beside_the_tools(user: User) -> None:
    release, begun = threading.Event(), []
    with registry.override():

        @tool
        async def top_song(sign: str) -> str:
            """Get the most popular song played on a radio station."""
            begun.append(sign)
            while not release.is_set():  # noqa: ASYNC110 (the event is a thread's)
                await asyncio.sleep(0.01)
            return sign

        before = Before()
        for _ in range(MANY):
            start(conversation_of(user))
        until(lambda: len(begun) == TOOLS_AT_ONCE)
        before.check(tool=TOOLS_AT_ONCE)
        release.set()
        assert WORKER.wait(30)
    assert statuses() == ["completed"] * MANY


def test_turns_that_wait_for_a_person_are_rows_alone(user: User) -> None:
    with top_song_as(str, approval=True):
        before = Before()
        for _ in range(MANY):
            start(conversation_of(user))
        until(lambda: statuses() == ["waiting"] * MANY)
        assert WORKER.wait(20)
        before.check()
        assert WORKER.runs == {}
