"""How a run of a turn begins: with the user's message, after its process died, or after a wait."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.utils import timezone

from conversations import signals
from conversations.errors import TurnInterrupted
from conversations.journal import Write, last_seq, turn_frames
from conversations.models import Message, Round, ToolCall, Turn
from conversations.protocol.agui import events
from conversations.protocol.agui.closing import BROKEN_OFF, closing_events
from conversations.protocol.agui.interrupts import repeated_calls
from conversations.protocol.agui.snapshot import Snapshot
from conversations.protocol.converse import attached
from conversations.protocol.converse.content import plain_text, text
from conversations.protocol.converse.usage import least_tokens

from . import approvals, requests, settings
from .messages import Opening
from .requests import Memory

SnapshotMessage = dict[str, Any]


@dataclass(frozen=True)
class Beginning:
    """What a run stores first: its `events`, and the rows that `write` writes with them.

    Without `memory`, that is read once these are stored. A `failure` then ends the turn.
    """

    events: list[events.Event]
    memory: Memory | None = None
    write: Write | None = None
    failure: TurnInterrupted | None = None


def read_opening(turn: Turn) -> Opening:
    """The turn's opening, read from the database."""
    message = Message.objects.select_related("conversation").get(turn=turn, role=Message.Role.USER)
    return Opening(
        message.public_id, message.content, message.conversation.title, last_seq(turn.conversation_id)
    )


def begin_anew(turn: Turn, opening: Opening) -> Beginning:
    """Begins a turn of which nothing is in the record yet."""
    is_first = turn.number == 1
    memory = Memory(opening.content) if is_first else requests.load(turn, has_calls=opening.has_calls)
    return Beginning(opening_events(turn, opening), memory)


def opening_events(turn: Turn, opening: Opening) -> list[events.Event]:
    """The first events of a turn's record."""
    parent = str(turn.parent_id) if turn.parent_id else None
    is_root = turn.parent_id is None and turn.number > 1
    in_force = {} if "call" in turn.rerun else settings.record_of(turn)
    start = events.run_started(
        str(turn.conversation_id), turn.run_id, parent, is_root=is_root, settings=in_force
    )
    files = attached.facts(opening.content)
    message = events.user_message(str(opening.message_id), plain_text(opening.content), files)
    title = events.custom("conversation", {"title": opening.title})
    return [start, *message, *([title] if turn.number == 1 else [])]


def take_up(turn: Turn, opening: Opening) -> Beginning:
    """Begins again where a dead process has left the turn, or where it has waited for a person.

    The round that was under way is closed as interrupted and keeps all that it had shown; the record is then as between two steps.
    """
    record = [json.loads(data) for data, _ in turn_frames(turn)]
    if not record:
        return begin_anew(turn, opening)
    further = _further_run(turn, record)
    return Beginning([*closing_events(record), *further], write=partial(_save_cut_rounds, turn, record))


def give_up(turn: Turn, opening: Opening) -> Beginning:
    """Begins as `take_up` does, but only to end a turn that was lost at every attempt."""
    return replace(take_up(turn, opening), failure=TurnInterrupted())


def _further_run(turn: Turn, record: list[events.Event]) -> list[events.Event]:
    """The first events of a further run after a wait: its start, the decisions and their calls."""
    if record[-1]["type"] != "RUN_FINISHED":
        return []
    start = events.run_started(str(turn.conversation_id), turn.run_id)
    return [start, *approvals.decisions(turn), *repeated_calls(record)]


def _save_cut_rounds(turn: Turn, record: Iterable[events.Event]) -> None:
    messages = Snapshot(str(turn.pk)).apply(record).as_list()
    for row in turn.rounds.filter(status=Round.Status.RUNNING):
        row.status, row.finished_at = Round.Status.INTERRUPTED, timezone.now()
        texts = [message["content"] for message in messages if _is_text_of(row, message)]
        row.set_usage({}, least_tokens(sum(map(len, texts))))
        row.save(force_update=True)
        _save_text(row, texts)
        _save_calls(row, messages)


def _save_text(row: Round, texts: list[str]) -> None:
    if texts:
        Message.objects.create(
            conversation_id=row.turn.conversation_id,
            turn_id=row.turn_id,
            round=row,
            role=Message.Role.ASSISTANT,
            content=[text(value) for value in texts],
            complete=False,
        )


def _is_text_of(row: Round, message: SnapshotMessage) -> bool:
    """Whether the message is text of the round that a request may hold, which blank text may not be."""
    is_text = message["role"] == "assistant" and message["id"].startswith(f"{row.prefix}:")
    return is_text and bool(message["content"].strip())


def _save_calls(row: Round, messages: list[SnapshotMessage]) -> None:
    """Stores the calls that a cut round had begun to request: their ids were shown, so they are used."""
    stored = set(row.turn.tool_calls.values_list("tool_use_id", flat=True))
    calls = [
        call for message in messages for call in message.get("toolCalls", ()) if call["id"] not in stored
    ]
    rows = [
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
            result=[{"text": BROKEN_OFF}],
        )
        for position, call in enumerate(calls)
    ]
    ToolCall.objects.bulk_create(rows)
    signals.announce_answered(rows)
