"""The report of a rerun: each turn beside the recorded one, as text for people and as JSON."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any, NamedTuple
from uuid import UUID

from conversations.engine import NOT_RECORDED
from conversations.models import ToolCall, Turn

from .answers import Answer, call_of
from .questions import Question
from .words import as_text, word_diff

NEAREST = 3
ComparedCall = dict[str, Any]


class MissedCall(NamedTuple):
    """A tool call that the record has no answer to, and the recorded calls most like it."""

    name: str
    arguments: Any
    nearest: list[ComparedCall]


@dataclass(frozen=True)
class Pair:
    """A turn that was asked again, beside the recorded one.

    `requests` are the differences of its requests from a fixture's.
    """

    question: Question
    turn: Turn
    again: Answer
    requests: list[str]
    missed: list[MissedCall]

    @property
    def differs(self) -> list[str]:
        """The names of what is not the same."""
        return self.question.answer.differs(self.again) + (["requests"] if self.requests else [])

    @property
    def is_ended_by_miss(self) -> bool:
        """Whether a call that was not recorded ended the turn."""
        return bool(self.missed) and self.turn.rerun.get("miss") == "stop"

    def summary(self) -> str:
        """The outcome in one line."""
        result = f"differs in {_names(self.differs)}" if self.differs else "the same"
        return f"{self.again.status}, {_duration(self.again.total_ms)}: {result}"

    def as_json(self) -> dict[str, Any]:
        """The documented JSON: what was recorded, what came now, the words that changed."""
        recorded, again = asdict(self.question.answer), asdict(self.again)
        changes = word_diff(self.question.answer.text, self.again.text)
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
        old, new = self.question.answer, self.again
        yield f"Turn {self.question.number}: {self.summary().partition(': ')[2]}"
        for name in self.differs:
            yield from SECTIONS[name](self)
        yield f"  tokens: {_tokens(old)} -> {_tokens(new)}"
        yield f"  first token: {_duration(old.first_token_ms)} -> {_duration(new.first_token_ms)}"
        yield f"  total: {_duration(old.total_ms)} -> {_duration(new.total_ms)}"
        for missed in self.missed:
            yield f"  not in the record: {_call(missed.name, missed.arguments)}"
            yield from (f"    recorded: {_call(near['name'], near['arguments'])}" for near in missed.nearest)


def missed_calls(turns: Sequence[Turn], calls: list[ComparedCall]) -> dict[UUID, list[MissedCall]]:
    """The calls that the record, which holds `calls`, had no answer to, by turn."""
    missed: dict[UUID, list[MissedCall]] = {turn.pk: [] for turn in turns}
    rows = ToolCall.objects.filter(turn__in=turns, error=NOT_RECORDED)
    for row in rows.order_by("turn__number", "round__number", "position"):
        call = call_of(row)
        missed[row.turn_id].append(MissedCall(**call, nearest=_nearest(call, calls)))
    return missed


def _nearest(call: ComparedCall, calls: list[ComparedCall]) -> list[ComparedCall]:
    recorded = {_key(other): other for other in calls}
    likeness = {key: SequenceMatcher(None, _key(call), key).ratio() for key in recorded}
    by_likeness = sorted(recorded, key=lambda key: (recorded[key]["name"] != call["name"], -likeness[key]))
    return [recorded[key] for key in by_likeness[:NEAREST]]


def _key(call: ComparedCall) -> str:
    return json.dumps([call["name"], call["arguments"]], sort_keys=True)


def _text(pair: Pair) -> Iterator[str]:
    yield "  text:"
    changes = as_text(word_diff(pair.question.answer.text, pair.again.text))
    yield from (f"    {line}" for line in changes.splitlines())


def _calls(pair: Pair) -> Iterator[str]:
    yield "  tool calls:"
    old, new = ([_call(**call) for call in answer.calls] for answer in (pair.question.answer, pair.again))
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield from (f"    {'  ' if kind == 'equal' else '- '}{call}" for call in old[a:b])
        yield from (f"    + {call}" for call in new[c:d] if kind != "equal")


def _plain(name: str) -> Callable[[Pair], Iterator[str]]:
    def show(pair: Pair) -> Iterator[str]:
        old, new = (getattr(answer, name) for answer in (pair.question.answer, pair.again))
        yield f"  {name.replace('_', ' ')}: {_value(old)} -> {_value(new)}"

    return show


def _requests(pair: Pair) -> Iterator[str]:
    yield "  requests:"
    yield from (f"    {line}" for line in pair.requests)


SECTIONS: dict[str, Callable[[Pair], Iterator[str]]] = {
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
    is_text = isinstance(arguments, str)
    return f"{name} {arguments if is_text else json.dumps(arguments, ensure_ascii=False, sort_keys=True)}"


def _names(differs: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in differs)


def _tokens(answer: Answer) -> str:
    total, written = (answer.tokens.get(kind, 0) for kind in ("total", "output"))
    read = max(answer.tokens.get("input", 0), total - written)  # those of the cache too
    return f"{read:,} in {written:,} out"


def _duration(milliseconds: int | None) -> str:
    return "none" if milliseconds is None else f"{milliseconds:,} ms"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
