"""What a rerun shows: each turn beside the recorded one, as text for people and as JSON for machines."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any, NamedTuple
from uuid import UUID

from conversations.engine import NOT_RECORDED
from conversations.models import ToolCall, Turn

from .answers import Said, call_of
from .questions import Question
from .words import word_diff, written

NEAREST = 3
CallShown = dict[str, Any]


class Missed(NamedTuple):
    """A tool call that the record has no answer to, and the recorded calls that are most like it."""

    name: str
    arguments: Any
    nearest: list[CallShown]


@dataclass(frozen=True)
class Pair:
    """A turn that was asked again, beside the recorded one; `requests` are the differences of its requests from a file's."""

    question: Question
    turn: Turn
    again: Said
    requests: list[str]
    missed: list[Missed]

    @property
    def differs(self) -> list[str]:
        """What is not the same, by name."""
        return self.question.said.differs(self.again) + (["requests"] if self.requests else [])

    @property
    def missed_ends(self) -> bool:
        """Whether a call that was not recorded ended the turn."""
        return bool(self.missed) and self.turn.rerun.get("miss") == "stop"

    def summary(self) -> str:
        """One line."""
        told = f"differs in {_names(self.differs)}" if self.differs else "the same"
        return f"{self.again.status}, {_took(self.again.total_ms)}: {told}"

    def as_json(self) -> dict[str, Any]:
        """The documented shape: what was recorded, what came now, the words that changed."""
        recorded, again = asdict(self.question.said), asdict(self.again)
        changes = word_diff(self.question.said.text, self.again.text)
        return {
            "number": self.question.number,
            "turn": str(self.question.turn.pk) if self.question.turn else None,
            "again": str(self.turn.pk),
            "message": self.question.text,
            "differs": [_camel(name) for name in self.differs],
            **{_camel(name): {"recorded": recorded[name], "again": again[name]} for name in recorded},
            "words": [{"recorded": c.old.strip(), "again": c.new.strip()} for c in changes if not c.same],
            "requests": self.requests,
            "missed": [missed._asdict() for missed in self.missed],
        }

    def as_text(self) -> Iterator[str]:
        """The lines for a person."""
        old, new = self.question.said, self.again
        yield f"Turn {self.question.number}: {self.summary().partition(': ')[2]}"
        for name in self.differs:
            yield from SHOWN[name](self)
        yield f"  tokens: {_tokens(old)} -> {_tokens(new)}"
        yield f"  first token: {_took(old.first_token_ms)} -> {_took(new.first_token_ms)}"
        yield f"  total: {_took(old.total_ms)} -> {_took(new.total_ms)}"
        for missed in self.missed:
            yield f"  not in the record: {_call(missed.name, missed.arguments)}"
            yield from (f"    recorded: {_call(near['name'], near['arguments'])}" for near in missed.nearest)


def missed(turns: Sequence[Turn], calls: list[CallShown]) -> dict[UUID, list[Missed]]:
    """The calls that the record, which holds `calls`, had no answer to, by turn."""
    missed: dict[UUID, list[Missed]] = {turn.pk: [] for turn in turns}
    rows = ToolCall.objects.filter(turn__in=turns, error=NOT_RECORDED)
    for row in rows.order_by("turn__number", "round__number", "position"):
        call = call_of(row)
        missed[row.turn_id].append(Missed(**call, nearest=_nearest(call, calls)))
    return missed


def _nearest(wanted: CallShown, calls: list[CallShown]) -> list[CallShown]:
    recorded = {_key(call): call for call in calls}
    likeness = {key: SequenceMatcher(None, _key(wanted), key).ratio() for key in recorded}
    by_likeness = sorted(recorded, key=lambda key: (recorded[key]["name"] != wanted["name"], -likeness[key]))
    return [recorded[key] for key in by_likeness[:NEAREST]]


def _key(call: CallShown) -> str:
    return json.dumps([call["name"], call["arguments"]], sort_keys=True)


def _text(pair: Pair) -> Iterator[str]:
    yield "  text:"
    told = written(word_diff(pair.question.said.text, pair.again.text))
    yield from (f"    {line}" for line in told.splitlines())


def _calls(pair: Pair) -> Iterator[str]:
    yield "  tool calls:"
    old, new = ([_call(**call) for call in said.calls] for said in (pair.question.said, pair.again))
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield from (f"    {'  ' if kind == 'equal' else '- '}{call}" for call in old[a:b])
        yield from (f"    + {call}" for call in new[c:d] if kind != "equal")


def _plain(name: str) -> Any:
    def show(pair: Pair) -> Iterator[str]:
        old, new = (getattr(said, name) for said in (pair.question.said, pair.again))
        yield f"  {name.replace('_', ' ')}: {_value(old)} -> {_value(new)}"

    return show


def _requests(pair: Pair) -> Iterator[str]:
    yield "  requests:"
    yield from (f"    {line}" for line in pair.requests)


SHOWN = {
    "status": _plain("status"),
    "error": _plain("error"),
    "text": _text,
    "calls": _calls,
    "stop_reasons": _plain("stop_reasons"),
    "requests": _requests,
}


def _value(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "none")


def _call(name: str, arguments: Any) -> str:
    told = (
        arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, sort_keys=True)
    )
    return f"{name} {told}"


def _names(differs: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in differs)


def _tokens(said: Said) -> str:
    return f"{said.tokens.get('input', 0):,} in {said.tokens.get('output', 0):,} out"


def _took(milliseconds: int | None) -> str:
    return "none" if milliseconds is None else f"{milliseconds:,} ms"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
