"""Usage, of which no token is counted twice."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.protocol.converse.stream import Assembly
from conversations.protocol.converse.usage import count, counted_once, is_reported, least_tokens

COUNTS = st.integers(0, 10_000)


def usage(inputs: Any, outputs: Any, total: Any, reads: Any = None, writes: Any = None) -> dict[str, Any]:
    names = ("inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    values = zip(names, (inputs, outputs, total, reads, writes), strict=True)
    return {name: value for name, value in values if value is not None}


@pytest.mark.parametrize(
    ("reported", "inputs"),
    [
        (usage(1_000, 50, 1_050, reads=800), 200),
        (usage(1_000, 50, 1_050, writes=1_000), 0),
        (usage(1_000, 50, 1_050, reads=300, writes=600), 100),
        (usage(1_000, 50, 1_350, reads=600, writes=300), 400),  # only what was read is inside
    ],
)
def test_what_was_counted_as_input_and_as_cached_is_no_input(reported: dict[str, Any], inputs: int) -> None:
    assert counted_once(reported) == reported | {"inputTokens": inputs}


@pytest.mark.parametrize(
    "reported",
    [
        {},
        usage(10, 5, 15),
        usage(200, 50, 1_050, reads=800),
        usage(10, 5, 20, reads=3),  # more than its parts
        usage(10, 5, 15, reads=100),  # the total leaves the cache out, which cannot be inside
        usage(10, 5, 12),  # no cache
        usage(10, 5, None, reads=5),
        usage(10, 5, 0, reads=5),
        usage("many", 5, 5, reads=5),
    ],
)
def test_any_other_usage_is_as_it_was_reported(reported: dict[str, Any]) -> None:
    assert counted_once(reported) == reported


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_parts_then_add_up_to_the_total_however_the_cache_was_counted(
    new: int, outputs: int, reads: int, writes: int
) -> None:
    total = new + outputs + reads + writes
    whole = usage(new, outputs, total, reads, writes)
    assert counted_once(usage(new + reads + writes, outputs, total, reads, writes)) == whole
    assert counted_once(whole) == whole


def test_a_round_keeps_the_usage_that_the_gateway_reported_beside_the_one_that_is_counted() -> None:
    assembly = Assembly(set(), prefix="tooluse_1_1")
    reported = usage(1_000, 50, 1_050, reads=800)
    assembly.feed("metadata", {"usage": reported})
    assert assembly.usage == reported | {"inputTokens": 200}
    assert assembly.metadata == {"usage": reported}


@pytest.mark.parametrize("value", [-1, 2**31, 1.5, "1", None])
def test_what_no_column_holds_counts_as_none(value: object) -> None:
    assert (count(value), count(7)) == (0, 7)


def test_a_round_that_broke_off_has_at_least_a_token_for_every_four_characters() -> None:
    assembly = Assembly(set(), prefix="tooluse_1_1")
    assert (assembly.least_tokens, is_reported(assembly.usage)) == (0, False)
    use = {"toolUse": {"toolUseId": "t", "name": "top_song"}}
    assembly.feed(
        "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm..."}}}
    )
    assembly.feed("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "One moment."}})
    assembly.feed("contentBlockStart", {"contentBlockIndex": 2, "start": use})
    assembly.feed("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"a"'}}})
    assert assembly.least_tokens == (5 + 11 + 4) // 4


@pytest.mark.parametrize(("characters", "tokens"), [(0, 0), (1, 1), (7, 1), (8, 2)])
def test_a_text_has_at_least_so_many_tokens(characters: int, tokens: int) -> None:
    assert least_tokens(characters) == tokens


@pytest.mark.parametrize("reported", [{"inputTokens": 0}, {"outputTokens": 0}])
def test_a_usage_of_nothing_is_reported_too(reported: dict[str, int]) -> None:
    assert is_reported(reported)


@pytest.mark.parametrize(
    ("reason", "more", "is_report"),
    [
        ("end_turn", {}, False),
        ("guardrail_intervened", {}, True),
        ("tool_use", {"madeBy": "person"}, True),
    ],
)
def test_zeros_alone_are_no_report_unless_no_model_was_asked(
    reason: str, more: dict[str, str], is_report: bool
) -> None:
    assembly = Assembly()
    zeros = usage(0, 0, 0)
    assembly.feed("messageStop", {"stopReason": reason})
    assembly.feed("metadata", {"usage": zeros} | more)
    assert assembly.usage == (zeros if is_report else {})
    assert {**assembly.usage, **assembly.metadata.get("usage", {})} == zeros
