"""What becomes one event while it waits for a commit, and what does not."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.journal.lines import Line, add
from conversations.protocol.agui.events import DELTA_BYTES, DELTA_KEYS, step_started
from tests.records import delta

BLOCKS = st.sampled_from(["one", "two"])
SIZES = st.one_of(st.integers(1, 12), st.sampled_from([DELTA_BYTES // 4 - 1, DELTA_BYTES // 8]))
DELTAS = st.builds(
    lambda size, letter, block, kind: delta(letter * size, block, kind),
    SIZES, st.sampled_from("aé\N{GRINNING FACE}"), BLOCKS, st.sampled_from(sorted(DELTA_KEYS)),
)  # fmt: skip
OTHERS = st.sampled_from([step_started(1), {"type": "TEXT_MESSAGE_END", "messageId": "one"}])
EVENTS = st.lists(st.tuples(st.integers(0, 9), st.one_of(DELTAS, DELTAS, OTHERS)), max_size=40)


def unmerged(line: Line) -> Iterator[tuple[int, dict[str, Any]]]:
    """The events that a line was merged from, read from what is stored of the line."""
    event, parts = json.loads(line.frame(1)), json.loads(line.boundaries() or "null")
    at = event.pop("timestamp")
    event.pop("metadata")
    start = 0
    for later, length in parts or [(0, len(event.get("delta", "")))]:
        piece = {"delta": event["delta"][start : start + length]} if "delta" in event else {}
        yield at + later, event | piece
        start += length


@given(EVENTS)
def test_what_was_merged_comes_apart_again_with_its_own_times_and_boundaries(
    timed_events: list[tuple[int, Any]],
) -> None:
    lines: list[Line] = []
    for at, event in timed_events:
        add(lines, at, event)
    assert [part for line in lines for part in unmerged(line)] == timed_events
    assert all(len(line.event.get("delta", "").encode()) <= DELTA_BYTES for line in lines)


@given(EVENTS)
def test_neighbours_stay_apart_only_for_want_of_room_or_kinship(timed_events: list[tuple[int, Any]]) -> None:
    lines: list[Line] = []
    for at, event in timed_events:
        add(lines, at, event)
    for line, following in pairwise(lines):
        kinship = [(neighbour.key, neighbour.event["type"]) for neighbour in (line, following)]
        if line.key is not None and kinship[0] == kinship[1]:
            first = next(unmerged(following))[1]["delta"]
            assert len((line.event["delta"] + first).encode()) > DELTA_BYTES


@pytest.mark.parametrize("letter", ["a", "é", "\N{GRINNING FACE}"])
def test_what_is_merged_is_never_over_16_kib_of_utf_8(letter: str) -> None:
    lines: list[Line] = []
    for at in range(200):
        add(lines, at, delta(letter * 250))
    sizes = [len(line.event["delta"].encode()) for line in lines]
    assert max(sizes) <= DELTA_BYTES
    assert min(sizes[:-1]) > DELTA_BYTES - 1000
    assert sum(sizes) == len(letter.encode()) * 200 * 250
