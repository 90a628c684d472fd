"""Records of running and of ended turns, as tests write them, and a writer that can be held up."""

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

from conversations.journal import Frame, Journal, Record, last_seq
from conversations.models import Conversation, Message, Turn
from conversations.protocol.agui import events
from conversations.protocol.agui.events import DELTA_KEYS

Batch = list[tuple[uuid.UUID, list[Frame]]]
JOURNAL = Journal(lambda batch: None)


class WaitingRecord(Record):
    """A record whose commits are waited for."""

    def commit(self, *events: Any, write: Any = None) -> None:  # type: ignore[override]
        super().commit(*events, write=write).result(10)


def open_record(turn: Turn, journal: Journal = JOURNAL) -> WaitingRecord:
    """A turn's record, going on where the conversation's ends."""
    return WaitingRecord(journal, turn, last_seq(turn.conversation_id))


def running(conversation: Conversation, number: int = 1, **fields: Any) -> Turn:
    """A turn that this process runs."""
    own: dict[str, Any] = {"status": "running", "model": conversation.model, "lease_token": uuid.uuid4()}
    own["parent"] = conversation.turns.filter(number__lt=number).order_by("number").last()
    return Turn.objects.create(
        conversation=conversation, number=number, user=conversation.owner, **own | fields
    )


def delta(text: str, block: str = "block", kind: str = "TEXT_MESSAGE_CONTENT") -> dict[str, Any]:
    return {"type": kind, DELTA_KEYS[kind]: block, "delta": text}


def opening(conversation: Conversation, turn: Turn, text: str = "hi") -> list[dict[str, Any]]:
    """What a turn begins with: the run and the user's message."""
    return [
        events.run_started(str(conversation.pk), str(turn.pk)),
        *events.user_message(f"user:{turn.number}", text),
    ]


def answering(turn: Turn, text: str) -> list[dict[str, Any]]:
    """A round that says one text."""
    block = f"{turn.pk}:1:0"
    return [
        events.step_started(1),
        {"type": "TEXT_MESSAGE_START", "messageId": block, "role": "assistant"},
        *(delta(piece, block) for piece in events.chunks(text)),
        {"type": "TEXT_MESSAGE_END", "messageId": block},
        events.step_finished(1, {"stopReason": "end_turn"}),
    ]


def finished(conversation: Conversation, number: int, question: str = "hi", answer: str = "hello") -> Turn:
    """A turn that has ended and is not packed yet."""
    turn = running(conversation, number)
    record = [*opening(conversation, turn, question), *answering(turn, answer)]
    end = events.run_finished(str(conversation.pk), str(turn.pk), "success", [])
    open_record(turn).commit(*record, end)
    turn.status, turn.lease_token = Turn.Status.COMPLETED, None
    turn.save()
    return turn


def recorded_turn(conversation: Conversation, text: str, *answer: events.Event) -> Turn:
    """A turn that has ended, with the user's text and the events of its answer in the record."""
    turn = Turn.objects.create(
        conversation=conversation,
        number=conversation.turns.count() + 1,
        parent=conversation.turns.order_by("number").last(),
        user=conversation.owner,
        model=conversation.model,
        status=Turn.Status.COMPLETED,
    )
    message = Message.objects.create(
        conversation=conversation, turn=turn, role="user", content=[{"text": text}]
    )
    record = [
        events.run_started(str(conversation.pk), str(turn.pk)),
        *events.user_message(str(message.public_id), text),
        *answer,
        events.run_finished(str(conversation.pk), str(turn.pk), "success", []),
    ]
    for seq, event in enumerate(record, conversation.events.count() + 1):
        numbered = event | {"timestamp": 0, "metadata": event.get("metadata", {}) | {"seq": seq}}
        conversation.events.create(turn=turn, seq=seq, data=json.dumps(numbered))
    return turn


def text_events(text: str) -> list[events.Event]:
    """The events of a text block."""
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": text},
        {"type": "TEXT_MESSAGE_END", "messageId": "a"},
    ]


class Deliveries:
    """What a journal has shown, by conversation."""

    def __init__(self) -> None:
        self.frames: dict[uuid.UUID, list[Frame]] = {}
        self.batches: list[Batch] = []
        self.during: Callable[[Batch], None] = lambda batch: None

    def __call__(self, batch: Batch) -> None:
        self.batches.append(batch)
        for conversation, frames in batch:
            self.frames.setdefault(conversation, []).extend(frames)
        self.during(batch)


class StuckWriter:
    """A writer kept inside a commit, so that what follows waits."""

    def __init__(self, opened: Record) -> None:
        self._entered, self._release = threading.Event(), threading.Event()
        opened.append(events.step_started(1), write=self._hold)
        assert self._entered.wait(10)

    def _hold(self) -> None:
        self._entered.set()
        self._release.wait(10)

    def release(self) -> None:
        self._release.set()
