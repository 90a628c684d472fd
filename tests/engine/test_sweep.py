"""The sweep takes up lost turns and the queue, packs leftovers, and leaves alone what others run."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from conversations import engine
from conversations.engine import WORKER
from conversations.engine.lifecycle import LEASE
from conversations.engine.run import Run, Shared
from conversations.engine.worker import HAND_OVER
from conversations.errors import InternalError
from conversations.journal import pack
from conversations.models import Conversation, Event, Recording, Turn
from conversations.protocol.agui.events import step_started
from conversations.threads import Threads
from tests.lost_turns import Lost
from tests.records import finished
from tests.resources import at_once
from tests.turns import conversation_of, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
MOMENT = timedelta(seconds=1)


@pytest.fixture
def draining() -> Iterator[None]:
    """A process that is about to end."""
    WORKER.is_draining = True
    yield
    WORKER.is_draining = False


def statuses() -> list[str]:
    return list(Turn.objects.order_by("conversation__created_at", "number").values_list("status", flat=True))


def test_a_turn_whose_lease_runs_is_left_alone(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.begins_round()
    Turn.objects.update(lease_until=timezone.now() + LEASE)
    before = record(conversation)
    WORKER.sweep()
    assert (statuses(), record(conversation)) == (["running"], before)


def test_a_turn_that_this_process_runs_is_left_alone_however_late_its_heart_beats(
    conversation: Conversation,
) -> None:
    lost = Lost(conversation)
    WORKER.runs[lost.turn.pk] = run_of(lost.turn)
    try:
        WORKER.sweep()
    finally:
        del WORKER.runs[lost.turn.pk]
    assert statuses() == ["running"]


def test_sweeping_again_changes_nothing(conversation: Conversation) -> None:
    Lost(conversation)
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    events = record(conversation)
    WORKER.sweep()
    assert record(conversation) == events


def test_of_several_processes_that_sweep_at_once_one_takes_the_turn_up(conversation: Conversation) -> None:
    Lost(conversation).says("Ele")
    at_once(*[WORKER.sweep] * 4)
    assert engine.WORKER.wait(20)
    assert statuses() == ["completed"]
    assert len(of_type(record(conversation), "RUN_FINISHED")) == 1


def test_a_process_that_comes_back_too_late_writes_no_more(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.says("Elemental ")
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    events = record(conversation)
    with pytest.raises(InternalError):
        lost.record.commit(step_started(2), write=lost.turn.save)
    assert record(conversation) == events
    assert statuses() == ["completed"]


def test_a_turn_that_cannot_be_recovered_keeps_no_other_from_it(
    conversation: Conversation, user: User
) -> None:
    Lost(conversation).begins_round()
    Event.objects.update(data="not JSON")
    other = conversation_of(user)
    Lost(other)
    queued(other, 2)
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    assert statuses() == ["failed", "completed", "completed"]


def test_one_conversation_alone_can_be_swept(conversation: Conversation, user: User) -> None:
    other = conversation_of(user)
    Lost(conversation)
    Lost(other)
    queued(conversation, 2)
    WORKER.sweep(only=other.pk)
    assert engine.WORKER.wait(20)
    assert statuses() == ["running", "queued", "completed"]


def test_what_a_process_left_unpacked_is_packed_after_a_while(conversation: Conversation) -> None:
    turn = finished(conversation, 1)
    events = record(conversation)
    for ended, packed in ((timezone.now() - LEASE + 5 * MOMENT, 0), (timezone.now() - LEASE - MOMENT, 1)):
        Turn.objects.filter(pk=turn.pk).update(finished_at=ended)
        WORKER.sweep()
        assert Recording.objects.count() == packed
        assert record(conversation) == events
    assert not Event.objects.exists()


def test_a_leftover_that_cannot_be_packed_keeps_no_queue_waiting(conversation: Conversation) -> None:
    turn = finished(conversation, 1)
    Turn.objects.update(finished_at=timezone.now() - LEASE - MOMENT)
    Event.objects.filter(turn=turn, seq=2).update(data="not JSON")
    queued(conversation, 2)
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    assert statuses() == ["completed", "completed"]


def queued(conversation: Conversation, number: int) -> Turn:
    """A queued turn, which begins only when a process looks for it."""
    lost = Lost(conversation, number, "help", status="queued")
    return lost.turn


def test_the_queue_that_a_drained_process_left_is_begun_in_order(conversation: Conversation) -> None:
    pack(finished(conversation, 1))
    waiting = [queued(conversation, number) for number in (2, 3)]
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    assert statuses() == ["completed"] * 3
    runs = [event["runId"] for event in of_type(record(conversation), "RUN_STARTED")]
    assert runs[1:] == [str(turn.pk) for turn in waiting]


@pytest.mark.usefixtures("draining")
def test_a_process_that_drains_takes_messages_in_and_begins_nothing(conversation: Conversation) -> None:
    started = engine.start(conversation.pk, str(uuid.uuid4()), "help")
    WORKER.sweep()
    assert (started.is_queued, statuses(), WORKER.runs) == (True, ["queued"], {})
    WORKER.is_draining = False
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    assert statuses() == ["completed"]


def test_a_queue_behind_a_lost_turn_moves_on(conversation: Conversation) -> None:
    Lost(conversation)
    queued(conversation, 2)
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    assert statuses() == ["completed", "completed"]


def test_a_lease_from_before_the_clock_was_put_back_keeps_no_turn_waiting(conversation: Conversation) -> None:
    Lost(conversation, lease_until=timezone.now() + timedelta(hours=1))
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    assert statuses() == ["completed"]


def run_of(turn: Turn) -> Run:
    """A run that has not begun."""
    return Run(turn, Shared(WORKER.journal, Threads("nobody", 1), WORKER._live_calls))


def beat(silent: "Silent", *, renew: bool) -> None:
    """The heart beats once."""
    leases = {silent.lost.turn.pk: silent.run.turn.lease_token}
    asyncio.run(WORKER.beat(leases, renew=renew))


class Silent:
    """A turn of this process whose gateway call only a stop would end."""

    def __init__(self, conversation: Conversation) -> None:
        self.lost = Lost(conversation, lease_until=timezone.now() + LEASE, attempts=1)
        self.run = WORKER.runs[self.lost.turn.pk] = run_of(self.lost.turn)

    def __enter__(self) -> "Silent":
        return self

    def __exit__(self, *error: object) -> None:
        WORKER.runs.pop(self.lost.turn.pk)


@pytest.mark.usefixtures("draining")
def test_a_turn_that_does_not_end_in_time_is_handed_over_at_no_cost(conversation: Conversation) -> None:
    with Silent(conversation) as silent:
        engine.WORKER.drain(timeout=HAND_OVER)
        with pytest.raises(InternalError):
            silent.lost.record.commit(step_started(1))
    WORKER.is_draining = False
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    turn = Turn.objects.get()
    assert (turn.status, turn.attempts) == ("completed", 1)


def test_a_turn_that_another_process_has_taken_up_is_stopped_here(conversation: Conversation) -> None:
    with Silent(conversation) as silent:
        beat(silent, renew=True)
        assert not silent.run.stop.event.is_set()
        theirs, until = uuid.uuid4(), timezone.now() + LEASE
        Turn.objects.update(lease_token=theirs, lease_until=until)
        beat(silent, renew=True)
        assert silent.run.stop.event.is_set()
    assert Turn.objects.values_list("lease_token", "lease_until").get() == (theirs, until)


def test_a_heartbeat_renews_the_lease_and_hears_a_stop(conversation: Conversation) -> None:
    with Silent(conversation) as silent:
        Turn.objects.update(lease_until=timezone.now())
        beat(silent, renew=True)
        assert Turn.objects.get().lease_until > timezone.now()
        Turn.objects.update(stop_requested_at=timezone.now())
        beat(silent, renew=False)
        assert silent.run.stop.event.is_set()
