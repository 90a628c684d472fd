"""The questions of a rerun: user messages of the database or a fixture, with settings and answers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from conversations.attachments import copy_to
from conversations.engine import ids_in
from conversations.models import Conversation, Message, Round, ToolCall, Turn, active_line
from conversations.protocol.converse.content import plain_text

from .answers import Answer, answers, call_of
from .fixtures import TurnLine

Attach = Callable[[Conversation], Sequence[UUID]]


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
    attach: Attach = lambda conversation: ()
    """Attaches its files to the conversation in which it is asked; returns their ids."""


def stored_questions(conversation: Conversation) -> list[Question]:
    """The questions of the active branch whose turns have ended, well or not."""
    turns = [turn for turn in active_line(conversation) if turn.finished_at is not None]
    rows = Message.objects.filter(turn__in=turns, role=Message.Role.USER)
    rows = rows.prefetch_related("attachments")
    messages = {row.turn_id: row for row in rows}
    by_turn, calls = answers(turns), _recorded_calls(turns)
    return [
        Question(
            number=number,
            text=plain_text(messages[turn.pk].content),
            attach=partial(_copy_files, messages[turn.pk]),
            **turn.model_settings(),
            answer=by_turn[turn.pk],
            calls=calls[turn.pk],
            turn=turn,
        )
        for number, turn in enumerate(turns, 1)
    ]


def _copy_files(message: Message, conversation: Conversation) -> list[UUID]:
    rows = {row.pk: row for row in message.attachments.all()}
    return [copy_to(rows[pk], conversation).pk for pk in ids_in(message.content) if pk in rows]


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
            attach=turn.attach,
        )
        for turn in turns
    ]
