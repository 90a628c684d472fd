"""The differences of two texts, by words, or by characters in scripts without spaces."""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import regex

AROUND = 8
"""Unchanged words that are shown on each side of a change."""

MOST_PAIRS = 100_000
"""Pairs of equal words from which on frequent words begin no match, as they would take too long."""

MOST_WORDS = 100_000
"""Words from which on all between the first and the last difference is one change."""

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\u30fc\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
_WORD = regex.compile(rf"\s*(?:(?={_UNSPACED})\X|(?:(?!{_UNSPACED})\S)+)\s*|\s+")


class Change(NamedTuple):
    """A stretch of words in the old text and in the new one, which may be the same."""

    old: str
    new: str

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return self.old == self.new


def word_diff(old: str, new: str) -> list[Change]:
    """The two texts side by side. The old sides together are the old text, the new sides the new one."""
    before, after = split_words(old), split_words(new)
    start = common_length(before, after)
    end = common_length(before[start:][::-1], after[start:][::-1])
    ends = len(before) - end, len(after) - end
    changes = [
        _change(before[:start], after[:start]),
        *_between(before[start : ends[0]], after[start : ends[1]]),
        _change(before[ends[0] :], after[ends[1] :]),
    ]
    return [change for change in changes if change.old or change.new]


def common_length(one: Sequence[object], other: Sequence[object]) -> int:
    """The number of members at the beginning that are the same."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def as_text(changes: list[Change]) -> str:
    """The changes as `[-removed-]{+added+}`, with a few words around each."""
    return "".join(
        change.old if change.same else _marked(change) for change in as_marks(in_context(changes, " ... "))
    )


def in_context(changes: list[Change], gap: str = " … ") -> list[Change]:
    """The changes with a few words around each; `gap` stands for those that are left out."""
    last = len(changes) - 1
    return [
        Change(*[_shortened(change.old, gap, at == 0, at == last)] * 2) if change.same else change
        for at, change in enumerate(changes)
    ]


def as_marks(changes: list[Change]) -> Iterator[Change]:
    """The changes, in which the space behind a changed word is unchanged, so that it is not marked."""
    for change in changes:
        if change.same:
            yield change
            continue
        old, new = change.old.rstrip(), change.new.rstrip()
        yield Change(old or change.old, new or change.new)
        yield Change(*[(change.new or change.old)[len(new or old) :]] * 2)


def split_words(text: str) -> list[str]:
    """The words, each with the space that follows it."""
    return _WORD.findall(text)


def _between(before: list[str], after: list[str]) -> Iterator[Change]:
    """The changes of two lists of words whose first and last words differ."""
    if not before or not after or len(before) + len(after) > MOST_WORDS:
        yield _change(before, after)
        return
    others = Counter(after)
    is_long = sum(count * others[word] for word, count in Counter(before).items()) > MOST_PAIRS
    for _, a, b, c, d in SequenceMatcher(None, before, after, autojunk=is_long).get_opcodes():
        yield _change(before[a:b], after[c:d])


def _change(before: list[str], after: list[str]) -> Change:
    return Change("".join(before), "".join(after))


def _marked(change: Change) -> str:
    return (f"[-{change.old}-]" if change.old else "") + (f"{{+{change.new}+}}" if change.new else "")


def _shortened(text: str, gap: str, is_first: bool, is_last: bool) -> str:
    words = split_words(text)
    front = "" if is_first else "".join(words[:AROUND])
    back = "" if is_last else "".join(words[-AROUND:])
    return text if len(words) <= 2 * AROUND else f"{front}{gap}{back}"
