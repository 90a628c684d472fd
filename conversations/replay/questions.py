"""What is asked again: the user messages of a stored conversation or of a fixture, each with its settings and its answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from conversations.engine.synthetic import RecordedCall, active_line, recorded_calls
from conversations.models import Conversation, Message, Turn
from conversations.protocol.content import plain_text

from .fixtures import TurnLine
from .said import Said, said


@dataclass(frozen=True)
class Question:
    """A user message, its place among them, the stored turn that it is from, if it is stored, and that turn's answer."""

    number: int
    text: str
    model: str
    system: str
    inference: dict[str, Any]
    said: Said
    calls: list[RecordedCall]
    turn: Turn | None = None


def stored(conversation: Conversation) -> list[Question]:
    """Those of the active branch that have been answered, whatever the answer."""
    turns = [turn for turn in active_line(conversation) if turn.finished_at is not None]
    rows = Message.objects.filter(turn__in=turns, role=Message.Role.USER)
    texts = {row.turn_id: plain_text(row.content) for row in rows}
    return [
        Question(
            number=number,
            text=texts[turn.pk],
            model=turn.model,
            system=turn.system,
            inference=turn.inference,
            said=said(turn),
            calls=recorded_calls([turn]),
            turn=turn,
        )
        for number, turn in enumerate(turns, 1)
    ]


def in_file(turns: Iterable[TurnLine]) -> list[Question]:
    """Those of a fixture."""
    return [
        Question(
            number=turn.number,
            text=turn.text,
            model=turn.model,
            system=turn.system,
            inference=turn.inference,
            said=turn.said,
            calls=[call.recorded() for call in turn.calls],
        )
        for turn in turns
    ]
