"""The word diff: both texts are all there, and only the words that changed are marked."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.rerun.words import as_text, word_diff

TEXTS = st.lists(st.sampled_from(["la", "lum", " ", "  ", "\n", "Señora", "."]), max_size=30).map("".join)


@given(TEXTS, TEXTS)
def test_the_changes_add_up_to_both_texts(old: str, new: str) -> None:
    changes = word_diff(old, new)
    assert "".join(change.old for change in changes) == old
    assert "".join(change.new for change in changes) == new
    assert all(change.same for change in changes) == (old == new)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("Blue Moon is it.", "Blue Moon is it.", "Blue Moon is it."),
        ("Blue Moon is it.", "Blue Suede is it.", "Blue [-Moon-]{+Suede+} is it."),
        ("It is Blue Moon.", "It is", "It [-is Blue Moon.-]{+is+}"),
        ("", "Blue Moon.", "{+Blue Moon.+}"),
        ("Blue Moon.", "", "[-Blue Moon.-]"),
        ("a\nb", "a\nc", "a\n[-b-]{+c+}"),
    ],
)
def test_what_was_removed_and_added_is_marked(old: str, new: str, text: str) -> None:
    assert as_text(word_diff(old, new)) == text


def test_of_what_is_the_same_only_the_words_nearby_are_shown() -> None:
    verse = " ".join(f"la{number}" for number in range(100))
    text = as_text(word_diff(f"{verse} one {verse}", f"{verse} two {verse}"))
    assert text.startswith(" ... la92 ")
    assert " la99 [-one-]{+two+} la0 " in text
    assert text.endswith(" la7  ... ")


def test_one_word_of_a_long_text_is_one_change() -> None:
    verse = [f"la{number % 7}" for number in range(3000)]
    other = [*verse[:1500], "lum", *verse[1501:]]
    changes = [change for change in word_diff(" ".join(verse), " ".join(other)) if not change.same]
    assert [(change.old, change.new) for change in changes] == [("la2 ", "lum ")]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("今天天气很好。", "今天天气不好。", "今天天气[-很-]{+不+}好。"),
        ("今日はカレーを食べた", "今日はラーメンを食べた", "今日は[-カレ-]{+ラ+}ー{+メン+}を食べた"),
        ("ฉันกินข้าว", "ฉันกินน้ำ", "ฉันกิน[-ข้าว-]{+น้ำ+}"),
        ("오늘은 맑다", "오늘은 흐리다", "오늘은 [-맑다-]{+흐리다+}"),
        ("The 天气 is good", "The 天空 is good", "The 天[-气-]{+空+} is good"),
        ("👩‍👩‍👧 yes", "👩‍👩‍👦 yes", "[-👩‍👩‍👧-]{+👩‍👩‍👦+} yes"),
    ],
)
def test_in_scripts_without_spaces_characters_are_marked_and_none_is_cut(
    old: str, new: str, text: str
) -> None:
    assert as_text(word_diff(old, new)) == text


@pytest.mark.parametrize(
    ("old", "new"),
    [("la " * 5_000, "la lum " * 2_500), ("了" * 5_000, "了的" * 2_500), ("a " * 200_000, "b " * 200_000)],
)
def test_long_texts_of_few_words_take_no_time(old: str, new: str) -> None:
    start = time.process_time()
    changes = word_diff(old, new)
    assert time.process_time() - start < 5
    assert "".join(change.new for change in changes) == new
