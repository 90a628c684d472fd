"""A record that breaks off anywhere can be closed, and the step started again, by AG-UI's rules."""

import pytest
from ag_ui_validate.pytest_plugin import validate_agui

from conversations.protocol.agui import events
from conversations.protocol.agui.closing import closing_events
from conversations.protocol.agui.events import Event
from conversations.protocol.agui.snapshot import Snapshot
from tests.protocol.own_streams import OWN
from tests.protocol.recorded import SETS, Stream, params
from tests.protocol.turns import CONVERSATION, QUESTION, TURN, round_of, turn_of

ROUNDS = [
    *params([[stream] for stream in OWN]),
    *params([rounds for rounds in SETS.values() if len(rounds) > 1]),
]
CUT_ARGUMENTS = "AGUI204"
END = events.run_finished(CONVERSATION, TURN, "success", [])
OPENING = [events.run_started(CONVERSATION, TURN), *events.user_message(QUESTION, "Hi")]
ANSWER = next(stream for stream in OWN if stream.stop_reason == "end_turn")


def broken_off(turn_events: list[Event]) -> list[list[Event]]:
    """The turn up to each of its events but the last; of long ones, to every seventh."""
    return [
        turn_events[:length]
        for length in range(len(OPENING), len(turn_events), 1 if len(turn_events) < 100 else 7)
    ]


def errors(turn_events: list[Event]) -> set[str]:
    """The rules that the events break."""
    diagnostics = validate_agui([event | {"timestamp": 1} for event in turn_events]).diagnostics
    return {diagnostic.rule for diagnostic in diagnostics if diagnostic.severity != "info"} - {CUT_ARGUMENTS}


def unanswered(turn_events: list[Event]) -> set[str]:
    """The ids of the calls that have no result."""
    requests, results = (
        {event["toolCallId"] for event in turn_events if event["type"] == kind}
        for kind in ("TOOL_CALL_START", "TOOL_CALL_RESULT")
    )
    return requests - results


@pytest.mark.parametrize("rounds", ROUNDS)
def test_the_step_starts_again_wherever_it_broke_off(rounds: list[Stream]) -> None:
    for broken in broken_off(turn_of(*rounds)):
        closed = broken + closing_events(broken)
        assert errors([*closed, *round_of(ANSWER, 9, set()), END]) == set()
        assert not any(message["metadata"].get("open") for message in Snapshot(TURN).apply(closed).as_list())


@pytest.mark.parametrize("rounds", ROUNDS)
def test_what_is_closed_is_not_closed_again(rounds: list[Stream]) -> None:
    for broken in broken_off(turn_of(*rounds)):
        assert closing_events(broken + closing_events(broken)) == []


@pytest.mark.parametrize("rounds", ROUNDS)
def test_the_broken_steps_messages_are_marked_and_no_others(rounds: list[Stream]) -> None:
    for broken in broken_off(turn_of(*rounds)):
        closed = Snapshot(TURN).apply(broken + closing_events(broken)).as_list()
        steps = [place for place, event in enumerate(broken) if event["type"] == "STEP_STARTED"]
        step = steps[-1] if closing_events(broken) else len(broken)
        before = {message["id"] for message in Snapshot(TURN).apply(broken[:step]).as_list()}
        assert {m["id"] for m in closed if not m["metadata"].get("interrupted")} == before


@pytest.mark.parametrize("rounds", ROUNDS)
def test_every_call_that_a_broken_step_had_begun_to_ask_for_is_answered(rounds: list[Stream]) -> None:
    for broken in broken_off(turn_of(*rounds)):
        end = closing_events(broken)
        assert not end or unanswered(broken + end) == set()


def test_nothing_is_open_between_two_rounds() -> None:
    assert closing_events([*OPENING, *round_of(ANSWER, 1, set())]) == []


def test_the_news_of_a_retry_lasts_until_the_next_event() -> None:
    retrying = events.custom("retrying", {"attempt": 2, "of": 3, "seconds": 0.5}) | {"timestamp": 7}
    waiting = [*OPENING, events.step_started(1), retrying]
    assert Snapshot(TURN).apply(waiting).state["retrying"] == {"attempt": 2, "of": 3, "seconds": 0.5, "at": 7}
    assert Snapshot(TURN).apply([*waiting, *round_of(ANSWER, 1, set())[1:]]).state["retrying"] is None
