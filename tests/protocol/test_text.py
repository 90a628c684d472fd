"""Whatever passes `conversations.protocol.text` is fit for UTF-8, JSON and every database."""

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conversations.protocol.text import (
    DEPTH,
    beginning,
    clean_json,
    clean_text,
    cut_bytes,
    parse_json_object,
    visible,
)

unhurried = settings(deadline=None)  # a busy machine is no failure
anything = st.text(st.characters(exclude_categories=()))
numbers = st.integers() | st.floats() | st.integers(min_value=10**300, max_value=10**320)
leaves = st.none() | st.booleans() | numbers | anything | st.binary()
keys = st.none() | st.booleans() | numbers | anything | st.binary() | st.tuples(anything, numbers)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner),
    max_leaves=25,
)

plain = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
clean_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | plain,
    lambda inner: st.lists(inner) | st.dictionaries(plain, inner),
    max_leaves=25,
)


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def levels_of(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if items is None else 1 + max(map(levels_of, items), default=0)


def strings_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [*value, *strings_in(list(value.values()))]
    return [text for item in value for text in strings_in(item)] if isinstance(value, list) else []


@unhurried
@given(anything)
@example("\0\ud800")
def test_cleaned_text_is_utf_8_without_nul_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned.encode().decode() == cleaned
    assert "\0" not in cleaned
    assert clean_text(cleaned) == cleaned


@unhurried
@given(st.text())
def test_text_that_was_clean_is_left_alone(text: str) -> None:
    assert clean_text(text) == text.replace("\0", "\ufffd")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\0b", "a\ufffdb"),
        ("\ud83d\ude00", "😀"),
        ("\ud83dx", "\ufffdx"),
        ("x\ud83d", "x\ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00\0", "\ufffd😀\ufffd"),
        ("\u202eabc\ufeff", "\u202eabc\ufeff"),
    ],
)
def test_surrogate_pairs_are_joined_and_lone_ones_replaced(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


def test_a_subclass_of_str_becomes_a_plain_str() -> None:
    class Shouting(str):
        __slots__ = ()

        def __str__(self) -> str:
            return self.upper()

    assert clean_text(Shouting("quiet")) == "quiet"
    assert type(clean_text(Shouting("quiet"))) is str


@unhurried
@given(values)
@example([float("nan"), float("inf"), 10**400, 10**5000, "\ud800", {"\0": b"\xff"}, {None: {10**5000: 1}}])
@example(nested(DEPTH + 1))
def test_cleaned_json_is_sendable_storable_and_stays_as_it_is(value: Any) -> None:
    cleaned = clean_json(value)
    written = json.dumps(cleaned, allow_nan=False, ensure_ascii=False)
    assert json.loads(written.encode()) == cleaned
    assert not any("\0" in text for text in strings_in(cleaned))
    assert levels_of(cleaned) <= DEPTH
    assert clean_json(cleaned) == cleaned


@unhurried
@given(clean_values)
def test_json_that_was_clean_is_left_alone(value: Any) -> None:
    assert clean_json(value) == value


def test_numbers_that_no_double_holds_become_null() -> None:
    assert clean_json([math.nan, -math.inf, 10**309, 10**308, 1.5, True]) == [
        None,
        None,
        None,
        10**308,
        1.5,
        True,
    ]


def test_bytes_become_base64_and_tuples_lists() -> None:
    assert clean_json((b"\xff\0", bytearray(b"a"))) == [base64.b64encode(b"\xff\0").decode(), "YQ=="]


def test_keys_become_the_names_that_json_gives_them() -> None:
    keys: list[Any] = [None, True, 2, 1.5, (1, "x"), b"k", "\ud800", 10**5000]
    names = ["null", "true", "2", "1.5", '[1, "x"]', "aw==", "\ufffd"]
    assert list(clean_json(dict.fromkeys(keys))) == names


def below_depth(value: Any) -> Any:
    """The value inside of as many lists as are kept."""
    for _ in range(DEPTH):
        value = [value]
    return value


def test_what_is_nested_too_deep_is_shown_by_the_beginning_of_its_json() -> None:
    assert strings_in(clean_json(below_depth({"a": 1}))) == ['{"a": 1}']
    assert strings_in(clean_json(below_depth({"b": "\ud800"}))) == ['{"b": "\\ud800"}']
    assert strings_in(clean_json(below_depth(["x" * 1000]))) == ['["' + "x" * 198 + "..."]


def test_a_hundred_thousand_levels_do_not_break_it() -> None:
    cleaned = clean_json(nested(100_000))
    assert levels_of(cleaned) == DEPTH
    assert strings_in(cleaned) == ["[" * 200 + "..."]


@pytest.mark.parametrize("tail", [object(), {1, 2}, 10**5000], ids=["object", "set", "integer"])
def test_what_has_no_json_text_below_the_depth_is_cut_short_too(tail: object) -> None:
    [text] = strings_in(clean_json(below_depth([tail])))
    assert len(text) <= 200 + len("...")


def test_a_value_that_contains_itself_is_refused() -> None:
    parent: dict[str, Any] = {"children": []}
    parent["children"] += [{"parent": parent}] * 10
    with pytest.raises(ValueError, match="contains itself"):
        clean_json(parent)


def test_a_value_that_occurs_twice_side_by_side_is_not_taken_for_a_circle() -> None:
    shared = {"a": 1}
    assert clean_json([shared, shared]) == [shared, shared]


def test_another_object_is_refused_unless_there_is_a_default_for_it() -> None:
    with pytest.raises(TypeError, match="complex has no form in JSON"):
        clean_json([1j])
    assert clean_json([{2j}], default=lambda value: [str(item) for item in value]) == [["2j"]]


def test_what_a_default_returns_is_cleaned_as_well() -> None:
    assert clean_json([1j], default=lambda _: {"\0": (math.nan, b"a")}) == [{"\ufffd": [None, "YQ=="]}]


@unhurried
@given(st.dictionaries(st.text(), st.lists(st.integers(-(10**300), 10**300) | st.text() | st.booleans())))
def test_a_json_object_is_parsed_and_cleaned(value: dict[str, Any]) -> None:
    assert parse_json_object(json.dumps(value)) == clean_json(value)


@unhurried
@given(anything)
def test_parsing_gives_a_clean_object_or_nothing(text: str) -> None:
    parsed = parse_json_object(text)
    assert parsed is None or clean_json(parsed) == parsed


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_blank_text_means_no_arguments(text: str) -> None:
    assert parse_json_object(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "[]", "null", "1", '"a"', '{"a": 1', '{"a": 1} {}', "{'a': 1}", '{"a": "\n"}', "\ufeff{}", "\0",
        "\ud800",
        '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 1e400}', '{"a": -1e400}',
        '{"a": ' + "9" * 400 + "}", '{"a": ' + "9" * 5000 + "}",
        '{"a": ' * 100_000, "[" * 100_000, '{"a": ' + "[" * DEPTH + "]" * DEPTH + "}",
    ],
    ids=lambda text: ascii(text[:12]),
)  # fmt: skip
def test_what_is_no_json_object_is_told_as_none(text: str) -> None:
    assert parse_json_object(text) is None


def test_an_object_as_deep_as_allowed_is_parsed() -> None:
    inside = DEPTH - 1
    assert parse_json_object('{"a": ' + "[" * inside + "]" * inside + "}") == {"a": nested(inside)}


def test_escaped_surrogates_and_nul_in_json_are_cleaned() -> None:
    assert parse_json_object('{"a\\u0000": "\\ud83d\\ude00 \\ud83d"}') == {"a\ufffd": "😀 \ufffd"}


@unhurried
@given(anything, st.integers(-2, 40))
@example("\ud83d\ude00" * 3, 5)
@example("é" * 5, 9)
def test_a_cut_keeps_the_longest_clean_beginning_that_fits(text: str, limit: int) -> None:
    whole = clean_text(text)
    beginning, is_cut = cut_bytes(text, limit)
    assert whole.startswith(beginning)
    assert len(beginning.encode()) <= max(limit, 0)
    assert is_cut == (beginning != whole)
    assert not is_cut or len(whole[: len(beginning) + 1].encode()) > limit


def test_a_cut_is_at_a_character_not_within_one() -> None:
    assert cut_bytes("aé😀z", 6) == ("aé", True)
    assert cut_bytes("aé😀z", 7) == ("aé😀", True)
    assert cut_bytes("aé😀z", 8) == ("aé😀z", False)


def test_what_reorders_a_text_is_its_number_and_all_else_stays() -> None:
    assert visible("transfer \u202e001\u2069 \u200d\u0641") == "transfer [U+202E]001[U+2069] \u200d\u0641"


CLUSTERS = ("👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\N{COMBINING ACUTE ACCENT}", "❤\ufe0f", "1\ufe0f\u20e3", "\r\n", "각")


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_cut_text_ends_between_what_a_reader_takes_for_characters(cluster: str) -> None:
    for before in range(1, 4):
        text = "x" * before + cluster * 3
        ends = [len(text) - len(cluster) * rest for rest in range(4)]
        for most in range(before, len(text) + 2):
            cut = beginning(text, most)
            assert text.startswith(cut)
            assert len(cut) == max(end for end in ends if end <= most)


def test_one_character_that_is_longer_than_the_limit_is_cut() -> None:
    assert beginning("a" + "\N{COMBINING ACUTE ACCENT}" * 500, 60) == "a" + "\N{COMBINING ACUTE ACCENT}" * 59
