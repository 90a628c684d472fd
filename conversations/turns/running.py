"""A claimed turn, run to its end in a thread of its own: next step, take it, again, until the core says that it is over."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection
from django.utils import timezone

from conversations.errors import ContextOverflow as Overflow
from conversations.errors import InternalError, RoundLimit, StreamError, TurnInterrupted, TurntableError
from conversations.journal import Journal, Record, pack
from conversations.live import HUB
from conversations.models import Conversation, Turn
from conversations.models.fields import TOKENS
from conversations.protocol import events, steps
from conversations.protocol.history import NO_RESULT
from conversations.protocol.interrupts import run_interrupted

from . import approvals, loading, recorded
from .beginning import Unopened, begin_anew
from .calls import Calls, answer_waiting
from .leases import keep_leases
from .rounds import STOPPED, Streaming
from .starting import claim_next, tell_queue
from .stopping import DRAINING, RUNNING, Stop, Stopped

logger = logging.getLogger(__name__)

JOURNAL = Journal(HUB.publish)
Begin = Callable[[Turn, Record], list[steps.RoundState]]
END = [
    *("status", "finished_at", "lease_token", "lease_until", "error_code", "error_text", "error_detail"),
    *(*TOKENS, "usage", "first_token_ms"),
]
"""What the end of a turn writes; a stop that was asked for meanwhile stays noted."""

FAILURES: dict[str, type[TurntableError]] = {
    "round_limit": RoundLimit,
    "stream_error": StreamError,
    "context_overflow": Overflow,
}


def run_in_thread(turn: Turn, begin: Begin = begin_anew) -> None:
    """Runs a claimed turn, and then what waits behind it, in a thread that nobody waits for; `begin` is its first step."""
    stop = RUNNING[turn.pk] = Stop(turn.lease_token)
    if turn.stop_requested_at is not None:
        stop.request()
    keep_leases()
    thread = threading.Thread(target=_run, args=(turn, stop, begin), name=f"turn-{turn.pk}", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads to be had: the sweep takes the turn up when there are
        RUNNING.pop(turn.pk, None)
        logger.exception("turn %s could not be begun", turn.pk)


def _run(turn: Turn, stop: Stop, begin: Begin) -> None:
    try:
        Running(turn, stop).run(begin)
    except Exception:
        logger.exception("turn %s could not be ended", turn.pk)
    try:
        _run_next(turn)
    except Exception:
        logger.exception("what waits behind turn %s could not be begun", turn.pk)
    finally:
        RUNNING.pop(turn.pk, None)
        connection.close()


def _run_next(turn: Turn) -> None:
    following = None if DRAINING.is_set() else claim_next(turn.conversation_id)
    if following is not None:
        run_in_thread(following)
        tell_queue(turn.conversation_id)


class Running:
    """A turn on its way."""

    def __init__(self, turn: Turn, stop: Stop) -> None:
        self.turn, self.stop = turn, stop
        self.conversation, self.run_id = str(turn.conversation_id), turn.run_id
        self.record = JOURNAL.open(turn)
        self.waits = False

    def run(self, begin: Begin) -> None:
        """Runs the turn to its end, whatever that is, and packs its recording; raises Unopened for one that is to be begun anew."""
        try:
            self._take_steps(begin(self.turn, self.record))
        except Unopened:
            raise  # the sweep begins it anew
        except Stopped:
            answer_waiting(self.turn, self.record, "stopped", STOPPED)
            self._end(Turn.Status.STOPPED, self._finished("cancelled"))
        except TurntableError as error:
            self._fail(error)
        except Exception:
            logger.exception("turn %s failed", self.turn.pk)
            self._fail(InternalError())
        else:
            self._end_or_wait()
        if self.turn.status != Turn.Status.WAITING:
            pack(self.turn)

    def _take_steps(self, rounds: list[steps.RoundState]) -> None:
        while True:
            self.stop.check()
            step = recorded.next_step(self.turn, rounds)
            if isinstance(step, steps.CallModel):
                Streaming(self.turn, self.record, self.stop, step.number).run()
            elif isinstance(step, steps.RunTools):
                Calls(self.turn, self.record, self.stop, step).run()
            elif isinstance(step, steps.Fail):
                raise FAILURES[step.code]
            else:
                self.waits = isinstance(step, steps.Wait)
                return
            rounds = loading.round_states(self.turn)

    def _end_or_wait(self) -> None:
        if not self.waits:
            return self._end(Turn.Status.COMPLETED, self._finished("success"))
        asked = approvals.interrupts(self.turn)
        told = run_interrupted(self.conversation, self.run_id, asked, self._usage())
        return self._end(Turn.Status.WAITING, told)

    def _finished(self, outcome: str) -> dict[str, Any]:
        return events.run_finished(self.conversation, self.run_id, outcome, self._usage())

    def _usage(self) -> list[dict[str, Any]]:
        self.turn.take_figures()
        return [events.token_usage(self.turn.model, self.turn.usage)] if self.turn.usage else []

    def _fail(self, error: TurntableError) -> None:
        turn = self.turn
        turn.error_code, turn.error_text, turn.error_detail = error.code, str(error), error.detail
        turn.take_figures()
        answer_waiting(turn, self.record, "interrupted", NO_RESULT)
        lost = isinstance(error, TurnInterrupted)
        status = Turn.Status.INTERRUPTED if lost else Turn.Status.FAILED
        request_id = getattr(error, "request_id", "")
        self._end(status, events.run_error(str(error), error.code, request_id))

    def _end(self, status: Turn.Status, event: dict[str, Any]) -> None:
        turn = self.turn
        turn.status, turn.finished_at = status, None if status == Turn.Status.WAITING else timezone.now()
        turn.lease_token = turn.lease_until = None
        self.record.commit(event, write=partial(self._save, turn))

    def _save(self, turn: Turn) -> None:
        turn.save(update_fields=END)
        Conversation.objects.filter(pk=turn.conversation_id).update(updated_at=timezone.now())
