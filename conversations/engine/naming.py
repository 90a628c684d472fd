"""Runs that programs name. In a conversation the same name is the same run for good."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from conversations.errors import Busy, Refused
from conversations.journal import last_seq
from conversations.models import Conversation, PublicRun, Turn

from . import approvals, lifecycle
from .lifecycle import Admit, lock
from .messages import Accepted, NewMessage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

BUSY = "A run of this thread is under way. Wait for it to end, or stop it first."
WAITS = "This thread waits for answers to its interrupts: send them as `resume`."
UNDER_WAY = (Turn.Status.RUNNING, Turn.Status.QUEUED)
NOT_ALL = "Answer all interrupts of the run at once."


def run_named(conversation: UUID, name: str) -> PublicRun | None:
    """The conversation's run of this name."""
    return PublicRun.objects.filter(conversation=conversation, name=name).select_related("turn").first()


def accept(
    conversation: UUID, message: NewMessage, name: str, *, at_once: bool, admit: Admit | None = None
) -> Accepted:
    """Stores a message as `lifecycle.accept` does, and names its run; raises Busy while a turn is open.

    Changes nothing if there is a run of this name.
    """
    with transaction.atomic():
        Conversation.objects.select_for_update(no_key=True).filter(pk=conversation).first()
        if (known := run_named(conversation, name)) is not None:
            return Accepted(known.turn, is_new=False)
        refuse_while_open(conversation)
        accepted = lifecycle.accept(conversation, message, at_once=at_once, admit=admit)
        if accepted.opening is not None:
            _name(accepted.turn, name, accepted.opening.seq)
    return accepted


def decide(conversation: Conversation, user: "User", entries: object, name: str) -> bool:
    """Stores decisions about all waiting calls, and names the further run.

    Raises Refused if they leave a call undecided. A decision that was taken elsewhere meanwhile stays as it is.
    """
    with transaction.atomic():
        lock(conversation.pk)
        if run_named(conversation.pk, name) is not None:
            return False
        _refuse(conversation.pk, UNDER_WAY)
        if not lifecycle.decide(conversation, user, _without_decided(conversation, entries)):
            raise Refused(NOT_ALL)
        turn = conversation.turns.get(status__in=Turn.ACTIVE)
        _name(turn, name, last_seq(conversation.pk))
    return True


def _name(turn: Turn, name: str, after: int) -> None:
    PublicRun.objects.create(
        conversation_id=turn.conversation_id, turn=turn, number=turn.runs, name=name, after=after
    )


def refuse_while_open(conversation: UUID) -> None:
    """Raises Busy while a turn of the conversation is open."""
    _refuse(conversation, Turn.OPEN)


def _refuse(conversation: UUID, statuses: Iterable[str]) -> None:
    rows = Turn.objects.filter(conversation=conversation, status__in=statuses)
    if open_turns := set(rows.values_list("status", flat=True)):
        raise Busy(WAITS if open_turns == {Turn.Status.WAITING} else BUSY)


def _without_decided(conversation: Conversation, entries: object) -> Any:
    if not isinstance(entries, list):
        return entries
    decided = approvals.decided_interrupts(conversation)
    return [
        entry for entry in entries if not (isinstance(entry, dict) and entry.get("interruptId") in decided)
    ]
