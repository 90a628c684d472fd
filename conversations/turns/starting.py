"""Taking a user's message in: one transaction stores it with its turn, and says whether the turn runs at once or waits in the queue."""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.errors import Refused
from conversations.journal.reading import queue
from conversations.live import HUB
from conversations.models import Conversation, Message, Turn
from conversations.protocol import events
from conversations.protocol.content import text as text_block
from conversations.protocol.text import clean_text

from . import limits
from .stopping import DRAINING

LONGEST_TEXT = 100_000
UUID_LENGTH = 36
TITLE_LENGTH = 60
LEASE = timedelta(seconds=8)
"""How long a turn is a process's own without a word from it: with the sweep, 15 s after a crash at most."""


@dataclass(frozen=True)
class Started:
    """A stored message's turn; `new` is False when the message had been stored before."""

    turn: Turn
    new: bool

    @property
    def queued(self) -> bool:
        """Whether the turn waits for another to end."""
        return self.turn.status == Turn.Status.QUEUED


@dataclass(frozen=True)
class Again:
    """How a message is asked again: from which stored turn, if there is one, what answers its tools and its rounds, and the turn `beside`
    which it is asked, following on the same one; else it follows on the end of the shown branch.
    """

    turn: Turn | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    beside: Turn | None = None


def store(
    conversation: Conversation,
    message_id: object,
    text: object,
    *,
    model: str | None = None,
    again: Again | None = None,
) -> Started:
    """Stores a user's message and its turn, which is claimed at once when no other turn comes before it. The same id again changes nothing.

    Raises Refused for an id that is no UUID and a text that is blank or too long, Throttled over the user's limits.
    """
    return _store(conversation, canonical(message_id), checked(text), model, again)


def claim_next(conversation: UUID) -> Turn | None:
    """Makes the conversation's oldest queued turn its running one, ours; None if there is none or another runs."""
    with transaction.atomic():
        lock(conversation)
        if Turn.objects.filter(conversation=conversation, status__in=Turn.ACTIVE).exists():
            return None
        turn = (
            Turn.objects.filter(conversation=conversation, status=Turn.Status.QUEUED)
            .order_by("number")
            .first()
        )
        if turn is not None:
            claim(turn)
            turn.save()
        return turn


def tell_queue(conversation: UUID) -> None:
    """Tells every socket of this process what waits."""
    HUB.notify(conversation, events.custom("queued", queue(conversation)))


def _store(
    conversation: Conversation, message_id: UUID, text: str, model: str | None, again: Again | None
) -> Started:
    with transaction.atomic():
        row = lock(conversation.pk)
        stored = Message.objects.filter(conversation=row, public_id=message_id).select_related("turn").first()
        if stored is not None:
            return Started(stored.turn, new=False)
        limits.check(row.owner_id)
        turn = _new_turn(row, model, again)
        busy = row.turns.filter(status__in=Turn.OPEN).exists()
        if not busy and not DRAINING.is_set():
            claim(turn)
        turn.save(force_insert=True)
        Message.objects.create(
            conversation=row,
            turn=turn,
            public_id=message_id,
            role=Message.Role.USER,
            content=[text_block(text)],
        )
        row.title = row.title or _title(text)
        row.draft = "" if row.draft.strip() == text.strip() else row.draft
        row.head, row.updated_at = turn, timezone.now()
        row.save(update_fields=["title", "draft", "head", "updated_at"])
    return Started(turn, new=True)


def lock(conversation: UUID) -> Conversation:
    """The conversation's row, held until the transaction ends."""
    return Conversation.objects.select_for_update().get(pk=conversation)


def _new_turn(conversation: Conversation, model: str | None, again: Again | None) -> Turn:
    last = conversation.turns.order_by("-number").first()
    return Turn(
        conversation=conversation,
        parent=_parent(conversation.head or last, again),
        number=last.number + 1 if last else 1,
        user_id=conversation.owner_id,
        model=model or conversation.model,
        system=conversation.system,
        inference=conversation.inference,
        rerun_of=again.turn if again else None,
        rerun=again.answers if again else {},
    )


def _parent(end: Turn | None, again: Again | None) -> Turn | None:
    """What a new turn follows on: the branch's end, or what that follows on itself where it was asked again from the same turn."""
    if again and again.beside:
        return again.beside.parent
    is_sibling = end and again and again.turn and end.rerun_of_id == again.turn.pk
    return end.parent if end and is_sibling else end


def claim(turn: Turn) -> None:
    """Makes the turn ours to run, once it is saved."""
    now = timezone.now()
    turn.status = Turn.Status.RUNNING
    turn.attempts += 1
    turn.started_at = turn.started_at or now
    turn.lease_token = uuid.uuid4()
    turn.lease_until = now + LEASE


def canonical(message_id: object) -> UUID:
    """A message's id; raises Refused for anything else."""
    try:
        if isinstance(message_id, str) and len(message_id) == UUID_LENGTH:
            return UUID(message_id)
    except ValueError:
        pass
    raise Refused("A message needs an id that is a UUID.")


def checked(text: object) -> str:
    """A message's text; raises Refused for a blank and a too long one."""
    if not isinstance(text, str) or not text.strip():
        raise Refused("The message is empty.")
    if len(text) > LONGEST_TEXT:
        raise Refused(f"The message is too long: {len(text):,} characters of at most {LONGEST_TEXT:,}.")
    return clean_text(text)


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"
