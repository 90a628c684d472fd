"""Folding: what is the same to a search, in every script, and where a text holds it."""

import random
import re
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.models.words import FOLDED, fold, spans, terms, words

SAME = (
    ("привет", "ПРИВЕТ"), ("zurich", "ZÜRICH"), ("cafe", "cafe\u0301"), ("café", "CAFÉ"), ("ελλαδα", "ΕΛΛΆΔΑ"), ("ελλάδας", "ΕΛΛΆΔΑΣ"),
    ("strasse", "Straße"), ("STRAẞE", "straße"), ("full", "ＦＵＬＬ"), ("fine", "ﬁne"), ("елка", "Ёлка"), ("istanbul", "İSTANBUL"),
    ("lodz", "Łódź"), ("smorrebrod", "smørrebrød"), ("oeuvre", "œuvre"), ("aeon", "Æon"), ("محمد", "مُحَمَّد"), ("احمد", "أحمد"),
    ("شلوم", "شلـــوم"), ("שלום", "שָׁלוֹם"), ("հայ", "ՀԱՅ"), ("ガイド", "ｶﾞｲﾄﾞ"), ("한국", normalize("NFD", "한국")), ("25", "๒๕"),
    ("pho", "phở"), ("naive", "na\u00adive"), ("h2o", "H₂O"), ("क़लम", "क़लम"), ("𐐨𐐩", "𐐀𐐁"), ("ძველი", "ᲫᲕᲔᲚᲘ"),
)  # fmt: skip
DIFFERENT = (("हिन्दी", "हन्द"), ("か", "が"), ("มา", "มี"), ("no", "on"), ("ключ", "клич"))


@pytest.mark.parametrize(("one", "other"), SAME)
def test_case_accents_and_compositions_do_not_matter(one: str, other: str) -> None:
    assert words(one) == words(other) != []


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_vowels_voicing_and_letters_do(one: str, other: str) -> None:
    assert words(one) != words(other)


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert words(" ".join(fold(text).split())) == words(text)


@given(st.text())
def test_no_word_has_a_blank_a_quote_or_a_private_letter(text: str) -> None:
    """What divides words for the databases, or is an operator to them, or marks an owner."""
    assert not re.search("[\\s\\x00-/:-@\\[-`{-\\x7f\ue000-\uf8ff]", "".join(words(text)))


@given(st.text(min_size=1).filter(words))
def test_a_text_holds_itself(text: str) -> None:
    places = spans(text, terms(text.replace('"', " ")))
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places


def test_marks_are_whole_letters_of_the_text() -> None:
    text = "Vor der STRASSE, der Straße und dem cafe\u0301s: 今天天气很好 👩‍👧!"
    queries = {
        "straße": ["STRASSE", "Straße"],
        "天气": ["天气"],
        "天": ["天", "天"],
        "👧": ["👧"],
        "caf*": ["caf"],
    }
    for query, marked in queries.items():
        assert [text[start:end] for start, end in spans(text, terms(query))] == marked, query


def test_a_long_text_keeps_within_what_a_tsvector_takes() -> None:
    letters = random.Random(7).choices(range(0x20000, 0x2A000), k=200_000)
    many = words("".join(map(chr, letters)))
    size = sum(len(word.encode()) + 3 for word in set(many)) + 2 * len(many)
    assert 900_000 < size <= 1_048_575


def test_text_that_differs_without_end_does_not_fill_the_memory() -> None:
    before = len(FOLDED)
    words("".join(map(chr, range(0xF0000, 0xF2000))))
    assert len(FOLDED) == before
