"""The questions of a rerun: user messages, stored or of a fixture, with their settings and answers."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from conversations.models import Conversation, Message, Round, ToolCall, Turn, active_line
from conversations.protocol.converse.content import plain_text

from .answers import Answer, answers, call_of
from .fixtures import TurnLine


@dataclass(frozen=True)
class Question:
    """A user message with its settings, its answer and its tool calls, and its turn if it is stored."""

    number: int
    text: str
    model: str
    system: str
    inference: dict[str, Any]
    tools_off: list[str]
    reasoning_budget: int | None
    answer: Answer
    calls: list[dict[str, Any]]
    turn: Turn | None = None


def stored_questions(conversation: Conversation) -> list[Question]:
    """The questions of the active branch that have been answered, whatever the answer."""
    turns = [turn for turn in active_line(conversation) if turn.finished_at is not None]
    rows = Message.objects.filter(turn__in=turns, role=Message.Role.USER)
    texts = {row.turn_id: plain_text(row.content) for row in rows}
    by_turn, calls = answers(turns), _recorded_calls(turns)
    return [
        Question(
            number=number,
            text=texts[turn.pk],
            **turn.in_force(),
            answer=by_turn[turn.pk],
            calls=calls[turn.pk],
            turn=turn,
        )
        for number, turn in enumerate(turns, 1)
    ]


def _recorded_calls(turns: Iterable[Turn]) -> dict[UUID, list[dict[str, Any]]]:
    """The calls that the turns' completed rounds asked for and that have a result, by turn."""
    calls: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    rows = ToolCall.objects.filter(
        turn__in=turns, round__status=Round.Status.COMPLETED, result__isnull=False
    ).defer("result")
    for row in rows.order_by("turn__number", "round__number", "round__attempt", "position"):
        calls[row.turn_id].append(call_of(row))
    return calls


def file_questions(turns: Iterable[TurnLine]) -> list[Question]:
    """The questions of a fixture."""
    return [
        Question(
            number=turn.number,
            text=turn.text,
            model=turn.model,
            system=turn.system,
            inference=turn.inference,
            tools_off=turn.tools_off,
            reasoning_budget=turn.reasoning_budget,
            answer=turn.answer,
            calls=[call_of(call.as_recorded()) for call in turn.calls],
        )
        for turn in turns
    ]
