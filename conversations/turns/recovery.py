"""What a dead process left behind: its turns are ended as interrupted, with all that had been shown, and the queue moves on."""

import logging
import threading
import time
import uuid
from datetime import datetime
from functools import partial

from django.db import connection
from django.utils import timezone

from conversations.errors import TurnInterrupted
from conversations.journal import Record, pack
from conversations.journal.recordings import summary
from conversations.models import Event, Message, Round, ToolCall, Turn
from conversations.protocol import events
from conversations.protocol.history import NO_RESULT

from .running import JOURNAL, opening, run_in_thread
from .starting import LEASE, claim_next
from .stopping import DRAINING, RUNNING

logger = logging.getLogger(__name__)

SWEEP_EVERY = 5.0


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


def sweep() -> None:
    """Ends the turns whose lease has run out, and begins queued ones that nothing runs before."""
    now = timezone.now()
    lost = Turn.objects.filter(status=Turn.Status.RUNNING, lease_until__lt=now).exclude(pk__in=list(RUNNING))
    for turn in lost:
        taken = Turn.objects.filter(pk=turn.pk, lease_token=turn.lease_token, lease_until__lt=now)
        if taken.update(lease_token=uuid.uuid4(), lease_until=now + LEASE):
            end_interrupted(turn)
    pack_leftovers(now)
    queued = Turn.objects.filter(status=Turn.Status.QUEUED).exclude(
        conversation__turns__status__in=Turn.ACTIVE
    )
    for conversation in set(queued.values_list("conversation", flat=True)):
        following = claim_next(conversation)
        if following is not None:
            run_in_thread(following)


def pack_leftovers(now: datetime) -> None:
    """Packs the turns that ended a while ago, but whose process ended before it had packed them."""
    ended = Turn.objects.filter(finished_at__lt=now - LEASE, recording__isnull=True)
    for turn in ended.filter(pk__in=Event.objects.values("turn")):
        pack(turn)


def end_interrupted(turn: Turn) -> None:
    """Ends a turn that its process left, keeping what it had shown."""
    logger.warning("turn %s was left by its process", turn.pk)
    record = JOURNAL.open(turn)
    if not Event.objects.filter(conversation=turn.conversation_id, turn=turn).exists():
        record.append(*opening(turn))
    _settle_calls(turn, record)
    error = TurnInterrupted()
    turn.status, turn.finished_at = Turn.Status.INTERRUPTED, timezone.now()
    turn.error_code, turn.error_text = error.code, str(error)
    turn.lease_token = turn.lease_until = None
    turn.take_figures()
    record.commit(
        events.run_error(str(error), error.code), write=partial(_save, turn, _partial_messages(turn))
    )
    pack(turn)


def _settle_calls(turn: Turn, record: Record) -> None:
    for call in turn.tool_calls.filter(result__isnull=True).order_by("round", "position"):
        call.status, call.error = ToolCall.Status.ERROR, "interrupted"
        call.result, call.finished_at = [{"text": NO_RESULT}], timezone.now()
        event = events.tool_call_result(call.tool_use_id, NO_RESULT, status="error", duration_ms=0)
        record.append(event, write=partial(call.save, force_update=True))


def _partial_messages(turn: Turn) -> list[Message]:
    """The messages of the rounds that were not completed, made of the text that had been shown of them."""
    rows = Event.objects.filter(conversation=turn.conversation_id, turn=turn).order_by("seq")
    shown = summary(turn.pk, rows.values_list("data", flat=True))["messages"]
    messages = []
    for row in turn.rounds.filter(status=Round.Status.RUNNING):
        prefix = f"{turn.pk}:{row.number}" + (f".{row.attempt}:" if row.attempt > 1 else ":")
        texts = [{"text": said["content"]} for said in shown if _is_text_of(prefix, said)]
        if texts:
            messages.append(
                Message(
                    conversation_id=turn.conversation_id,
                    turn=turn,
                    round=row,
                    role=Message.Role.ASSISTANT,
                    content=texts,
                    complete=False,
                )
            )
    return messages


def _is_text_of(prefix: str, said: dict[str, str]) -> bool:
    return said["role"] == "assistant" and said["id"].startswith(prefix)


def _save(turn: Turn, messages: list[Message]) -> None:
    turn.save(force_update=True)
    turn.rounds.filter(status=Round.Status.RUNNING).update(
        status=Round.Status.INTERRUPTED, finished_at=turn.finished_at
    )
    Message.objects.bulk_create(messages)
