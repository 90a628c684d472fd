"""What a dead process left behind: its turns are taken up again from what is stored, and the queue moves on."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from conversations.journal import pack
from conversations.models import Approval, Event, Turn

from . import approvals
from .beginning import give_up, take_up
from .running import run_in_thread
from .starting import LEASE, claim_next, tell_queue
from .stopping import DRAINING, RUNNING

logger = logging.getLogger(__name__)

SWEEP_EVERY = 2.0
ATTEMPTS = 3
"""Times that a turn is begun, the first included: one that ends its process each time must come to an end."""


def sweep_for_ever() -> None:
    """Looks for turns that nobody runs, now and then, in a thread of its own."""
    threading.Thread(target=_sweep_for_ever, name="recovery", daemon=True).start()


def _sweep_for_ever() -> None:
    while not DRAINING.is_set():
        try:
            sweep()
        except Exception:
            logger.exception("the sweep for lost turns failed")
        finally:
            connection.close()
        time.sleep(SWEEP_EVERY)


def sweep(only: UUID | None = None) -> None:
    """Takes up the turns whose lease has run out, and begins queued ones that nothing runs before; of one conversation if it is named."""
    turns = Turn.objects.filter(conversation=only) if only else Turn.objects.all()
    if DRAINING.is_set():
        return
    for turn in turns.filter(_expired(), status=Turn.Status.RUNNING).exclude(pk__in=list(RUNNING)):
        _guarded(partial(_take_over, turn), turn.pk)
    for turn in turns.filter(_undecided(), status=Turn.Status.WAITING).distinct():
        _guarded(partial(_expire, turn), turn.pk)
    ended = turns.filter(finished_at__lt=timezone.now() - LEASE, recording__isnull=True)
    for turn in ended.filter(pk__in=Event.objects.values("turn")):
        _guarded(partial(pack, turn), turn.pk)
    queued = turns.filter(status=Turn.Status.QUEUED).exclude(conversation__turns__status__in=Turn.ACTIVE)
    for conversation in set(queued.values_list("conversation", flat=True)):
        _guarded(partial(_begin_next, conversation), conversation)


def _guarded(work: Callable[[], None], what: UUID) -> None:
    """Does the work; a turn or conversation that cannot be helped keeps no other from it."""
    try:
        work()
    except Exception:
        logger.exception("%s could not be recovered", what)


def _begin_next(conversation: UUID) -> None:
    following = None if DRAINING.is_set() else claim_next(conversation)
    if following is not None:
        tell_queue(conversation)
        run_in_thread(following)


def _undecided() -> Q:
    """Calls that nobody has decided about in time."""
    pending = Q(tool_calls__approval__status=Approval.Status.PENDING)
    return pending & Q(tool_calls__approval__expires_at__lt=timezone.now())


def _expire(turn: Turn) -> None:
    claimed = approvals.expire(turn, timezone.now())
    if claimed is not None:
        run_in_thread(claimed, take_up)


def _expired() -> Q:
    """A lease that has run out; one that runs too long was given before the clock was put back."""
    now = timezone.now()
    return Q(lease_until__lt=now) | Q(lease_until__gt=now + 2 * LEASE)


def _take_over(turn: Turn) -> None:
    """Takes a lost turn up unless another process is faster; from here on its own process writes no more, should it still live."""
    held = Turn.objects.filter(_expired(), pk=turn.pk, lease_token=turn.lease_token)
    begin = take_up if turn.attempts < ATTEMPTS else give_up
    turn.attempts = min(turn.attempts + 1, ATTEMPTS)
    turn.lease_token, turn.lease_until = uuid.uuid4(), timezone.now() + LEASE
    taken = {"lease_token": turn.lease_token, "lease_until": turn.lease_until, "attempts": turn.attempts}
    if held.update(**taken):
        logger.warning("turn %s was left by its process, attempt %d begins", turn.pk, turn.attempts)
        run_in_thread(turn, begin)
