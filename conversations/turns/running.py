"""A claimed turn, run to its end in a thread of its own: next step, take it, again, until the core says that it is over."""

import logging
import threading
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from conversations.errors import ContextOverflow as Overflow
from conversations.errors import InternalError, RoundLimit, StreamError, TurntableError
from conversations.journal import Journal, pack
from conversations.live import HUB
from conversations.models import Conversation, Message, Turn
from conversations.protocol import events, steps
from conversations.protocol.content import plain_text
from conversations.protocol.history import NO_RESULT

from . import loading
from .calls import Calls, answer_waiting
from .leases import keep_leases
from .rounds import STOPPED, Streaming
from .starting import claim_next, tell_queue
from .stopping import DRAINING, RUNNING, Stop, Stopped

logger = logging.getLogger(__name__)

JOURNAL = Journal(HUB.publish)
FAILURES: dict[str, type[TurntableError]] = {
    "round_limit": RoundLimit,
    "stream_error": StreamError,
    "context_overflow": Overflow,
}


def run_in_thread(turn: Turn) -> None:
    """Runs a claimed turn, and then what waits behind it, in a thread that nobody waits for."""
    stop = RUNNING[turn.pk] = Stop()
    keep_leases()
    threading.Thread(target=_run, args=(turn, stop), name=f"turn-{turn.pk}", daemon=True).start()


def _run(turn: Turn, stop: Stop) -> None:
    try:
        Running(turn, stop).run()
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
        self.conversation, self.run_id = str(turn.conversation_id), str(turn.pk)
        self.record = JOURNAL.open(turn)

    def run(self) -> None:
        """Runs the turn to its end, whatever that is, and packs its recording."""
        try:
            self._begin()
            self._take_steps()
        except Stopped:
            answer_waiting(self.turn, self.record, "stopped", STOPPED)
            self._end(Turn.Status.STOPPED, self._finished("cancelled"))
        except TurntableError as error:
            self._fail(error)
        except Exception:
            logger.exception("turn %s failed", self.turn.pk)
            self._fail(InternalError())
        else:
            self._end(Turn.Status.COMPLETED, self._finished("success"))
        pack(self.turn)

    def _begin(self) -> None:
        self.record.append(*opening(self.turn))

    def _take_steps(self) -> None:
        while True:
            self.stop.check()
            step = steps.next_step(loading.round_states(self.turn), settings.MAX_ROUNDS)
            if isinstance(step, steps.CallModel):
                Streaming(self.turn, self.record, self.stop, step.number).run()
            elif isinstance(step, steps.RunTools):
                Calls(self.turn, self.record, self.stop, step).run()
            elif isinstance(step, steps.Fail):
                raise FAILURES[step.code]
            else:
                return

    def _finished(self, outcome: str) -> dict[str, Any]:
        self.turn.take_figures()
        usage = [events.token_usage(self.turn.model, self.turn.usage)] if self.turn.usage else []
        return events.run_finished(self.conversation, self.run_id, outcome, usage)

    def _fail(self, error: TurntableError) -> None:
        turn = self.turn
        turn.error_code, turn.error_text, turn.error_detail = error.code, str(error), error.detail
        turn.take_figures()
        answer_waiting(turn, self.record, "interrupted", NO_RESULT)
        self._end(Turn.Status.FAILED, events.run_error(str(error), error.code))

    def _end(self, status: Turn.Status, event: dict[str, Any]) -> None:
        turn = self.turn
        turn.status, turn.finished_at = status, timezone.now()
        turn.lease_token = turn.lease_until = None
        self.record.commit(event, write=partial(self._save, turn))

    def _save(self, turn: Turn) -> None:
        turn.save(force_update=True)
        Conversation.objects.filter(pk=turn.conversation_id).update(updated_at=turn.finished_at)


def opening(turn: Turn) -> list[events.Event]:
    """What a turn's record begins with."""
    said = Message.objects.get(turn=turn, role=Message.Role.USER)
    told = [events.run_started(str(turn.conversation_id), str(turn.pk))]
    told += events.user_message(str(said.public_id), plain_text(said.content))
    if turn.number == 1:
        title = Conversation.objects.values_list("title", flat=True).get(pk=turn.conversation_id)
        told.append(events.custom("conversation", {"title": title}))
    return told
