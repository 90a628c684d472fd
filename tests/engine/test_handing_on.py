"""Processes that only serve pages, end, or are full leave a turn to another."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations import engine
from conversations.engine import WORKER, lifecycle
from conversations.models import Approval, Conversation, ToolCall, Turn
from tests.engine.approvals import PLAYED, decide, entry
from tests.turns import QUESTION, ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
IDLE = {"serves pages": ("takes_turns", False), "drains": ("is_draining", True), "is full": ("capacity", 0)}


@pytest.fixture
def idle(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Makes this process one that begins no turn; `monkeypatch.undo` makes it one that does."""
    yield lambda: monkeypatch.setattr(WORKER, *IDLE[request.param])
    monkeypatch.undo()


def kinds(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("idle", names, indirect=True)


def rest(monkeypatch: pytest.MonkeyPatch) -> Turn:
    """The newest turn, when another process has looked for what nobody runs, and nothing runs any more."""
    monkeypatch.undo()
    WORKER.claim()
    assert WORKER.wait(20)
    return Turn.objects.order_by("number").last()  # type: ignore[return-value]


def assert_left() -> None:
    """Checks that the turn is free for whoever comes first, though it has begun."""
    turn = Turn.objects.get()
    assert (turn.status, turn.lease_token, turn.attempts, WORKER.runs) == ("running", None, 0, {})


@kinds(*IDLE)
def test_a_turn_that_is_decided_goes_on_elsewhere_at_once(
    conversation: Conversation, waiting: Turn, idle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle()
    decide(waiting, entry(True))
    assert_left()
    assert PLAYED == []
    turn = rest(monkeypatch)
    assert (turn.status, turn.runs, turn.attempts, PLAYED) == ("completed", 2, 1, ["WZPZ"])


@kinds("serves pages", "drains")
def test_a_turn_that_is_stopped_while_it_waits_ends_elsewhere(
    conversation: Conversation, waiting: Turn, idle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle()
    assert engine.stop(conversation.pk)
    assert_left()
    assert (rest(monkeypatch).status, Approval.objects.get().status) == ("stopped", "withdrawn")


@kinds("is full")
def test_a_turn_that_is_stopped_while_it_waits_needs_no_room_to_end(
    conversation: Conversation, waiting: Turn, idle: Callable[[], None]
) -> None:
    idle()
    assert engine.stop(conversation.pk)
    assert WORKER.wait(20)
    assert Turn.objects.get().status == "stopped"


@kinds("is full")
def test_a_stop_before_there_is_room_for_a_decided_turn_ends_it(
    conversation: Conversation, waiting: Turn, idle: Callable[[], None]
) -> None:
    idle()
    decide(waiting, entry(True))
    assert engine.stop(conversation.pk)
    WORKER.claim()
    assert WORKER.wait(20)
    assert (Turn.objects.get().status, PLAYED) == ("stopped", [])


@kinds("serves pages", "drains")
def test_a_wait_whose_time_is_over_is_ended_by_another(
    waiting: Turn, idle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    idle()
    WORKER.sweep()
    assert Turn.objects.get().status == "waiting"
    monkeypatch.undo()
    WORKER.sweep()
    assert (rest(monkeypatch).status, Approval.objects.get().status) == ("completed", "expired")


AGAIN: dict[str, Callable[[Conversation], Any]] = {
    "regenerate": engine.regenerate,
    "edit": lambda conversation: engine.edit(
        conversation, str(conversation.messages.get(role="user").public_id), str(uuid.uuid4()), "help"
    ),
    "run again": lambda conversation: engine.run_again(
        conversation, ToolCall.objects.get().tool_use_id, str(uuid.uuid4())
    ),
}


@kinds(*IDLE)
@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN.keys())
def test_what_is_asked_again_is_queued(
    conversation: Conversation,
    again: Callable[[Conversation], Any],
    idle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(conversation, QUESTION)
    conversation.refresh_from_db()
    idle()
    again(conversation)
    assert [turn.status for turn in conversation.turns.order_by("number")] == ["completed", "queued"]
    assert (rest(monkeypatch).status, WORKER.runs) == ("completed", {})


def test_a_message_that_is_taken_as_the_drain_begins_is_handed_over_at_no_cost(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = lifecycle.accept

    def accept_at_the_last_moment(*message: Any, **options: Any) -> Any:
        accepted = accept(*message, **options)
        monkeypatch.setattr(WORKER, "is_draining", True)
        return accepted

    monkeypatch.setattr(lifecycle, "accept", accept_at_the_last_moment)
    engine.start(conversation.pk, str(uuid.uuid4()), QUESTION)
    assert_left()
    turn = rest(monkeypatch)
    assert (turn.status, turn.attempts) == ("completed", 1)


def test_who_has_looked_before_a_wait_takes_nothing_over_after_it(
    conversation: Conversation, waiting: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WORKER, "takes_turns", False)
    decide(waiting, entry(True))
    looked_at = Turn.objects.get()
    Turn.objects.update(runs=3)
    assert lifecycle.take_over(looked_at) is False
    assert lifecycle.take_over(Turn.objects.get()) is True
