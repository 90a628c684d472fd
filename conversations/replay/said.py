"""How a turn was answered, as a value that can be compared: from the database, or from a file."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from conversations.engine.requests import line
from conversations.models import Message, Round, ToolCall, Turn
from conversations.protocol.content import plain_text

SHORTEST_ID = 16
"""Characters of a tool use id that is one for sure, and no word that a text may hold anyway."""

COMPARED = ("status", "error", "text", "calls", "stop_reasons")
"""What has to be the same; tokens and times are told, and do not count."""


@dataclass(frozen=True)
class Said:
    """A turn's answer: its text, what it called with which arguments, how its rounds ended, what it took (ms)."""

    status: str
    error: str = ""
    text: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    stop_reasons: list[str] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    first_token_ms: int | None = None
    total_ms: int | None = None

    def differs(self, other: "Said") -> list[str]:
        """The names of what is not the same."""
        return [name for name in COMPARED if getattr(self, name) != getattr(other, name)]


def said(turn: Turn) -> Said:
    """How a stored turn was answered; tool use ids, which are chance, have their number in their place."""
    rounds = list({row.number: row for row in turn.rounds.order_by("number", "attempt")}.values())
    calls = ToolCall.objects.filter(round__in=rounds).order_by("round__number", "position")
    return Said(
        status=turn.status,
        error=turn.error_code,
        text=_without_ids(turn, _text(rounds)),
        calls=_without_ids(turn, [_call(row) for row in calls]),
        stop_reasons=[row.stop_reason for row in rounds],
        tokens={"input": turn.input_tokens, "output": turn.output_tokens, "total": turn.total_tokens},
        first_token_ms=turn.first_token_ms,
        total_ms=_took(turn),
    )


def _text(rounds: Iterable[Round]) -> str:
    rows = Message.objects.filter(round__in=rounds).order_by("round__number")
    return "\n\n".join(text for row in rows if (text := plain_text(row.content)))


def _call(row: ToolCall) -> dict[str, Any]:
    return {"name": row.name, "arguments": row.arguments if row.input is None else row.input}


def _took(turn: Turn) -> int | None:
    if turn.started_at is None or turn.finished_at is None:
        return None
    return round((turn.finished_at - turn.started_at).total_seconds() * 1000)


def _without_ids(turn: Turn, value: Any) -> Any:
    rows = ToolCall.objects.filter(turn__in=line(turn)).order_by("turn__number", "round", "position")
    written = json.dumps(value)
    for number, tool_use_id in enumerate(rows.values_list("tool_use_id", flat=True), 1):
        if len(tool_use_id) >= SHORTEST_ID:
            written = written.replace(tool_use_id, f"(tool use {number})")
    return json.loads(written)
