"""A record's moments: merged deltas come apart again, and pauses are kept or shortened."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.journal.lines import add
from conversations.protocol.agui.timeline import Moment, cues, timeline

TEXTS = st.lists(st.tuples(st.integers(0, 5000), st.text(min_size=1, max_size=30)), min_size=1, max_size=20)


def delta(text: str) -> dict[str, Any]:
    return {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": text}


def at(*times: int) -> list[Moment]:
    return [Moment(time, {"type": "STEP_STARTED"}) for time in times]


@given(TEXTS)
def test_what_the_journal_merged_comes_apart_at_the_same_times(deltas: list[tuple[int, str]]) -> None:
    lines: list[Any] = []
    expected, now = [], 1_000_000
    for pause, text in deltas:
        now += pause
        expected.append((now, text))
        add(lines, now, delta(text))
    frames = [(line.frame(seq), line.boundaries()) for seq, line in enumerate(lines, 1)]
    moments = list(timeline(frames))
    assert [(moment.at, moment.event["delta"]) for moment in moments] == expected
    assert all(moment.event["timestamp"] == moment.at for moment in moments)


def test_an_event_that_was_not_merged_is_as_it_was() -> None:
    event = {"type": "STEP_STARTED", "stepName": "round 1", "timestamp": 7, "metadata": {"seq": 3}}
    assert list(timeline([(json.dumps(event), "")])) == [Moment(7, event)]


def test_a_text_that_is_longer_than_its_parts_is_given_whole() -> None:
    frame = json.dumps(delta("Blue Moon") | {"timestamp": 10})
    moments = timeline([(frame, "[[0, 2], [5, 2]]")])
    assert [(moment.at, moment.event["delta"]) for moment in moments] == [(10, "Bl"), (15, "ue Moon")]


def test_a_recording_is_played_at_its_own_pace_from_its_beginning() -> None:
    assert [(cue.at, cue.skipped) for cue in cues(at(5000, 5200, 65_200))] == [(0, 0), (200, 0), (60_200, 0)]


def test_when_waiting_is_skipped_a_second_is_left_of_longer_pauses() -> None:
    times = [(cue.at, cue.skipped) for cue in cues(at(5000, 5200, 65_200, 66_200), 1000)]
    assert times == [(0, 0), (200, 0), (1200, 59_000), (2200, 0)]


def test_a_clock_that_was_set_back_makes_no_pause() -> None:
    assert [cue.at for cue in cues(at(5000, 4000, 4100))] == [0, 0, 100]


@pytest.mark.parametrize("longest", [None, 0, 1000])
@given(times=st.lists(st.integers(0, 10**6)))
def test_nothing_is_lost_and_nothing_is_played_before_what_came_before(
    longest: int | None, times: list[int]
) -> None:
    played = list(cues(at(*times), longest))
    assert [cue.moment.at for cue in played] == times
    assert [cue.at for cue in played] == sorted(cue.at for cue in played)
