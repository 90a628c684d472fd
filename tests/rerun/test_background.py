"""Reruns in the background hold no thread while a turn runs or waits, and stop and go on with it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.demo_gateway import DemoGateway
from conversations.engine import WORKER
from conversations.models import Approval, Conversation, Turn
from conversations.rerun import Options, Rerun, comparing, rerun, rerunning
from conversations.threads import Threads
from conversations.tools import registry, tool
from tests.commands import command
from tests.conditions import until
from tests.reruns import conversation_with, reports
from tests.resources import Before
from tests.turns import QUESTION, decision

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway", "no_limits")]
MANY = 30
LOOKS = 5


class Clock:
    """The module's asyncio, whose sleeps are short and counted."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await asyncio.sleep(0.02)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rerunning, "asyncio", clock)
    return clock


@pytest.fixture
def conversation(user: User, gateway: DemoGateway) -> Conversation:
    """Two messages that were answered, before the tool needed an approval."""
    return conversation_with(user, QUESTION, "help")


@pytest.fixture
def approval(conversation: Conversation) -> Iterator[None]:
    """From here on the tool needs one."""
    with registry.override():

        @tool(approval=True)
        def top_song(sign: str) -> str:
            """Get the most popular song played on a radio station."""
            return sign

        yield


def begin(conversation: Conversation, **how: Any) -> Rerun:
    new = rerun(conversation, Options(**{"tools": "live"} | how))
    comparing.run_in_background(new)
    return new


def begin_and_wait(conversation: Conversation) -> Rerun:
    """A rerun whose first turn waits for a person."""
    new = begin(conversation)
    until(lambda: statuses(new) == ["waiting"])
    return new


def statuses(new: Rerun) -> list[str]:
    return list(new.conversation.turns.order_by("number").values_list("status", flat=True))


def approve(new: Rerun) -> None:
    call = Approval.objects.get(call__conversation=new.conversation, status="pending").call.tool_use_id
    engine.resume(new.conversation, new.conversation.owner, [decision(call)])


class Statements:
    """The statements of the reruns' own threads, a list for each piece of work."""

    def __init__(self, threads: Any) -> None:
        self.works: list[list[str]] = []
        self._threads = threads

    async def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await self._threads.run(self._counted, work, *arguments)

    def _counted(self, work: Callable[..., Any], *arguments: Any) -> Any:
        statements: list[str] = []

        def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            statements.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            result = work(*arguments)
        self.works.append(statements)
        return result


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    statements = Statements(rerunning.DATABASE)
    monkeypatch.setattr(rerunning, "DATABASE", statements)
    return statements


@pytest.mark.usefixtures("approval")
def test_while_a_person_decides_it_reads_one_row_each_poll_interval(
    conversation: Conversation, clock: Clock, statements: Statements, caplog: pytest.LogCaptureFixture
) -> None:
    new = begin(conversation)
    until(lambda: len(clock.sleeps) > LOOKS)
    assert set(clock.sleeps) == {rerunning.POLL_INTERVAL}
    first = next(at for at, work in enumerate(statements.works) if work == [])
    looks = statements.works[first - 1 : first - 1 + 2 * LOOKS]
    assert [len(work) for work in looks] == [1, 0] * LOOKS
    engine.stop(new.conversation.pk)
    until(lambda: reports(caplog))


def test_while_its_turns_run_here_it_does_not_poll(
    user: User, settings: Settings, clock: Clock, statements: Statements, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()
    with registry.override():

        @tool
        def top_song(sign: str) -> str:
            """Get the most popular song played on a radio station."""
            release.wait(20)
            return sign

        release.set()
        conversation = conversation_with(user, QUESTION)
        release.clear()
        new = begin(conversation)
        until(lambda: new.conversation.tool_calls.filter(status="running").exists())
        works = len(statements.works)
        release.set()
        until(lambda: reports(caplog) == [f"rerun {new.conversation.pk}: 1 turns asked again"])
    assert (works, clock.sleeps) == (1, [])
    assert len(statements.works) == 3  # the message is sent, the turn is read, nothing is left


@pytest.mark.usefixtures("approval")
def test_many_that_wait_hold_no_threads_and_connections_beyond_their_pool(
    conversation: Conversation,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(rerunning, "DATABASE", pool := Threads("rerun", 2))
    before = Before()
    reruns = [begin(conversation) for _ in range(MANY)]
    until(lambda: Turn.objects.filter(status="waiting").count() == MANY)
    until(lambda: len(clock.sleeps) > 2 * MANY)
    before.check(rerun=2)
    for new in reruns:
        engine.stop(new.conversation.pk)
    until(lambda: len(reports(caplog)) == MANY)
    pool._pool.shutdown()


@pytest.mark.usefixtures("approval", "clock")
def test_it_goes_on_when_a_person_has_decided(
    conversation: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    new = begin_and_wait(conversation)
    approve(new)
    until(lambda: reports(caplog) == [f"rerun {new.conversation.pk}: 2 turns asked again"])
    assert statuses(new) == ["completed", "completed"]


@pytest.mark.usefixtures("approval", "clock")
def test_it_ends_with_a_turn_that_is_stopped(
    conversation: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    new = begin_and_wait(conversation)
    engine.stop(new.conversation.pk)
    until(lambda: reports(caplog) == [f"rerun {new.conversation.pk}: 1 turns asked again, not all"])
    assert statuses(new) == ["stopped"]


@pytest.mark.usefixtures("approval", "clock")
def test_a_process_that_drains_leaves_it_to_be_gone_on_with(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    new = begin_and_wait(conversation)
    with monkeypatch.context() as draining:
        draining.setattr(WORKER, "is_draining", True)
        until(lambda: reports(caplog) == [f"rerun {new.conversation.pk}: 0 turns asked again, not all"])
    approve(new)
    assert WORKER.wait(20)
    assert statuses(new) == ["completed"]
    code, out, _ = command("rerun", "--continue", str(new.conversation.pk), "--tools", "live")
    assert (code, statuses(new)) == (1, ["completed", "completed"]), out  # the tool says something else now


@pytest.fixture
def busy(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Until it is undone this process runs no turns: they are queued for another."""
    with monkeypatch.context() as busy:
        busy.setattr(WORKER, "takes_turns", False)
        yield busy


def test_a_turn_that_another_process_is_to_run_is_looked_at_each_poll_interval(
    conversation: Conversation, clock: Clock, busy: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    new = begin(conversation, numbers=range(2, 3))
    until(lambda: len(clock.sleeps) > LOOKS)
    assert statuses(new) == ["queued"]
    busy.undo()
    WORKER.claim(new.conversation.pk)
    until(lambda: reports(caplog) == [f"rerun {new.conversation.pk}: 1 turns asked again"])


@pytest.mark.usefixtures("clock", "busy")
def test_it_ends_with_a_message_that_is_taken_back(
    conversation: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    new = begin(conversation)
    until(lambda: statuses(new) == ["queued"])
    engine.withdraw(new.conversation, str(new.conversation.messages.get().public_id))
    until(lambda: reports(caplog) == [f"rerun {new.conversation.pk} was refused: invalid_request"])


def test_it_waits_for_the_users_limits_without_a_thread(
    conversation: Conversation, settings: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    settings.USER_TURNS_PER_MINUTE = 1
    new = begin(conversation)
    until(lambda: len(clock.sleeps) > LOOKS)
    settings.USER_TURNS_PER_MINUTE = 0
    until(lambda: reports(caplog) == [f"rerun {new.conversation.pk}: 2 turns asked again"])
    assert set(clock.sleeps) == {rerunning.POLL_INTERVAL}
