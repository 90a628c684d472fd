"""What a site hears: once it is committed, in a thread that no turn waits for."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.dispatch import Signal

from conversations import signals
from conversations.models import Conversation, ToolCall, Turn
from tests.conditions import until
from tests.turns import QUESTION, ask, conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
Hear = Callable[[Signal, Callable[..., Any]], list[Any]]


@pytest.fixture
def hear() -> Iterator[Hear]:
    """Connects a receiver for this test; what it returns is in the list."""
    connected: list[tuple[Signal, Any]] = []

    def connect(signal: Signal, receive: Callable[..., Any]) -> list[Any]:
        heard: list[Any] = []

        def receiver(signal: Signal, **facts: Any) -> None:
            del facts["sender"]
            heard.append(receive(**facts))

        signal.connect(receiver, weak=False)
        connected.append((signal, receiver))
        return heard

    yield connect
    for signal, receiver in connected:
        signal.disconnect(receiver)


def test_a_turn_and_its_call_are_stored_when_their_ends_are_heard(
    hear: Hear, conversation: Conversation
) -> None:
    turns = hear(signals.turn_ended, lambda turn: Turn.objects.get(pk=turn.pk).status)
    calls = hear(signals.call_ended, lambda call: (call.name, ToolCall.objects.get(pk=call.pk).status))
    ask(conversation, QUESTION)
    until(lambda: turns and calls)
    assert (turns, calls) == (["completed"], [("top_song", "success")])


def test_a_call_that_is_answered_without_being_run_is_heard_of(
    hear: Hear, conversation: Conversation
) -> None:
    calls = hear(signals.call_ended, lambda call: (call.error, ToolCall.objects.get(pk=call.pk).started_at))
    ask(conversation, QUESTION)  # a tool of the history is declared, though it is off
    Conversation.objects.update(tools_off=["top_song"])
    ask(conversation, QUESTION)
    until(lambda: len(calls) == 2)
    assert calls[1] == ("switched_off", None)


def test_a_failing_or_slow_receiver_holds_up_no_turn(hear: Hear, conversation: Conversation) -> None:
    gate = threading.Event()
    hear(signals.call_ended, lambda call: 1 / 0)
    waited = hear(signals.turn_ended, lambda turn: gate.wait(20))
    assert ask(conversation, QUESTION).status == Turn.Status.COMPLETED
    assert ask(conversation, "help").status == Turn.Status.COMPLETED
    gate.set()
    until(lambda: len(waited) == 2)


def test_a_conversation_that_is_rolled_back_is_not_heard_of(hear: Hear, user: User) -> None:
    titles = hear(signals.conversation_created, lambda conversation: conversation.title)
    with transaction.atomic():
        conversation_of(user, title="never")
        transaction.set_rollback(True)
    conversation_of(user, title="stays").save()
    until(lambda: titles)
    assert titles == ["stays"]
