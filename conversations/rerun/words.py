"""The differences of two texts, word by word."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

AROUND = 8
"""Unchanged words that are shown beside a change."""

LONG = 10_000
"""The number of words from which on frequent words are not compared, as it would take too long."""


class Change(NamedTuple):
    """A stretch of words in the old text and in the new one, which may be the same."""

    old: str
    new: str

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return self.old == self.new


def word_diff(old: str, new: str) -> list[Change]:
    """The two texts side by side; all the old sides are the old text, all the new sides the new one."""
    before, after = _words(old), _words(new)
    is_long = max(len(before), len(after)) > LONG
    blocks = SequenceMatcher(None, before, after, autojunk=is_long).get_opcodes()
    return [Change("".join(before[a:b]), "".join(after[c:d])) for _, a, b, c, d in blocks]


def as_text(changes: list[Change]) -> str:
    """The changes as `[-removed-]{+added+}`, with a few words around each."""
    last = len(changes) - 1
    return "".join(
        _shortened(change.old, at == 0, at == last) if change.same else "".join(_marked(change))
        for at, change in enumerate(changes)
    )


def _words(text: str) -> list[str]:
    """The words, each with the space that follows it."""
    return re.findall(r"\s*\S+\s*|\s+", text)


def _marked(change: Change) -> Iterator[str]:
    old, new = change.old.rstrip(), change.new.rstrip()
    if change.old:
        yield f"[-{old or change.old}-]"
    if change.new:
        yield f"{{+{new or change.new}+}}"
    yield (change.new or change.old)[len(new or old) :]


def _shortened(text: str, is_first: bool, is_last: bool) -> str:
    words = _words(text)
    front = "" if is_first else "".join(words[:AROUND])
    back = "" if is_last else "".join(words[-AROUND:])
    return text if len(words) <= 2 * AROUND else f"{front} ... {back}"
