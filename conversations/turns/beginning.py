"""How a turn's record begins: with the user's message, or where a process that died has left it."""

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.utils import timezone

from conversations.errors import TurnInterrupted
from conversations.journal import Record, recorded
from conversations.models import Conversation, Message, Round, ToolCall, Turn
from conversations.protocol import events
from conversations.protocol.content import plain_text
from conversations.protocol.interrupted import CUT, closing
from conversations.protocol.snapshot import Snapshot
from conversations.protocol.steps import RoundState

from . import approvals
from .loading import round_states

Shown = dict[str, Any]


class Unopened(Exception):
    """A turn's opening could not be made; nothing of the turn has been told yet."""


def opening(turn: Turn) -> list[events.Event]:
    """What a turn's record begins with."""
    said = Message.objects.get(turn=turn, role=Message.Role.USER)
    told = [_begun(turn)]
    told += events.user_message(str(said.public_id), plain_text(said.content))
    if turn.number == 1:
        title = Conversation.objects.values_list("title", flat=True).get(pk=turn.conversation_id)
        told.append(events.custom("conversation", {"title": title}))
    return told


def _begun(turn: Turn) -> events.Event:
    """The start of its run, which says what it follows on."""
    after = str(turn.parent_id) if turn.parent_id else None
    is_root = turn.parent_id is None and turn.number > 1
    return events.run_started(str(turn.conversation_id), turn.run_id, after, is_root=is_root)


def begin_anew(turn: Turn, record: Record) -> list[RoundState]:
    """Begins a turn that nobody has run yet; its rounds, none. Raises Unopened."""
    try:
        told = opening(turn)
    except Exception as error:
        raise Unopened from error
    record.append(*told)
    return []


def take_up(turn: Turn, record: Record) -> list[RoundState]:
    """Begins again where a process that died has left the turn, or where it has waited for a person: the round that was under way is
    closed as interrupted, with all that it had shown; the record is then as it is between two steps. The turn's rounds.
    """
    told = [json.loads(data) for data, _ in recorded(turn)]
    if not told:
        return begin_anew(turn, record)
    record.commit(*closing(told), *_going_on(turn, told), write=partial(_save_cut_round, turn, told))
    return round_states(turn)


def _going_on(turn: Turn, told: list[events.Event]) -> list[events.Event]:
    """What a further run begins with after a wait: that it starts, and what was decided."""
    if told[-1]["type"] != "RUN_FINISHED":
        return []
    return [events.run_started(str(turn.conversation_id), turn.run_id), *approvals.told(turn)]


def give_up(turn: Turn, record: Record) -> list[RoundState]:
    """Closes what was left as `take_up` does; raises TurnInterrupted, since the turn was lost each time."""
    take_up(turn, record)
    raise TurnInterrupted


def _save_cut_round(turn: Turn, told: Iterable[events.Event]) -> None:
    shown = Snapshot(str(turn.pk)).apply(told).as_list()
    for row in turn.rounds.filter(status=Round.Status.RUNNING):
        row.status, row.finished_at = Round.Status.INTERRUPTED, timezone.now()
        row.save(force_update=True)
        _save_text(row, shown)
        _save_calls(row, shown)


def _save_text(row: Round, shown: list[Shown]) -> None:
    texts = [{"text": said["content"]} for said in shown if _is_text_of(row, said)]
    if texts:
        Message.objects.create(
            conversation_id=row.turn.conversation_id,
            turn_id=row.turn_id,
            round=row,
            role=Message.Role.ASSISTANT,
            content=texts,
            complete=False,
        )


def _is_text_of(row: Round, said: Shown) -> bool:
    """Whether it is text of the round that a request may hold: blocks without any, which models send, are none."""
    is_text = said["role"] == "assistant" and said["id"].startswith(f"{row.prefix}:")
    return is_text and bool(said["content"].strip())


def _save_calls(row: Round, shown: list[Shown]) -> None:
    """Stores the calls that a cut round had begun to ask for: they were shown, so their ids are taken."""
    stored = set(row.turn.tool_calls.values_list("tool_use_id", flat=True))
    asked = [call for said in shown for call in said.get("toolCalls", ()) if call["id"] not in stored]
    ToolCall.objects.bulk_create(
        ToolCall(
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
        for position, call in enumerate(asked)
    )
