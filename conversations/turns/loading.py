"""Rows -> the core's values: a turn's rounds for the next step, its ancestors for the history, and any past request again."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q

from conversations.models import Approval, Message, Round, ToolCall, Tree, Turn
from conversations.protocol import history, request
from conversations.protocol.content import Block, tool_result
from conversations.protocol.history import PastRound, PastTurn
from conversations.protocol.steps import CallState, RoundState


def round_states(turn: Turn) -> list[RoundState]:
    """The turn's rounds as the next step is decided by: the last attempt of each."""
    calls: dict[int, list[CallState]] = defaultdict(list)
    asked = turn.tool_calls.order_by("round", "position")
    pending = set(asked.filter(approval__status=Approval.Status.PENDING).values_list("pk", flat=True))
    for call in asked:
        state = CallState(call.tool_use_id, call.result is not None, undecided=call.pk in pending)
        calls[call.round_id].append(state)
    newest = {row.number: row for row in turn.rounds.order_by("number", "attempt")}
    return [
        RoundState(row.number, row.status == Round.Status.COMPLETED, row.stop_reason, tuple(calls[row.pk]))
        for row in newest.values()
    ]


def messages(turn: Turn, model: str, before_round: int | None = None) -> list[dict[str, Any]]:
    """The messages that ask `model` for the turn's next round, or for its round `before_round`."""
    return history.messages(past_turns(turn, before_round), model)


def past_turns(turn: Turn, before_round: int | None = None) -> list[PastTurn]:
    """The turn and its ancestors, oldest first."""
    pks = line(turn)
    rounds = _rounds(pks, turn, before_round)
    users: dict[UUID, list[Block]] = dict(
        Message.objects.filter(turn__in=pks, role=Message.Role.USER).values_list("turn", "content")
    )
    return [PastTurn(users.get(pk, []), rounds.get(pk, [])) for pk in pks]


def used_tool_ids(conversation: UUID) -> set[str]:
    """Every tool use id of the conversation so far."""
    return set(ToolCall.objects.filter(conversation=conversation).values_list("tool_use_id", flat=True))


def rebuild_request(row: Round) -> bytes:
    """The body of a past round's request, byte for byte; its SHA-256 is `row.request_sha256`."""
    told = messages(row.turn, row.model, before_round=row.number)
    return request.encoded(request.body(told, json.loads(row.base.body)))


_HAS_ITS_SAY = Q(status=Round.Status.COMPLETED) | Q(message__isnull=False)
"""A later attempt takes the place of a broken one, unless it broke before it said anything."""


def line(turn: Turn) -> list[UUID]:
    """The turn and its ancestors, oldest first."""
    return Tree.of(turn.conversation_id).line(turn.pk)


def _rounds(line: Iterable[UUID], turn: Turn, before_round: int | None) -> dict[UUID, list[PastRound]]:
    results: dict[int, dict[str, Block]] = defaultdict(dict)
    for call in ToolCall.objects.filter(turn__in=line, result__isnull=False).order_by("round", "position"):
        failed = call.status == ToolCall.Status.ERROR
        results[call.round_id][call.tool_use_id] = tool_result(call.tool_use_id, call.result, error=failed)
    told: dict[UUID, dict[int, PastRound]] = defaultdict(dict)
    rows = Round.objects.filter(turn__in=line).filter(_HAS_ITS_SAY).select_related("message")
    if before_round is not None:
        rows = rows.exclude(turn=turn, number__gte=before_round)
    for row in rows.order_by("number", "attempt"):
        said = getattr(row, "message", None)
        content, complete = (said.content, said.complete) if said else ([], True)
        past = PastRound(content, row.model, complete, row.stop_reason, results[row.pk])
        told[row.turn_id][row.number] = past
    return {turn_id: list(rounds.values()) for turn_id, rounds in told.items()}
