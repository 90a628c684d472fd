"""The tree of a conversation's turns as nested lists: one list a branch, with those off it inside.

A branch goes on with the shown turn, or else with the turn that most others follow. So lists are nested no deeper than the logarithm of
their number, however often a conversation forked.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from conversations.rerun import Change

FOLDED = 5
"""Turns in a row without a fork from which on they are folded."""


class Stem(NamedTuple):
    """A turn as the tree shows it."""

    pk: UUID
    parent: UUID | None
    number: int
    status: str
    model: str
    created_at: datetime
    words: str
    answer: str = ""
    version_of: int = 0
    """The number of the first of the turns with this parent; 0 for that turn itself."""

    changes: Sequence[Change] = ()
    """The differences of its question from that turn's."""

    @property
    def created(self) -> str:
        """The time of its question, in ISO form."""
        return self.created_at.isoformat(timespec="seconds")

    @property
    def created_in_words(self) -> str:
        """The time for a person, until a script replaces it by the reader's local time."""
        return f"{self.created_at:%Y-%m-%d %H:%M} UTC"


@dataclass
class Entry:
    """A turn in its branch, and the branches that begin with another version of it."""

    turn: Stem
    is_shown: bool
    is_end: bool
    others: list["Branch"] = field(default_factory=list)


@dataclass
class Stretch:
    """Some turns of a branch, in order."""

    entries: list[Entry]
    is_folded: bool

    @property
    def is_shown(self) -> bool:
        """Whether they are of the shown branch."""
        return self.entries[0].is_shown


Branch = list[Stretch]


def branches(turns: Iterable[Stem], active_line: set[UUID]) -> Branch:
    """The branch of the active line, with all others inside it. Parents come first in `turns`."""
    return _Layout(turns, active_line).branch(None)


class _Layout:
    """Lays out turns as branches, by the children of each and the number of turns that follow it."""

    def __init__(self, turns: Iterable[Stem], active_line: set[UUID]) -> None:
        self._children: dict[UUID | None, list[Stem]] = defaultdict(list)
        self._sizes: dict[UUID | None, int] = defaultdict(int)
        self._active_line = active_line
        parents_first = list(turns)
        for turn in parents_first:
            self._children[turn.parent].append(turn)
        for turn in reversed(parents_first):
            self._sizes[turn.pk] += 1
            self._sizes[turn.parent] += self._sizes[turn.pk]

    def branch(self, parent: UUID | None, first: Stem | None = None) -> Branch:
        """The branch that follows the parent, beginning with `first` if that is given."""
        return list(_stretches(list(self._entries(parent, first))))

    def _entries(self, parent: UUID | None, first: Stem | None) -> Iterator[Entry]:
        versions = [first] if first else self._versions(parent)
        while versions:
            turn, *others = versions
            following = self._versions(turn.pk)
            inside = [self.branch(turn.parent, other) for other in sorted(others, key=_number)]
            yield Entry(turn, turn.pk in self._active_line, not following, inside)
            versions = following

    def _versions(self, parent: UUID | None) -> list[Stem]:
        """The children of the parent; its branch goes on with the first."""
        return sorted(self._children[parent], key=self._weight, reverse=True)

    def _weight(self, turn: Stem) -> tuple[bool, int, int]:
        return turn.pk in self._active_line, self._sizes[turn.pk], turn.number


def _number(turn: Stem) -> int:
    return turn.number


def _stretches(entries: list[Entry]) -> Iterator[Stretch]:
    """The branch in stretches. Long ones without a fork are folded."""
    for is_plain, group in groupby(entries, lambda entry: _is_plain(entry, entries)):
        stretch = list(group)
        yield Stretch(stretch, is_plain and len(stretch) >= FOLDED)


def _is_plain(entry: Entry, entries: list[Entry]) -> bool:
    return not entry.others and entry is not entries[0] and not entry.is_end
