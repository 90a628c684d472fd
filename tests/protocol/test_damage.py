"""Damaged frames: the blocks that they may belong to are known, and not taken for whole."""

from typing import Any

import pytest

from conversations.protocol.converse.stream import LOST, Assembly
from conversations.protocol.text import is_whole, is_whole_json
from tests.protocol.own_streams import arguments, delta, end, reasoning, stop, text, tool_start
from tests.protocol.texts import assembled

HEAD = '{"price": "80 '
REST = 'EUR"}'
Event = tuple[str, dict[str, Any]]


def damaged(event: Event) -> Event:
    """The event as one of whose bytes some were no UTF-8."""
    name, payload = event
    return name, payload | LOST


def lost(name: str) -> Event:
    """An event whose payload could not be read."""
    return name, LOST


def faults(*events: Event, reason: str = "tool_use") -> list[str]:
    """The faults of the calls that a round asks for with these events."""
    return [call.fault for call in assembled([*events, *end(reason)]).calls()]


@pytest.mark.parametrize(
    "events",
    [
        [tool_start(0), arguments(0, HEAD), damaged(arguments(0, "\ufffd")), arguments(0, REST), stop(0)],
        [tool_start(0), arguments(0, HEAD), lost("contentBlockDelta"), arguments(0, REST), stop(0)],
        [tool_start(0), arguments(0, HEAD), lost(""), arguments(0, REST), stop(0)],
        [damaged(tool_start(0, name="top\ufffdsong")), arguments(0, "{}"), stop(0)],
        [tool_start(0, "t\ud83d1"), arguments(0, "{}"), stop(0)],
        [tool_start(0, name="top_song\udc00"), arguments(0, "{}"), stop(0)],
        [lost("contentBlockStart"), arguments(0, "{}"), stop(0)],
        [tool_start(0), damaged(delta(0, toolUs="{}")), stop(0)],
        [tool_start(0), arguments(0, '{"a": "\ud83d"}'), stop(0)],
        [tool_start(0), arguments(0, '{"a": "\\\\ud83d"}'.replace("\\\\", "\\")), stop(0)],
    ],
    ids=[
        *("invalid bytes", "no JSON", "no name", "in the name", "half a character in the id"),
        *("half a character in the name", "no start", "in a member", "half a character", "half an escape"),
    ],
)
def test_a_call_that_lost_something_is_damaged_and_has_no_input(events: list[Event]) -> None:
    [call] = assembled([*events, *end("tool_use")]).calls()
    assert (call.fault, call.input) == ("damaged", None)


@pytest.mark.parametrize(
    "event",
    [
        lost("contentBlockStop"),
        lost("metadata"),
        lost("messageStart"),
        lost("newerThanThis"),
        damaged(text(1, "a")),
    ],
)
def test_what_cannot_have_been_a_part_of_a_call_leaves_it_whole(event: Event) -> None:
    assert faults(tool_start(0), arguments(0, "{}"), event, stop(0)) == [""]


def test_a_call_that_was_closed_before_is_whole_and_one_that_is_open_is_not() -> None:
    events = [tool_start(0), arguments(0, "{}"), stop(0), tool_start(1, "t2"), lost("contentBlockDelta")]
    assert faults(*events, arguments(1, "{}"), stop(1)) == ["", "damaged"]


def test_a_call_without_an_end_is_not_run_where_nobody_can_read_why_the_answer_ended() -> None:
    assembly = assembled([tool_start(0), damaged(("messageStop", {"stopReason": "max_\ufffd"}))])
    assert [call.fault for call in assembly.calls()] == ["damaged"]


def test_an_end_that_cannot_be_read_is_no_end() -> None:
    assert not assembled([text(0, "Hi"), lost("messageStop")]).is_complete


def test_halves_of_a_character_in_two_fragments_are_whole() -> None:
    assert faults(tool_start(0), arguments(0, '{"a": "\ud83d'), arguments(0, '\ude00"}'), stop(0)) == [""]


def test_text_keeps_what_came_and_the_round_counts_what_was_lost() -> None:
    events = [damaged(text(0, "80 \ufffd")), lost("contentBlockDelta"), text(0, "\ud83d."), stop(0), *end()]
    assembly = assembled(events)
    assert assembly.content() == [{"text": "80 \ufffd\ufffd."}]
    assert assembly.damage() == {"contentBlockDelta": 2, "halfCharacters": 1}
    assert "damaged" not in assembly.metadata


def test_a_round_to_which_nothing_happened_counts_nothing() -> None:
    assert assembled([text(0, "80 \ufffd"), stop(0), *end()]).damage() == {}


@pytest.mark.parametrize(
    "events",
    [
        [reasoning(0, text="h"), damaged(reasoning(0, text="\ufffd")), reasoning(0, signature="c2ln")],
        [reasoning(0, text="h"), lost("contentBlockDelta"), reasoning(0, signature="c2ln")],
        [lost("contentBlockDelta"), reasoning(0, text="h"), reasoning(0, signature="c2ln")],
        [reasoning(0, text="h"), reasoning(0, signature="c2\ud83dln")],
    ],
    ids=["invalid bytes", "a lost part", "a lost beginning", "half a character in the signature"],
)
def test_reasoning_that_lost_something_is_kept_without_its_signature(events: list[Event]) -> None:
    [block, _] = assembled([*events, stop(0), text(1, "Hi"), stop(1), *end()]).content()
    assert "signature" not in block["reasoningContent"]["reasoningText"]


def test_redacted_reasoning_that_lost_something_is_not_kept() -> None:
    parts = [reasoning(0, redactedContent="AAEC"), lost("contentBlockDelta"), stop(0), *end()]
    assert assembled(parts).content() == [{"reasoningContent": {"redactedContent": ""}}]


def test_a_damaged_event_that_nobody_knows_is_passed_over() -> None:
    assembly = Assembly()
    assert assembly.feed("newerThanThis", LOST) == []
    assert (assembly.damage(), assembly.passed_over) == ({}, {"newerThanThis": 1})


@pytest.mark.parametrize(
    ("value", "whole"),
    [("a", True), ("é😀", True), ("\ud83d\ude00", True), ("\ud83d", False), ("\ude00\ud83d", False)],
)
def test_a_text_is_whole_unless_half_a_character_stands_alone(value: str, whole: bool) -> None:
    assert is_whole(value) == is_whole_json(value) == whole


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (r'{"a": "\ud83d\ude00"}', True),
        (r'{"\ud83d": 1}', False),
        (r'["\\ud83d"]', True),
        (r'"\ud83d', True),
        ("[" * 99_999 + r"\ud83d", True),
    ],
)
def test_json_is_whole_unless_one_of_its_strings_is_not(value: str, whole: bool) -> None:
    assert is_whole_json(value) == whole
