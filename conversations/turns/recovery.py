"""What a dead process left behind: its turns are ended as interrupted, with all that had been shown, and the queue moves on."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from conversations.errors import TurnInterrupted
from conversations.journal import Record, pack
from conversations.journal.recordings import summary
from conversations.models import Event, Message, Round, ToolCall, Turn
from conversations.protocol import events
from conversations.protocol.history import NO_RESULT

from .rounds import CUT
from .running import JOURNAL, opening, run_in_thread
from .starting import LEASE, claim_next, tell_queue
from .stopping import DRAINING, RUNNING

logger = logging.getLogger(__name__)

SWEEP_EVERY = 5.0
NOT_RUN = "Not run: the server stopped before."

Shown = dict[str, Any]


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
    """Ends the turns whose lease has run out, and begins queued ones that nothing runs before; of one conversation if it is named."""
    now = timezone.now()
    turns = Turn.objects.filter(conversation=only) if only else Turn.objects.all()
    for turn in turns.filter(status=Turn.Status.RUNNING, lease_until__lt=now).exclude(pk__in=list(RUNNING)):
        _guarded(partial(_take_over, turn), turn.pk)
    ended = turns.filter(finished_at__lt=now - LEASE, recording__isnull=True)
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


def _take_over(turn: Turn) -> None:
    """Ends a lost turn unless another process is faster; from here on its own process writes no more, should it still live."""
    now = timezone.now()
    taken = Turn.objects.filter(pk=turn.pk, lease_token=turn.lease_token, lease_until__lt=now)
    turn.lease_token, turn.lease_until = uuid.uuid4(), now + LEASE
    if taken.update(lease_token=turn.lease_token, lease_until=turn.lease_until):
        end_interrupted(turn)


def end_interrupted(turn: Turn) -> None:
    """Ends a turn that its process left, keeping what it had shown."""
    logger.warning("turn %s was left by its process", turn.pk)
    record = JOURNAL.open(turn)
    data = Event.objects.filter(conversation=turn.conversation_id, turn=turn).order_by("seq")
    shown = summary(turn.pk, data.values_list("data", flat=True))["messages"]
    if not shown:
        record.append(*opening(turn))
    _settle_calls(turn, record, {message["id"] for message in shown})
    error = TurnInterrupted()
    turn.status, turn.finished_at = Turn.Status.INTERRUPTED, timezone.now()
    turn.error_code, turn.error_text = error.code, str(error)
    turn.lease_token = turn.lease_until = None
    turn.take_figures()
    record.commit(events.run_error(str(error), error.code), write=partial(_save, turn, shown))
    pack(turn)


def _settle_calls(turn: Turn, record: Record, shown: set[str]) -> None:
    """Answers the calls that have no result, and shows in order the results that were stored but not shown yet."""
    asked = turn.tool_calls.filter(round__status=Round.Status.COMPLETED).order_by("round", "position")
    for call in asked:
        if f"result:{call.tool_use_id}" in shown:
            continue
        write = partial(call.save, force_update=True) if call.result is None else None
        if call.result is None:
            why = NOT_RUN if call.status == ToolCall.Status.REQUESTED else NO_RESULT
            call.status, call.error = ToolCall.Status.ERROR, "interrupted"
            call.result, call.finished_at = [{"text": why}], timezone.now()
        text, took = events.result_text(call.result), call.duration_ms or 0
        event = events.tool_call_result(call.tool_use_id, text, status=call.status, duration_ms=took)
        record.append(event, write=write)


def _save(turn: Turn, shown: list[Shown]) -> None:
    """Stores the turn's end, and what had been shown of the round that was under way."""
    for row in turn.rounds.filter(status=Round.Status.RUNNING):
        row.status, row.finished_at = Round.Status.INTERRUPTED, turn.finished_at
        row.save(force_update=True)
        _save_text(row, shown)
        _save_calls(row, shown)
    turn.save(force_update=True)


def _save_text(row: Round, shown: list[Shown]) -> None:
    prefix = f"{row.turn_id}:{row.number}" + (f".{row.attempt}:" if row.attempt > 1 else ":")
    texts = [{"text": said["content"]} for said in shown if _is_text_of(prefix, said)]
    if texts:
        Message.objects.create(
            conversation_id=row.turn.conversation_id,
            turn_id=row.turn_id,
            round=row,
            role=Message.Role.ASSISTANT,
            content=texts,
            complete=False,
        )


def _is_text_of(prefix: str, said: Shown) -> bool:
    return bool(said["role"] == "assistant" and said["id"].startswith(prefix))


def _save_calls(row: Round, shown: list[Shown]) -> None:
    """Stores the calls that a cut round had begun to ask for: they were shown, so their ids are taken."""
    stored = set(row.turn.tool_calls.values_list("tool_use_id", flat=True))
    asked = [call for said in shown for call in said.get("toolCalls", ()) if call["id"] not in stored]
    for position, call in enumerate(asked):
        ToolCall.objects.create(
            conversation_id=row.turn.conversation_id,
            turn_id=row.turn_id,
            round=row,
            position=position,
            tool_use_id=call["id"],
            name=call["function"]["name"][:200],
            arguments=call["function"]["arguments"],
            status=ToolCall.Status.ERROR,
            error="cut",
            result=[{"text": CUT}],
        )
