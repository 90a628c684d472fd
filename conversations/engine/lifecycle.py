"""A turn's life: every change of a turn's status, each within one transaction.

Whoever locks several rows locks the conversation first, then its user, then turns in the order of their keys. The journal's writer holds
running turns and then updates their conversations, so nothing here locks a conversation and then waits for a running turn.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from conversations.errors import InternalError, NotFound, Refused
from conversations.journal import this_process
from conversations.models import TOKENS, Approval, Conversation, Turn
from conversations.protocol.titles import title_of

from . import approvals, files, library, limits, questions, queue
from .messages import Accepted, NewMessage, Opening, Repetition

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = Turn.Status

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING}),
    Status.RUNNING: frozenset(
        {Status.RUNNING, Status.WAITING, Status.COMPLETED, Status.STOPPED, Status.FAILED, Status.INTERRUPTED}
    ),
    Status.WAITING: frozenset({Status.RUNNING}),
}
"""Which status may follow which. A queued turn may also be deleted; the other statuses are ends."""

LEASE = timedelta(seconds=8)
"""How long a turn belongs to a process that does not renew: it goes on at most 15 s after a crash."""

ATTEMPTS = 3
"""How often a turn is begun at most, as one that kills its process each time must come to an end."""

Admit = Callable[[Conversation], None]
"""Raises if a message's sender may not write in the conversation. Its owner is loaded with it."""

GONE = "This message does not wait any more."


# -- accept


def accept(conversation: UUID, message: NewMessage, *, at_once: bool, admit: Admit | None = None) -> Accepted:
    """Stores a user's message and its turn, which runs if `at_once` and no other comes before it.

    The same id again changes nothing. Raises NotFound, whatever `admit` raises, Throttled over the user's limits, and Refused for
    files that are not the conversation's or that the model does not take.
    """
    with transaction.atomic():
        row = _lock_with_owner(conversation)
        if admit is not None:
            admit(row)
        facts = limits.facts(row, message.id)
        if facts.stored is not None:
            return Accepted(Turn.objects.get(pk=facts.stored), is_new=False)
        limits.check(facts)
        turn = _new_turn(row, facts.last, message)
        attached = files.files_of(row, message.files, None if message.is_model_free else turn.model)
        if at_once and not facts.is_busy:
            _begin(turn, row)
        turn.save(force_insert=True)
        content = files.store(turn, message, attached)
        _update_conversation(row, message.text or attached[0].name)
    return Accepted(
        turn, is_new=True, opening=Opening(message.id, content, row.title, facts.seq, facts.has_calls)
    )


def _new_turn(conversation: Conversation, last: int, message: NewMessage) -> Turn:
    repetition = message.repetition
    model_settings = conversation.model_settings() | ({"model": message.model} if message.model else {})
    return Turn(
        conversation=conversation,
        beside=_beside(conversation, repetition),
        number=last + 1,
        user=conversation.owner,
        **model_settings,
        rerun_of=repetition.turn if repetition else None,
        rerun=repetition.answers if repetition else {},
    )


def _beside(conversation: Conversation, repetition: Repetition | None) -> Turn | None:
    """The turn beside a new one: the one named, or the branch's end if both repeat the same turn."""
    if repetition is None:
        return None
    if repetition.beside or not repetition.turn:
        return repetition.beside
    head = conversation.head
    return head if head and head.rerun_of_id == repetition.turn.pk else None


def _update_conversation(row: Conversation, text: str) -> None:
    columns = ["draft", "head", "updated_at", "changed_at"]
    if not row.title:
        row.title = title_of(text)
        columns.append("title")
    row.draft = "" if row.draft.strip() == text.strip() else row.draft
    row.updated_at = row.changed_at = timezone.now()
    row.save(update_fields=columns)
    library.announce(row.pk)


def _lock_with_owner(conversation: UUID) -> Conversation:
    rows = Conversation.objects.select_for_update(no_key=True, of=("self", "owner"))
    try:
        return rows.select_related("owner").get(pk=conversation)
    except Conversation.DoesNotExist:
        raise NotFound from None


def lock(conversation: UUID) -> Conversation:
    """The conversation's row, locked until the transaction ends."""
    return Conversation.with_deleted.select_for_update(no_key=True).get(pk=conversation)


# -- the queue


def change_queued(
    conversation: Conversation, message: UUID, message_id: UUID, text: str, ids: Sequence[UUID] | None = None
) -> bool:
    """Changes a queued message. Returns whether it is queued, or was when this change came before."""
    with transaction.atomic():
        row = lock(conversation.pk)
        if row.messages.filter(public_id=message_id).exists():
            return True
        queued = row.messages.filter(public_id=message, turn__status=Status.QUEUED).first()
        if queued is not None:
            files.change(queued, message_id, text, ids)
        return queued is not None


def withdraw(conversation: Conversation, message: UUID) -> None:
    """Deletes a queued message with its turn; raises Refused for one that is not queued."""
    with transaction.atomic():
        row = lock(conversation.pk)
        turn = row.turns.filter(messages__public_id=message, status=Status.QUEUED).first()
        if turn is None:
            raise Refused(GONE)
        turn.delete()
        for later in row.turns.filter(number__gt=turn.number).order_by("number"):  # numbers have no gaps
            row.turns.filter(pk=later.pk).update(number=F("number") - 1)
        library.touch(row.pk)


def claim(limit: int, only: UUID | None = None) -> list[Turn]:
    """Claims at most `limit` queued turns that need not wait, with `only` those of one conversation.

    The user with the fewest running turns comes first. Rows that another process has locked are left to it.
    """
    candidates = list(queue.candidates(only).values_list("pk", flat=True)[: max(0, limit)])
    if not candidates:
        return []
    try:
        with transaction.atomic():
            if only is not None:
                lock(only)  # before the turns: those that have begun since are then seen, and not waited for
            return [_begin_queued(turn) for turn in queue.locked(candidates, skip_locked=only is None)]
    except (IntegrityError, Conversation.DoesNotExist):  # another process began a turn or deleted it all
        return []


def _begin_queued(turn: Turn) -> Turn:
    """Stores that a queued turn runs."""
    _begin(turn, turn.conversation)
    turn.save(update_fields=["status", "parent", *CLAIM_COLUMNS])
    library.change([turn.conversation_id], head=turn)
    return turn


def _begin(turn: Turn, conversation: Conversation) -> None:
    """Sets what a turn that begins changes: its lease, its parent and the conversation's head."""
    _claim(turn)
    if turn.number > 1:
        turn.parent_id = turn.beside.parent_id if turn.beside else _branch_end(conversation)
    conversation.head = turn


def _branch_end(conversation: Conversation) -> UUID | None:
    """The last turn of the shown branch. Without a head that is the conversation's newest turn."""
    if conversation.head_id is not None:
        return conversation.head_id
    begun = conversation.turns.exclude(status=Status.QUEUED).order_by("-number")
    return begun.values_list("pk", flat=True).first()


# -- running


CLAIM_COLUMNS = ("attempts", "started_at", "lease_token", "lease_until")


def _claim(turn: Turn) -> None:
    """Sets the columns by which this process may run the turn."""
    now = timezone.now()
    turn.status = Status.RUNNING
    turn.attempts += 1
    turn.started_at = turn.started_at or now
    turn.lease_token, turn.lease_until = uuid4(), now + LEASE


def _move(turn: Turn, status: Status, columns: Mapping[str, Any]) -> None:
    """Changes a turn's status as the table allows; raises InternalError if another process was faster."""
    sources = [source for source, targets in TRANSITIONS.items() if status in targets]
    if not Turn.objects.filter(pk=turn.pk, status__in=sources).update(status=status, **columns):
        raise InternalError(f"a turn that is over cannot become {status}")
    turn.status = status


def wait(turn: Turn) -> None:
    """Lets the turn wait for a person; called in the transaction of its run's last event."""
    _release(turn, Status.WAITING, None)


def end(turn: Turn, status: Status, *, has_approvals: bool = True) -> None:
    """Ends the turn and withdraws its pending approvals; called in the transaction of its last event."""
    if has_approvals:
        _pending(turn).update(status=Approval.Status.WITHDRAWN, decided_at=timezone.now())
    _release(turn, status, timezone.now())


def _release(turn: Turn, status: Status, finished_at: datetime | None) -> None:
    turn.finished_at, turn.lease_token, turn.lease_until = finished_at, None, None
    _move(turn, status, {name: getattr(turn, name) for name in END_COLUMNS})
    library.change([turn.conversation_id], updated_at=timezone.now())


END_COLUMNS = [
    *("finished_at", "lease_token", "lease_until", "error_code", "error_text", "error_detail"),
    *(*TOKENS, "usage", "first_token_ms", "left_out"),
]
"""The columns that the end of a turn writes; a stop that was requested meanwhile stays stored."""


def stop(conversation: UUID, turn: UUID | None = None) -> bool:
    """Requests a running turn's stop, or `turn`'s alone. True if a waiting turn goes on now, to end."""
    running = Turn.objects.filter(conversation=conversation, status=Status.RUNNING)
    running = running.filter(pk=turn) if turn else running
    if running.update(stop_requested_at=timezone.now()):
        return False
    with transaction.atomic():
        waiting = _waiting(lock(conversation))
        if waiting is not None:
            _withdraw_approvals(waiting)
            return True
    running.update(stop_requested_at=timezone.now())  # somebody has decided meanwhile, and it runs again
    return False


def stop_waiting(turn: Turn, *, is_requested: bool = False) -> bool:
    """Lets a waiting turn whose stop is requested go on, so that it ends; False for any other."""
    with transaction.atomic():
        waiting = _waiting(lock(turn.conversation_id))
        if waiting is None or waiting.pk != turn.pk or not (is_requested or waiting.stop_requested_at):
            return False
        _withdraw_approvals(waiting)
        return True


def _withdraw_approvals(turn: Turn) -> None:
    _pending(turn).update(status=Approval.Status.WITHDRAWN, decided_at=timezone.now())
    turn.stop_requested_at = turn.stop_requested_at or timezone.now()
    library.touch(turn.conversation_id)
    _go_on(turn)


# -- waiting for a person


def decide(conversation: Conversation, user: "User", entries: object) -> bool:
    """Stores decisions, the entries of an AG-UI `resume`, and returns whether the turn goes on.

    It does once all of its calls are decided. Raises Refused for an entry that is wrong, and then stores none.
    """
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise Refused("A resume frame has a list of answers.")
    with transaction.atomic():
        turn = _waiting(lock(conversation.pk))
        pending = {row.interrupt_id: row for row in _pending(turn)} if turn else {}
        for entry in entries:
            interrupt = entry.get("interruptId")
            approval = pending.pop(interrupt, None) if isinstance(interrupt, str) else None
            if approval is None:
                raise Refused(approvals.DECIDED_ALREADY)
            approvals.decide(approval, user, entry)
        library.touch(conversation.pk)
        if pending or turn is None:
            return False
        _go_on(turn)
        return True


def expire(turn: Turn, now: datetime) -> None:
    """Expires approvals that nobody decided in time. The turn goes on when none is pending any more."""
    with transaction.atomic():
        waiting = _waiting(lock(turn.conversation_id))
        if waiting is None:
            return
        _pending(waiting).filter(expires_at__lt=now).update(status=Approval.Status.EXPIRED, decided_at=now)
        library.touch(turn.conversation_id)
        if not _pending(waiting).exists():
            _go_on(waiting)


def withdraw_questions(turn: UUID, conversation: UUID) -> bool:
    """Withdraws the questions of a waiting turn's ended calls; returns whether the turn goes on."""
    with transaction.atomic():
        waiting = _waiting(lock(conversation))
        if waiting is None or waiting.pk != turn:
            return False
        asking = _pending(waiting).filter(holder=this_process())
        if not asking.update(status=Approval.Status.WITHDRAWN, decided_at=timezone.now()):
            return False
        library.touch(conversation)
        if _pending(waiting).exists():
            return False
        _go_on(waiting)
        return True


def _waiting(conversation: Conversation) -> Turn | None:
    """The conversation's turn that waits for a person, locked."""
    turns = conversation.turns.filter(status=Status.WAITING).select_related("conversation", "user")
    return turns.select_for_update(no_key=True, of=("self",)).first()


def _pending(turn: Turn) -> QuerySet[Approval]:
    pending = Approval.objects.filter(call__turn=turn, status=Approval.Status.PENDING)
    return pending.select_related("call__turn").order_by("pk")


def _go_on(turn: Turn) -> None:
    """Lets a waiting turn go on in whichever process takes it over, as this one may run no turns."""
    turn.status, turn.lease_until = Status.RUNNING, timezone.now() - LEASE
    turn.runs, turn.attempts = turn.runs + 1, 0
    questions.leave_to_holder(turn)
    turn.save(update_fields=["status", "runs", "attempts", "stop_requested_at", "lease_token", "lease_until"])


# -- leases


def claimable() -> Q:
    """Leases that have run out, and those of turns that go on with calls of this process.

    A lease that lasts too long has run out too: it was written before the clock was put back.
    """
    now = timezone.now()
    return Q(lease_until__lt=now) | Q(lease_until__gt=now + 2 * LEASE) | Q(lease_token=this_process())


def take_over(turn: Turn) -> bool:
    """Takes a lost turn over, unless another process was faster. Its former process writes no more."""
    lost = Turn.objects.filter(claimable(), pk=turn.pk, status=Status.RUNNING)
    lost = lost.filter(lease_token=turn.lease_token, runs=turn.runs)
    turn.attempts = min(turn.attempts + 1, ATTEMPTS)
    turn.lease_token, turn.lease_until = uuid4(), timezone.now() + LEASE
    return lost.update(**{name: getattr(turn, name) for name in CLAIM_COLUMNS if name != "started_at"}) > 0


def beat(leases: Mapping[UUID, UUID | None], *, renew: bool) -> set[UUID]:
    """Renews the leases of this process's turns, and returns the turns that have to stop here.

    A person has requested the stop, or another process has taken the turn over.
    """
    ours = Turn.objects.filter(
        pk__in=leases, lease_token__in=list(leases.values()), status=Status.RUNNING
    ).order_by("pk")
    with transaction.atomic() if renew else nullcontext():
        rows = ours.select_for_update(no_key=True) if renew else ours
        stops = dict(rows.values_list("pk", "stop_requested_at"))
        if renew:
            Turn.objects.filter(pk__in=stops).update(lease_until=timezone.now() + LEASE)
    return {turn for turn in leases if turn not in stops or stops[turn] is not None}


def hand_over(leases: Mapping[UUID, UUID | None]) -> int:
    """Gives up turns' leases, which the next sweep takes; returns how many. No attempt is counted."""
    ours = Turn.objects.filter(
        pk__in=leases, lease_token__in=list(leases.values()), status=Status.RUNNING
    ).order_by("pk")
    with transaction.atomic():
        pks = list(ours.select_for_update(no_key=True).values_list("pk", flat=True))
        return Turn.objects.filter(pk__in=pks).update(
            lease_token=None, lease_until=timezone.now() - LEASE, attempts=F("attempts") - 1
        )
