"""The words of a text as the search index keeps them, and the words of a search.

Case, accents and compositions are folded here and not in a database, so that every database finds the same rows. Scripts that are
written without blanks become pairs of letters, so that any two neighbours are found anywhere in a text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from operator import add
from unicodedata import category, combining, decimal, normalize

LETTERS_AT_MOST = 200_000
"""Letters of a text that are indexed; fewer where a tsvector would exceed PostgreSQL's 1 MB."""

BYTES_AT_MOST = 1_000_000
WORD_LENGTH = 64
"""Letters of a word that are indexed: longer words are data."""

TERMS_AT_MOST, PHRASE_AT_MOST = 32, 40
BEGINNING = 3
"""Letters that a word needs to match longer words as well."""

CONTINUOUS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaadf"  # Myanmar, Tai Viet
    "\u1780-\u17ff\u1950-\u1aaf"  # Khmer, Tai, Lontara
    "\u1b00-\u1b7f\ua980-\ua9df"  # Balinese, Javanese
    "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3041-\u30ff\u31f0-\u31ff"  # kana
    "\u3105-\u312f\u31a0-\u31bf\ua000-\ua48c"  # Bopomofo, Yi
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\U0001aff0-\U0001b16f\U00016fe0-\U00018cff"  # kana of old, Tangut, Khitan, Nushu
)
"""Letters of scripts without blanks between words, and Hangul, whose words take endings."""

ACCENTS = frozenset({1, *range(10, 37), *range(200, 236), 240})
"""Combining classes of marks that a search leaves out; vowels, viramas and voicing marks have others."""

UNACCENTED = dict(zip("ØøŁłĐđĦħŦŧıÐð", "oollddhhttidd", strict=True)) | {
    letter: pair for pair, letters in {"ae": "Ææ", "oe": "Œœ", "th": "Þþ"}.items() for letter in letters
} | dict(zip("\u0649\u06cc\u06a9\u0629", "\u064a\u064a\u0643\u0647", strict=True))  # fmt: skip
"""Letters without a decomposition, and those that Arabic and Persian keyboards interchange."""

IGNORED = frozenset("\u034f\u0640\u180b\u180c\u180d\u180f")

_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')
_RUNS = re.compile(f"[{CONTINUOUS}]+|[^{CONTINUOUS}]+")
_IS_CONTINUOUS = re.compile(f"[{CONTINUOUS}]")


class _Folded(dict[str, str]):
    """The folded form of each letter, computed at first use: other letters, nothing, or a blank."""

    def __missing__(self, letter: str) -> str:
        folded = "".join(map(_folded, normalize("NFKD", letter)))
        if category(letter) not in {"Cn", "Co", "Cs"}:  # else texts could let it grow without end
            self[letter] = folded
        return folded


def _folded(letter: str) -> str:
    kind = category(letter)
    if letter in UNACCENTED:
        return UNACCENTED[letter]
    if kind == "Nd":
        return str(decimal(letter))
    if kind[0] in "LN":
        return "" if letter in IGNORED else letter.casefold()
    if kind[0] == "M":
        return "" if _is_accent(letter, kind) else letter
    if kind in {"So", "Cn"}:  # each emoji is a word
        return f" {letter} "
    return "" if kind == "Cf" else " "


def _is_accent(mark: str, kind: str) -> bool:
    is_variation = "\ufe00" <= mark <= "\ufe0f" or "\U000e0100" <= mark <= "\U000e01ef"
    return kind == "Me" or combining(mark) in ACCENTS or is_variation or mark in IGNORED


FOLDED = _Folded()
_ASCII = {code: FOLDED[chr(code)] for code in range(128)}


def fold(text: str) -> str:
    """The text in lower case without accents and punctuation, its compositions in one form."""
    if text.isascii():
        return text.translate(_ASCII)
    return normalize("NFC", "".join(map(FOLDED.__getitem__, text)))


def words(text: str) -> list[str]:
    """The words of a text in their order; a run of a script without blanks as its pairs of letters."""
    text = text[:LETTERS_AT_MOST]
    parts = _all_parts(fold(text))
    return parts if len(text) < BYTES_AT_MOST // 20 else list(_fitting(parts))


def _all_parts(folded: str) -> list[str]:
    if not _IS_CONTINUOUS.search(folded):
        return [word[:WORD_LENGTH] for word in folded.split()]
    return [part for word in folded.split() for run in _RUNS.findall(word) for part in _of_run(run)]


def _of_run(run: str) -> list[str]:
    """Overlapping pairs, and the last letter alone, so that each letter is the beginning of one."""
    return [*map(add, run, run[1:]), run[-1]] if _is_continuous(run) else [run[:WORD_LENGTH]]


def _is_continuous(run: str) -> bool:
    return bool(_IS_CONTINUOUS.match(run))


def _fitting(parts: list[str]) -> Iterator[str]:
    """The first words that fit into a tsvector with their positions."""
    size, seen = 0, set()
    for part in parts:
        size += 2 if part in seen else len(part.encode()) + 5
        if size > BYTES_AT_MOST:
            return
        seen.add(part)
        yield part


# -- a search


@dataclass(frozen=True)
class Term:
    """Words side by side; with `is_prefix` the last may be longer. `texts` are their letters."""

    words: tuple[str, ...]
    texts: tuple[str, ...]
    is_prefix: bool = False


def terms(text: str, *, with_prefixes: bool = False) -> list[Term]:
    """The terms of a search: words, "words side by side", and begin* of words. All of them have to match.

    With `with_prefixes` every word of three letters also matches longer words.
    """
    parsed = (
        _term(quoted or word.rstrip("*"), word.endswith("*"), with_prefixes and not quoted)
        for quoted, word in _TERM.findall(text)
    )
    return [term for term in parsed if term is not None][:TERMS_AT_MOST]


def _term(text: str, is_starred: bool, is_prefix: bool) -> Term | None:
    folded = fold(text)
    texts, parts = folded.split(), _all_parts(folded)[:PHRASE_AT_MOST]
    if not parts:
        return None
    is_continuous, is_letter = _is_continuous(parts[-1]), len(parts[-1]) == 1
    if is_continuous and is_letter and len(_RUNS.findall(texts[-1])[-1]) > 1:
        parts.pop()  # the pair before it has this letter
        is_letter = False
    is_prefix = is_starred or (is_prefix and len(parts[-1]) >= BEGINNING)
    return Term(tuple(parts), tuple(texts), is_letter if is_continuous else is_prefix)


# -- the terms in a text


def spans(text: str, terms: Iterable[Term]) -> list[tuple[int, int]]:
    """The spans of a text that match the terms, in their order."""
    folded = [FOLDED[letter] for letter in text]
    ends = list(accumulate(map(len, folded)))
    matches = []
    for match in _pattern(terms).finditer("".join(folded)):
        start, end = bisect_right(ends, match.start()), bisect_right(ends, match.end() - 1) + 1
        while end < len(folded) and not folded[end]:  # the last letter's accents
            end += 1
        matches.append((start, end))
    return matches


def _pattern(terms: Iterable[Term]) -> re.Pattern[str]:
    return re.compile("|".join(map(_term_pattern, terms)))


def _term_pattern(term: Term) -> str:
    first, last = term.texts[0][0], term.texts[-1][-1]
    words = (re.escape(normalize("NFD", word[:LETTERS_AT_MOST])) for word in term.texts)
    before = "" if _is_continuous(first) else f"(?<![^\\s{CONTINUOUS}])"
    after = "" if term.is_prefix or _is_continuous(last) else f"(?![^\\s{CONTINUOUS}])"
    return before + r"\s+".join(words) + after
