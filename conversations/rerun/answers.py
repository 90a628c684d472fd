"""The answer of a turn, from the database or from a file, as a value that can be compared."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from conversations.engine import RecordedCall
from conversations.models import Round, ToolCall, Tree, Turn
from conversations.protocol.converse.content import plain_text
from conversations.protocol.thoughts import answer_in

SHORTEST_ID = 16
"""Characters from which on a tool use id is taken for one in a text, and not for a word."""

COMPARED = ("status", "error", "text", "calls", "stop_reasons")
"""The fields that have to be the same; tokens and times may differ."""


@dataclass(frozen=True)
class Answer:
    """A turn's answer: its text, its tool calls, how its rounds ended, and its tokens and times in ms."""

    status: str
    error: str = ""
    text: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    stop_reasons: list[str] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    first_token_ms: int | None = None
    total_ms: int | None = None

    def differs(self, other: "Answer") -> list[str]:
        """The names of the fields that are not the same."""
        return [name for name in COMPARED if getattr(self, name) != getattr(other, name)]


def answer(turn: Turn) -> Answer:
    """The answer of a stored turn."""
    return answers([turn])[turn.pk]


def answers(turns: Sequence[Turn]) -> dict[UUID, Answer]:
    """The answers of stored turns of one conversation, in as many queries as one takes.

    Tool use ids, which are random, are replaced by their number.
    """
    if not turns:
        return {}
    rows = _Rows(turns)
    return {turn.pk: rows.answer(turn) for turn in turns}


class _Rows:
    """The rounds, with their messages, of some turns, and the tool calls of these and of their ancestors."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        tree = Tree.of(turns[0].conversation_id)
        self.lines = {turn.pk: tree.line(turn.pk) for turn in turns}
        self.rounds = _last_attempts(turns)
        self.calls = _calls(set().union(*self.lines.values()))

    def answer(self, turn: Turn) -> Answer:
        rounds = list(self.rounds[turn.pk].values())
        calls = [call_of(row) for row in self.calls[turn.pk] if self._is_last_attempt(row)]
        return Answer(
            status=turn.status,
            error=turn.error_code,
            text=self._without_ids(turn, _text(rounds)),
            calls=self._without_ids(turn, calls),
            stop_reasons=[row.stop_reason for row in rounds],
            tokens={"input": turn.input_tokens, "output": turn.output_tokens, "total": turn.total_tokens},
            first_token_ms=turn.first_token_ms,
            total_ms=_duration(turn),
        )

    def _is_last_attempt(self, call: ToolCall) -> bool:
        return any(row.pk == call.round_id for row in self.rounds[call.turn_id].values())

    def _without_ids(self, turn: Turn, value: Any) -> Any:
        calls = (row for pk in self.lines[turn.pk] for row in self.calls[pk])
        encoded = json.dumps(value)
        for number, row in enumerate(calls, 1):
            if len(row.tool_use_id) >= SHORTEST_ID:
                encoded = encoded.replace(row.tool_use_id, f"(tool use {number})")
        return json.loads(encoded)


def _last_attempts(turns: Iterable[Turn]) -> dict[UUID, dict[int, Round]]:
    """The last attempt of each round, by turn and number."""
    rounds: dict[UUID, dict[int, Round]] = defaultdict(dict)
    rows = Round.objects.filter(turn__in=turns).select_related("message")
    for row in rows.order_by("number", "attempt"):
        rounds[row.turn_id][row.number] = row
    return rounds


def _calls(turns: Iterable[UUID]) -> dict[UUID, list[ToolCall]]:
    """All tool calls without their results, in order, by turn."""
    calls: dict[UUID, list[ToolCall]] = defaultdict(list)
    rows = ToolCall.objects.filter(turn__in=turns).defer("result")
    for row in rows.order_by("round__number", "round__attempt", "position"):
        calls[row.turn_id].append(row)
    return calls


def _text(rounds: Iterable[Round]) -> str:
    messages = (row.message for row in rounds if hasattr(row, "message"))
    return "\n\n".join(text for row in messages if (text := answer_in(plain_text(row.content))))


def call_of(call: ToolCall | RecordedCall) -> dict[str, Any]:
    """A tool call as it is compared: its name, and its arguments as an object or else as text."""
    return {"name": call.name, "arguments": call.arguments if call.input is None else call.input}


def _duration(turn: Turn) -> int | None:
    if turn.started_at is None or turn.finished_at is None:
        return None
    return round((turn.finished_at - turn.started_at).total_seconds() * 1000)
