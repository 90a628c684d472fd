"""A database that fails under a turn: only what is stored is shown, and later the chat goes on."""

import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections
from django.db.utils import OperationalError
from django.utils import timezone

from conversations import engine
from conversations.engine import WORKER
from conversations.journal import Journal
from conversations.journal.hub import HUB
from conversations.models import Message, ToolCall, Turn
from conversations.tools import registry, tool
from tests.conditions import until
from tests.faults.scene import HEALTHY, HELLO, PART, Scene, asking_for
from tests.gateway.wire import Answer, End, answer_frames
from tests.turns import answer

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="breaks an SQLite file"),
]
WELL = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"


class Database:
    """The test's database, which can be made to fail; whoever connects from then on meets the failure."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = connections.settings["default"]["OPTIONS"]

    @contextmanager
    def failing(self, pragma: str = "", timeout: float = 20) -> Iterator[None]:
        """Makes every new connection run this pragma and wait this many seconds for a lock."""
        before = dict(self.options)
        self.options |= {"init_command": f"{WELL}; {pragma}", "timeout": timeout}
        connection.close()
        try:
            yield
        finally:
            self.options |= before
            connection.close()

    def full_but_for(self, pages: int) -> str:
        """The pragma with which there is room for so many pages of 4 KiB more."""
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA page_count")
            return f"PRAGMA max_page_count={cursor.fetchone()[0] + pages}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another process holds the write lock."""
        with closing(sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    """With a writer of the test's own, whose connection is made when the turn begins."""
    monkeypatch.setattr(engine.WORKER, "journal", Journal(HUB.publish))
    return Database()


def recovers(scene: Scene, turn: Turn, text: str) -> None:
    """Checks that a turn whose lease has run out ends with its text, and that the chat goes on."""
    running = Turn.objects.filter(pk=turn.pk, status=Turn.Status.RUNNING)
    assert running.exists()
    scene.server.play(HEALTHY)

    def is_taken_over() -> bool:
        """Lets the lease run out, again where a heartbeat that had waited for the database renewed it."""
        running.update(lease_until=timezone.now() - timedelta(minutes=1))
        WORKER.sweep()
        return engine.WORKER.wait(20) and not running.exists()

    until(is_taken_over)
    turn.refresh_from_db()
    assert turn.status in (Turn.Status.COMPLETED, Turn.Status.INTERRUPTED)
    scene.check(turn, answer(scene.events(turn)))
    assert answer(scene.events(turn)).startswith(text)
    scene.check_alive()


# -- locked


def test_a_database_that_is_locked_for_a_moment_holds_the_turn_up_and_loses_nothing(
    scene: Scene, database: Database
) -> None:
    gate = threading.Event()
    turn = scene.begin(Answer.stream(*PART, gate, *HELLO[1:]))
    until(lambda: answer(scene.events()) == "Hello world")
    with database.locked():
        gate.set()
        threading.Event().wait(0.3)  # time in which the writer would have written
        assert answer(scene.events()) == "Hello world"
    assert engine.WORKER.wait(20)
    turn.refresh_from_db()
    scene.check_completed(turn, "Hello worldHello world")
    scene.check_alive()


def test_a_database_that_stays_locked_ends_the_turn_here_and_it_is_taken_up_later(
    scene: Scene, database: Database
) -> None:
    gate = threading.Event()
    with database.failing(timeout=0.2):
        turn = scene.begin(Answer.stream(*PART, gate, *HELLO[1:]))
        until(lambda: answer(scene.events()) == "Hello world")
        with database.locked():
            gate.set()
            assert engine.WORKER.wait(20)
            assert answer(scene.events()) == "Hello world"
    recovers(scene, turn, "Hello world")


def test_a_stop_while_the_database_is_locked_closes_the_gateways_connection_at_once(
    scene: Scene, database: Database
) -> None:
    turn = scene.begin(Answer.stream(*PART, terminated=False, end=End.STALL))
    until(lambda: answer(scene.events()) == "Hello world")
    with ThreadPoolExecutor(1) as aside:
        with database.locked():
            stopping = aside.submit(in_thread, partial(engine.stop, scene.conversation.pk))
            closed = scene.server.requests[0].hung_up.wait(5)
        assert stopping.result(20)
    assert closed
    assert engine.WORKER.wait(20)
    scene.check_stopped(turn, "Hello world")
    scene.check_alive()


def in_thread(work: Callable[[], object]) -> object:
    try:
        return work()
    finally:
        connection.close()


def test_a_result_that_cannot_be_stored_is_told_as_uncertain_and_its_tool_is_not_run_again(
    scene: Scene, database: Database
) -> None:
    runs, begun, gate = [], threading.Event(), threading.Event()
    with registry.override(), database.failing(timeout=0.2):

        @tool
        def count() -> str:
            """Counts."""
            runs.append(1)
            begun.set()
            gate.wait(10)
            return "counted"

        turn = scene.begin(Answer.stream(*asking_for(("call-1", "count", "{}"))))
        assert begun.wait(10)
        with database.locked():
            gate.set()
            assert engine.WORKER.wait(20)
        recovers(scene, turn, "")
    assert (len(runs), ToolCall.objects.get().error) == (1, "interrupted")


# -- full


def test_a_disk_that_fills_up_in_mid_answer_ends_the_turn_here_and_it_is_taken_up_later(
    scene: Scene, database: Database
) -> None:
    gate = threading.Event()
    with database.failing(database.full_but_for(60)):
        turn = scene.begin(Answer.stream(*PART, gate, *answer_frames("x" * 2**21)[1:]))
        until(lambda: answer(scene.events()) == "Hello world")
        gate.set()
        assert engine.WORKER.wait(20)
        assert answer(scene.events()) == "Hello world"
    recovers(scene, turn, "Hello world")


# -- at the door

AT_THE_DOOR: dict[str, Callable[[Database], str]] = {
    "read-only": lambda database: "PRAGMA query_only=1",
    "full": lambda database: database.full_but_for(0),
}


@pytest.mark.parametrize("pragma", AT_THE_DOOR.values(), ids=AT_THE_DOOR.keys())
def test_a_message_that_cannot_be_stored_is_not_taken(
    scene: Scene, database: Database, pragma: Callable[[Database], str]
) -> None:
    message_id, text = str(uuid.uuid4()), "x" * 50_000
    with database.failing(pragma(database)):
        with pytest.raises(OperationalError):
            engine.start(scene.conversation.pk, message_id, text)
        assert not engine.stop(scene.conversation.pk)
    assert not Message.objects.exists()
    scene.server.play(HEALTHY)
    assert engine.start(scene.conversation.pk, message_id, text).is_new
    assert engine.WORKER.wait(20)
    scene.check_alive()


def test_a_message_that_meets_a_lock_is_not_taken_and_can_be_sent_again(
    scene: Scene, database: Database
) -> None:
    message_id = str(uuid.uuid4())
    with database.failing(timeout=0.1), database.locked(), pytest.raises(OperationalError):
        engine.start(scene.conversation.pk, message_id, "Hello?")
    scene.server.play(HEALTHY)
    assert engine.start(scene.conversation.pk, message_id, "Hello?").is_new
    assert engine.WORKER.wait(20)
    assert Turn.objects.get().status == Turn.Status.COMPLETED
    scene.check_alive()
