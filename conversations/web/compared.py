"""A rerun's turns beside the recorded ones, as the page shows them: words, calls and figures."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, TextField
from django.db.models.functions import MD5, Cast, Length, Substr

from conversations.models import ToolCall, Turn
from conversations.protocol.text import beginning, visible
from conversations.rerun import Answer, Change, Pair, as_marks, split_words, word_diff

FOLDED = 80
"""Unchanged words in a row from which on they are folded, but for a few at their ends."""

NEAR = 16
"""Words that are shown at each end of a fold."""

LONGEST = 100_000
"""Characters of a text that are compared."""

READ = 8_192
"""Characters of a stored result that are read."""


class Stretch(NamedTuple):
    """A stretch of two texts: lines that differ, lines that do not, or a fold of unchanged words."""

    changes: list[Change]
    folded: str = ""
    words: int = 0

    @property
    def same(self) -> bool:
        """Whether nothing of it differs."""
        return all(change.same for change in self.changes)


class Call(NamedTuple):
    """A tool call as it is compared. `result` may be cut; `digest` is that of the whole result."""

    name: str
    arguments: str
    status: str
    result: str
    digest: str


@dataclass(frozen=True)
class CallPair:
    """A recorded tool call and its counterpart in the rerun. Either may be missing."""

    old: Call | None
    new: Call | None

    @property
    def name(self) -> str:
        """The tool's name."""
        call = self.old or self.new
        return call.name if call else ""

    @property
    def differs(self) -> str:
        """What differs, as the end of a sentence; blank if nothing does."""
        if self.old is None or self.new is None:
            return "only asked again" if self.old is None else "only in the original"
        names = {"arguments": "arguments", "status": "outcome", "digest": "result"}
        parts = [
            name for field, name in names.items() if getattr(self.old, field) != getattr(self.new, field)
        ]
        return f"differs in {', '.join(parts)}" if parts else ""

    @property
    def arguments(self) -> Stretch:
        """The arguments of both, compared."""
        return Stretch(changes(*(call.arguments if call else "" for call in (self.old, self.new))))

    @property
    def result(self) -> Stretch:
        """The results of both, compared."""
        return Stretch(changes(*(call.result if call else "" for call in (self.old, self.new))))


def changes(old: str, new: str) -> list[Change]:
    """The word differences of two texts, as the page marks them."""
    return list(as_marks(word_diff(*(visible(beginning(text, LONGEST)) for text in (old, new)))))


def stretches(old: str, new: str) -> list[Stretch]:
    """The two texts in stretches, in which long unchanged parts are folded."""
    return list(_stretches(changes(old, new)))


def _stretches(changes: Sequence[Change]) -> Iterator[Stretch]:
    pending: list[Change] = []
    last = len(changes) - 1
    for at, change in enumerate(changes):
        words = split_words(change.old) if change.same else []
        front, back = (0 if at == 0 else NEAR), (0 if at == last else NEAR)
        folded = words[front : len(words) - back]
        if len(folded) < FOLDED:
            pending.append(change)
            continue
        pending += _same(words[:front])
        yield from _rows(pending)
        yield Stretch([], "".join(folded), len(folded))
        pending = _same(words[len(words) - back :])
    yield from _rows(pending)


def _rows(changes: Sequence[Change]) -> Iterator[Stretch]:
    """The changes in stretches, alternately of lines that differ and of lines that do not."""
    lines: list[list[Change]] = [[]]
    for change in changes:
        for part in change.old.splitlines(keepends=True) if change.same else [""]:
            lines[-1].append(Change(part, part) if change.same else change)
            if part.endswith("\n"):
                lines.append([])
    for _, group in groupby(filter(None, lines), lambda line: all(change.same for change in line)):
        yield Stretch([change for line in group for change in line])


def _same(words: list[str]) -> list[Change]:
    return [Change(*["".join(words)] * 2)] if words else []


# -- calls


def calls(turns: Sequence[Turn]) -> dict[UUID, list[Call]]:
    """The calls of each round's last attempt, in order, by turn. Long results are read in part."""
    stored = Cast("result", TextField())
    rows = ToolCall.objects.filter(turn__in=turns).annotate(
        text=Substr(stored, 1, READ), size=Length(stored), digest=MD5(stored), attempt=F("round__attempt")
    )
    rows = rows.defer("result").order_by("turn", "round__number", "round__attempt", "position")
    by_round: dict[tuple[UUID, int], list[Any]] = defaultdict(list)
    newest: dict[tuple[UUID, int], int] = {}
    for row in rows.annotate(number=F("round__number")):
        key = row.turn_id, row.number
        if newest.setdefault(key, row.attempt) < row.attempt:
            newest[key], by_round[key] = row.attempt, []
        by_round[key].append(row)
    by_turn: dict[UUID, list[Call]] = defaultdict(list)
    for (turn, _), own in by_round.items():
        by_turn[turn] += map(_call, own)
    return by_turn


def _call(row: Any) -> Call:
    arguments = row.arguments if row.input is None else json.dumps(row.input, indent=1, ensure_ascii=False)
    text = _readable(row.text) if row.size is not None and row.size <= READ else f"{row.text or ''}…"
    return Call(row.name, arguments, row.error or row.status, text, row.digest or "")


def _readable(stored: str) -> str:
    """A result's text, and its other blocks as JSON."""
    return "\n".join(
        str(block["text"])
        if "text" in block
        else json.dumps(block.get("json", block), indent=1, ensure_ascii=False)
        for block in json.loads(stored)
    )


def call_pairs(old: Sequence[Call], new: Sequence[Call]) -> Iterator[CallPair]:
    """The calls side by side, in order, so that those of the same tool are paired."""
    before, after = ([call.name for call in calls] for calls in (old, new))
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from (CallPair(*both) for both in zip(old[a:b], new[c:d], strict=True))
        else:
            yield from (CallPair(call, None) for call in old[a:b])
            yield from (CallPair(None, call) for call in new[c:d])


# -- turns


def ends(old: Answer, new: Answer) -> list[tuple[str, str, str]]:
    """The differences in how both ended: a name, and the value of each side."""
    names = ("status", "error", "stop_reasons")
    values = [(name, *(_words(getattr(side, name)) for side in (old, new))) for name in names]
    return [(name.replace("_", " "), before, after) for name, before, after in values if before != after]


def _words(value: str | list[str]) -> str:
    return ", ".join(value) if isinstance(value, list) else value or "none"


def missed(pair: Pair) -> Iterator[str]:
    """Lines for calls to which the record has no answer, and for the recorded calls most like them."""
    for call in pair.missed:
        yield visible(f"not in the record: {call.name} {_as_text(call.arguments)}")
        yield from (
            visible(f"recorded: {near['name']} {_as_text(near['arguments'])}") for near in call.nearest
        )


def _as_text(arguments: Any) -> str:
    is_text = isinstance(arguments, str)
    return arguments if is_text else json.dumps(arguments, ensure_ascii=False, sort_keys=True)
