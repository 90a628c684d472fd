"""All of a conversation as JSON: what the contract promises, and beside it whatever an import needs to make the same rows again."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from conversations.engine import past_turns
from conversations.journal import recorded
from conversations.models import (
    Approval,
    Conversation,
    Failure,
    Message,
    RequestBase,
    Round,
    ToolCall,
    Turn,
    active_line,
)
from conversations.protocol.converse import history

Document = dict[str, Any]
VERSION = 1


def as_json(conversation: Conversation) -> str:
    """The export as text, each event, call and message on a line of its own, so that a fault in it can be named by its line."""
    return "".join(_written(document(conversation)))


def document(conversation: Conversation) -> Document:
    """The export as a value."""
    turns = list(conversation.turns.order_by("number"))
    rounds = _by_turn(conversation)
    questions = Message.objects.filter(conversation=conversation, role=Message.Role.USER)
    said = {row.turn_id: row for row in questions}
    return {
        "version": VERSION,
        "id": str(conversation.pk),
        "title": conversation.title,
        "model": conversation.model,
        "system": conversation.system,
        "inference": conversation.inference,
        "head": str(conversation.head_id) if conversation.head_id else None,
        "createdAt": _time(conversation.created_at),
        "updatedAt": _time(conversation.updated_at),
        "messages": _messages(conversation),
        "toolCalls": [_call(row) for row in _calls(conversation)],
        "turns": [_turn(turn, said[turn.pk], rounds[turn.pk]) for turn in turns],
        "requestBases": _bases(conversation),
    }


def _messages(conversation: Conversation) -> list[Document]:
    line = active_line(conversation)
    return history.conversed(past_turns(line[-1])) if line else []


def _calls(conversation: Conversation) -> Iterator[ToolCall]:
    rows = ToolCall.objects.filter(conversation=conversation).select_related("round", "approval__decided_by")
    return rows.order_by("turn__number", "round__number", "round__attempt", "position").iterator()


def _call(row: ToolCall) -> Document:
    return {
        "toolUseId": row.tool_use_id,
        "name": row.name,
        "input": row.input,
        "arguments": row.arguments,
        "status": row.status,
        "error": row.error,
        "result": row.result,
        "createdAt": _time(row.created_at),
        "startedAt": _time(row.started_at),
        "finishedAt": _time(row.finished_at),
        "durationMs": row.duration_ms,
        "turn": str(row.turn_id),
        "round": row.round.number,
        "attempt": row.round.attempt,
        "position": row.position,
        "approval": _approval(getattr(row, "approval", None)),
    }


def _approval(row: Approval | None) -> Document | None:
    if row is None:
        return None
    return {
        "status": row.status,
        "requestedAt": _time(row.requested_at),
        "expiresAt": _time(row.expires_at),
        "decidedAt": _time(row.decided_at),
        "decidedBy": row.decider or None,
        "reason": row.reason,
        "input": row.input,
    }


def _by_turn(conversation: Conversation) -> dict[UUID, list[Round]]:
    found: dict[UUID, list[Round]] = defaultdict(list)
    rows = Round.objects.filter(turn__conversation=conversation).select_related("message")
    for row in rows.order_by("number", "attempt"):
        found[row.turn_id].append(row)
    return found


def _turn(turn: Turn, said: Message, rounds: list[Round]) -> Document:
    told = recorded(turn)
    whole = {
        "id": str(turn.pk),
        "number": turn.number,
        "parent": str(turn.parent_id) if turn.parent_id else None,
        "status": turn.status,
        "error": _error(turn),
        "model": turn.model,
        "system": turn.system,
        "inference": turn.inference,
        "usage": turn.usage,
        "attempts": turn.attempts,
        "createdAt": _time(turn.created_at),
        "startedAt": _time(turn.started_at),
        "finishedAt": _time(turn.finished_at),
        "firstTokenMs": turn.first_token_ms,
        "message": _message(said),
        "rounds": [_round(row) for row in rounds],
        "events": [json.loads(data) for data, _ in told],
        "parts": {str(place): json.loads(parts) for place, (_, parts) in enumerate(told) if parts},
    }
    return whole | ({"runs": turn.runs} if turn.runs > 1 else {})


def _round(row: Round) -> Document:
    said = getattr(row, "message", None)
    return {
        "number": row.number,
        "attempt": row.attempt,
        "status": row.status,
        "error": _error(row),
        "model": row.model,
        "stopReason": row.stop_reason,
        "usage": row.usage,
        "metadata": row.metadata,
        "latencyMs": row.latency_ms,
        "firstTokenMs": row.first_token_ms,
        "tries": row.tries,
        "requestBase": row.base_id,
        "requestSha256": row.request_sha256,
        "gatewayRequestId": row.gateway_request_id,
        "startedAt": _time(row.started_at),
        "finishedAt": _time(row.finished_at),
        "message": _message(said) if said else None,
    }


def _message(row: Message) -> Document:
    return {
        "id": str(row.public_id),
        "content": row.content,
        "complete": row.complete,
        "createdAt": _time(row.created_at),
    }


def _bases(conversation: Conversation) -> Document:
    used = Round.objects.filter(turn__conversation=conversation).values("base")
    return dict(RequestBase.objects.filter(pk__in=used).order_by("pk").values_list("pk", "body"))


def _error(row: Failure) -> Document | None:
    if not row.error_code:
        return None
    return {"code": row.error_code, "message": row.error_text, "detail": row.error_detail}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _written(value: Any, depth: int = 0) -> Iterator[str]:
    """JSON text, broken into lines as deep as a turn's rounds and events lie."""
    opening, closing = "[]" if isinstance(value, list) else "{}"
    if depth > 3 or not value or not isinstance(value, dict | list):
        yield json.dumps(value, ensure_ascii=False)
        return
    members = value.items() if isinstance(value, dict) else ((None, member) for member in value)
    yield opening
    for place, (name, member) in enumerate(members):
        yield (",\n" if place else "\n") + " " * (depth + 1)
        if name is not None:
            yield json.dumps(name, ensure_ascii=False) + ": "
        yield from _written(member, depth + 1)
    yield "\n" + " " * depth + closing
