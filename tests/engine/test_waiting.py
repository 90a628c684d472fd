"""Stops, answers, deaths and failures just as a turn begins or ends to wait for a person."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER, approvals, lifecycle, synthetic
from conversations.engine.lifecycle import ATTEMPTS
from conversations.engine.run import Run
from conversations.errors import InternalError, Refused
from conversations.journal.hub import HUB
from conversations.models import Approval, Conversation, ToolCall, Turn
from tests.conditions import until
from tests.engine.station import top_song_as, validity_errors
from tests.listeners import At, Frame, Listener
from tests.turns import QUESTION, ask, decision, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
Attempt = Callable[[], object]


class Station:
    """The station's tool, which asks first."""

    def __init__(self) -> None:
        self.played: list[str] = []
        self.before: Attempt = lambda: None


@pytest.fixture(autouse=True, name="station")
def _station() -> Iterator[Station]:
    station = Station()

    def play(sign: str) -> dict[str, str]:
        station.before()
        station.played.append(sign)
        return {"song": f"the song of {sign}"}

    with top_song_as(play, approval=True):
        yield station


def request_stop(*_: object) -> None:
    """Another process's stop: it can do no more than note it in the row."""
    assert Turn.objects.filter(status="running").update(stop_requested_at=timezone.now()) == 1


def first(act: Attempt, then: Callable[..., Any]) -> Callable[..., Any]:
    """A function that does something before what it does otherwise."""

    def both(*arguments: Any) -> Any:
        act()
        return then(*arguments)

    return both


def resume(conversation: Conversation, *, approved: bool = True) -> None:
    """A person's answer to all of the calls that wait."""
    pending = Approval.objects.filter(call__conversation=conversation, status="pending")
    entries = [decision(call, approved) for call in pending.values_list("call__tool_use_id", flat=True)]
    engine.resume(conversation, conversation.owner, entries)


def rest() -> Turn:
    """The turn, when nothing of it runs any more."""
    assert WORKER.wait(20)
    return Turn.objects.get()


def assert_stopped(conversation: Conversation, station: Station) -> None:
    turn, call, events = rest(), ToolCall.objects.get(), record(conversation)
    assert (turn.status, Approval.objects.get().status) == ("stopped", "withdrawn")
    assert (call.status, call.error, station.played) == ("error", "stopped", [])
    assert events[-1]["outcome"] == {"type": "cancelled"}
    assert not validity_errors(events)
    assert ask(conversation, "help").status == "completed"


# -- a stop of another process


MOMENTS = {"as the round has ended": (approvals, "interrupts"), "as the wait is written": (lifecycle, "wait")}


@pytest.fixture(params=MOMENTS.values(), ids=MOMENTS.keys())
def stop_elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process stops the turn just before it waits."""
    module, name = request.param
    monkeypatch.setattr(module, name, first(request_stop, getattr(module, name)))


@pytest.mark.usefixtures("stop_elsewhere")
def test_a_stop_of_another_process_just_before_a_wait_ends_the_turn(
    conversation: Conversation, station: Station
) -> None:
    ask(conversation, QUESTION)
    assert_stopped(conversation, station)


@pytest.mark.usefixtures("stop_elsewhere")
def test_it_ends_the_turn_too_where_the_process_dies_as_the_wait_begins(
    conversation: Conversation, station: Station
) -> None:
    with pytest.MonkeyPatch.context() as death:
        death.setattr(WORKER, "_follow", lambda run: None)
        assert ask(conversation, QUESTION).status == "waiting"
    WORKER.sweep()
    assert_stopped(conversation, station)


@pytest.mark.usefixtures("stop_elsewhere")
def test_whoever_answers_before_the_stop_is_heeded_lets_nothing_run(
    conversation: Conversation, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WORKER, "_follow", lambda run: None)
    ask(conversation, QUESTION)
    resume(conversation)
    assert (rest().status, station.played, ToolCall.objects.get().error) == ("stopped", [], "stopped")


def test_a_stop_of_this_process_just_before_a_wait_ends_the_turn(
    conversation: Conversation, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = first(lambda: engine.stop_here(conversation.pk), approvals.interrupts)
    monkeypatch.setattr(approvals, "interrupts", stopping)
    ask(conversation, QUESTION)
    assert_stopped(conversation, station)


def test_a_stop_that_meets_an_answer_stops_the_turn_that_goes_on(
    conversation: Conversation, station: Station
) -> None:
    begun, release, statements = threading.Event(), threading.Event(), []
    station.before = lambda: (begun.set(), release.wait(10))

    def answer_after_first_update(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if sql.startswith("UPDATE"):
            statements.append(sql)
            if len(statements) == 1:
                resume(conversation)
                assert begun.wait(10)
        return result

    ask(conversation, QUESTION)
    with connection.execute_wrapper(answer_after_first_update):
        assert engine.stop(conversation.pk)
    assert rest().status == "stopped"
    release.set()


def test_a_stop_before_a_wait_stops_no_turn_that_came_later(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, gate, over = (threading.Event() for _ in range(3))
    follow = WORKER._follow

    def late(run: Run) -> None:
        waits.set()
        assert gate.wait(10)
        follow(run)
        over.set()

    monkeypatch.setattr(
        approvals, "interrupts", first(lambda: engine.stop_here(conversation.pk), approvals.interrupts)
    )
    monkeypatch.setattr(WORKER, "_follow", late)
    engine.start(conversation.pk, str(uuid.uuid4()), QUESTION)
    assert waits.wait(10)
    monkeypatch.undo()
    resume(conversation, approved=False)
    until(lambda: Turn.objects.filter(status="completed").exists())
    later = ask(conversation, QUESTION)
    gate.set()
    assert over.wait(10)
    assert WORKER.wait(20)
    later.refresh_from_db()
    assert (later.status, later.stop_requested_at) == ("waiting", None)


# -- an answer at once


class Prompt(Listener):
    """A client that lets the calls run as soon as it hears of them."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__()
        self._conversation = conversation
        self.former: Run | None = None

    def on_frames(self, frames: list[Frame]) -> None:
        events = [json.loads(text) for _, text in frames]
        if any(event.get("outcome", {}).get("type") == "interrupt" for event in events):
            (self.former,) = [
                run for run in WORKER.runs.values() if run.turn.conversation_id == self._conversation.pk
            ]
            resume(self._conversation)


@pytest.mark.parametrize("number", range(8))
def test_a_turn_that_is_answered_at_once_keeps_its_heartbeat(
    conversation: Conversation, station: Station, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    client, over, leases = Prompt(conversation), [], dict[uuid.UUID, Any]()
    forget = WORKER._forget
    monkeypatch.setattr(WORKER, "_forget", lambda run: (forget(run), over.append(run)))

    def look() -> None:
        until(lambda: client.former in over)
        leases.update(WORKER._leases())
        assert lifecycle.beat(leases, renew=True) == set()

    station.before = look
    HUB.attach(None)
    HUB.subscribe(conversation.pk, client)
    engine.start(conversation.pk, str(uuid.uuid4()), QUESTION)
    until(lambda: Turn.objects.get().status == "completed")
    HUB.unsubscribe(conversation.pk, client)
    turn, call = rest(), ToolCall.objects.get()
    assert list(leases) == [turn.pk]
    assert (call.status, call.error, station.played) == ("success", "", ["WZPZ"])
    assert (turn.runs, turn.attempts) == (2, 1)


# -- every end


def completed(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(conversation, QUESTION)
    resume(conversation)


def denied(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(conversation, QUESTION)
    resume(conversation, approved=False)


def expired(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(conversation, QUESTION)
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    WORKER.sweep()


def stopped(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(conversation, QUESTION)
    engine.stop(conversation.pk)


def stopped_before_it_waits(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    HUB.attach(None)
    stopping = At("STEP_FINISHED", lambda: engine.stop(conversation.pk))
    HUB.subscribe(conversation.pk, stopping)
    ask(conversation, QUESTION)
    HUB.unsubscribe(conversation.pk, stopping)


def failed(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, next_step = [], synthetic.next_step

    def fail_second(*state: Any) -> Any:
        steps.append(next_step(*state))
        return steps[-1] if len(steps) == 1 else 1 / 0

    monkeypatch.setattr(synthetic, "next_step", fail_second)
    ask(conversation, QUESTION)


def beyond_the_limit(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.MAX_ROUNDS", 1)
    ask(conversation, QUESTION)


def lost(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    def die() -> None:
        Turn.objects.update(lease_token=uuid.uuid4(), attempts=ATTEMPTS)
        raise InternalError

    with pytest.MonkeyPatch.context() as death:
        death.setattr(approvals, "interrupts", first(die, approvals.interrupts))
        ask(conversation, QUESTION)
    Turn.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    WORKER.sweep()


ENDS = {
    completed: "completed",
    denied: "completed",
    expired: "completed",
    stopped: "stopped",
    stopped_before_it_waits: "stopped",
    failed: "failed",
    beyond_the_limit: "failed",
    lost: "interrupted",
}


@pytest.mark.parametrize(("end", "status"), ENDS.items(), ids=[end.__name__ for end in ENDS])
def test_no_approval_is_pending_once_its_turn_has_ended(
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    end: Callable[..., None],
    status: str,
) -> None:
    end(conversation, monkeypatch)
    turn = rest()
    assert (turn.status, Approval.objects.count()) == (status, 1)
    assert not Approval.objects.filter(status="pending").exists()
    assert not ToolCall.objects.filter(result__isnull=True).exists()
    assert not validity_errors(record(conversation))
    with pytest.raises(Refused):
        resume(conversation)
