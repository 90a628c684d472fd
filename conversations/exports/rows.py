"""A checked export as rows, under new ids."""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.journal import pack
from conversations.journal.lines import encode
from conversations.models import (
    Approval,
    Conversation,
    Event,
    Failure,
    Message,
    RequestBase,
    Round,
    ToolCall,
    Turn,
)

from .format import CallPart, Fault, RoundPart, Said, TurnPart, Whole

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Ids = dict[str, str]
Rounds = dict[tuple[UUID, int, int], Round]
NAMES_OF_IDS = {"threadId", "runId", "parentRunId", "messageId", "id"}


def save(whole: Whole, owner: "User") -> Conversation:
    """Stores all of it in one transaction."""
    ids = _new_ids(whole)
    rounds: Rounds = {}
    with transaction.atomic():
        conversation = _conversation(whole, ids, owner)
        RequestBase.objects.bulk_create(
            [RequestBase(sha256=name, body=body) for name, body in whole.request_bases.items()],
            ignore_conflicts=True,
        )
        turns = [_turn(part, conversation, ids) for part in whole.turns]
        for part, turn in zip(whole.turns, turns, strict=True):
            rounds |= {(part.id, row.number, row.attempt): _round(row, turn, ids) for row in part.rounds}
        calls = [_call(call, rounds[call.turn, call.round, call.attempt]) for call in whole.tool_calls]
        ToolCall.objects.bulk_create(calls)
        Approval.objects.bulk_create(_approvals(whole.tool_calls, calls))
        if whole.head:
            conversation.head_id = UUID(ids[str(whole.head)])
            conversation.save(update_fields=["head"])
        for turn in turns:
            pack(turn)
    return conversation


def _new_ids(whole: Whole) -> Ids:
    messages = [turn.message for turn in whole.turns]
    messages += [row.message for turn in whole.turns for row in turn.rounds if row.message]
    old = [whole.id, *(turn.id for turn in whole.turns), *(message.id for message in messages)]
    return {str(each): str(uuid.uuid4()) for each in old}


def _conversation(whole: Whole, ids: Ids, owner: "User") -> Conversation:
    return Conversation.objects.create(
        id=UUID(ids[str(whole.id)]),
        owner=owner,
        title=whole.title,
        model=whole.model,
        system=whole.system,
        inference=whole.inference,
        created_at=whole.created_at,
        updated_at=whole.updated_at,
    )


def _turn(part: TurnPart, conversation: Conversation, ids: Ids) -> Turn:
    turn = Turn(
        id=UUID(ids[str(part.id)]),
        conversation=conversation,
        parent_id=UUID(ids[str(part.parent)]) if part.parent else None,
        number=part.number,
        user_id=conversation.owner_id,
        status=part.status,
        model=part.model,
        system=part.system,
        inference=part.inference,
        attempts=part.attempts,
        runs=part.runs,
        created_at=part.created_at,
        started_at=part.started_at,
        finished_at=part.finished_at,
        first_token_ms=part.first_token_ms,
    )
    turn.take_usage(part.usage)
    _fail(turn, part.error)
    turn.save(force_insert=True)
    _message(part.message, turn, None, ids)
    Event.objects.bulk_create(_events(part, turn, ids))
    return turn


def _events(part: TurnPart, turn: Turn, ids: Ids) -> list[Event]:
    return [
        Event(
            conversation_id=turn.conversation_id,
            turn=turn,
            seq=event["metadata"]["seq"],
            data=encode(_renamed(event, ids)),
            parts=encode(part.parts[str(place)]) if str(place) in part.parts else "",
        )
        for place, event in enumerate(part.events)
    ]


def _renamed(event: Any, ids: Ids) -> Any:
    """The event with the new ids for the old, wherever an id may stand."""
    if isinstance(event, list):
        return [_renamed(member, ids) for member in event]
    if not isinstance(event, dict):
        return event
    return {
        name: _new(value, ids) if name in NAMES_OF_IDS and isinstance(value, str) else _renamed(value, ids)
        for name, value in event.items()
    }


def _new(value: str, ids: Ids) -> str:
    whose, colon, which = value.partition(":")
    return ids.get(whose, whose) + colon + which


def _round(part: RoundPart, turn: Turn, ids: Ids) -> Round:
    row = Round(
        turn=turn,
        number=part.number,
        attempt=part.attempt,
        status=part.status,
        model=part.model,
        base_id=part.request_base,
        request_sha256=part.request_sha256,
        gateway_request_id=part.gateway_request_id,
        tries=part.tries,
        stop_reason=part.stop_reason,
        metadata=part.metadata,
        latency_ms=part.latency_ms,
        first_token_ms=part.first_token_ms,
        started_at=part.started_at,
        finished_at=part.finished_at,
    )
    row.take_usage(part.usage)
    _fail(row, part.error)
    row.save(force_insert=True)
    if part.message:
        _message(part.message, turn, row, ids)
    return row


def _message(said: Said, turn: Turn, row: Round | None, ids: Ids) -> None:
    Message.objects.create(
        conversation_id=turn.conversation_id,
        turn=turn,
        round=row,
        public_id=UUID(ids[str(said.id)]),
        role=Message.Role.ASSISTANT if row else Message.Role.USER,
        content=said.content,
        complete=said.complete,
        created_at=said.created_at,
    )


def _call(part: CallPart, row: Round) -> ToolCall:
    return ToolCall(
        conversation_id=row.turn.conversation_id,
        turn_id=row.turn_id,
        round=row,
        position=part.position,
        tool_use_id=part.tool_use_id,
        name=part.name,
        arguments=part.arguments,
        input=part.input,
        status=part.status,
        error=part.error,
        result=part.result,
        created_at=part.created_at,
        started_at=part.started_at,
        finished_at=part.finished_at,
        duration_ms=part.duration_ms,
    )


def _approvals(parts: list[CallPart], calls: list[ToolCall]) -> Iterator[Approval]:
    """What was decided about the calls; nobody here did, and what nobody had decided is withdrawn."""
    for told, call in ((part.approval, call) for part, call in zip(parts, calls, strict=True)):
        if told is None:
            continue
        is_open = told.status == "pending"
        yield Approval(
            call=call,
            status=Approval.Status.WITHDRAWN if is_open else told.status,
            requested_at=told.requested_at,
            expires_at=told.expires_at,
            decided_at=timezone.now() if is_open else told.decided_at,
            decided_by_name=told.decided_by or "",
            reason=told.reason,
            input=told.input,
        )


def _fail(row: Failure, fault: Fault | None) -> None:
    if fault:
        row.error_code, row.error_text, row.error_detail = fault.code, fault.message, fault.detail
