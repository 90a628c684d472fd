"""What a turn does next follows from its rounds alone, and every turn comes to an end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.protocol.steps import (
    STOP_REASONS,
    CallModel,
    CallState,
    Fail,
    Finish,
    RoundState,
    RunTools,
    Step,
    Wait,
    next_step,
)

REQUESTED, ANSWERED = CallState("t1", is_answered=False), CallState("t2", is_answered=True)
REASONS = [*STOP_REASONS, "newer", ""]


def test_a_turn_begins_by_calling_the_model() -> None:
    assert next_step([], 25) == CallModel(1)


@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence", "max_tokens", "content_filtered"])
def test_an_answer_without_calls_is_final(reason: str) -> None:
    assert next_step([RoundState(1, True, reason)], 25) == Finish()


def test_an_answer_that_says_tool_use_but_asks_for_none_is_final() -> None:
    assert next_step([RoundState(1, True, "tool_use")], 25) == Finish()


def test_an_answer_that_ended_for_a_reason_newer_than_the_table_is_final() -> None:
    assert next_step([RoundState(1, True, "pause_turn")], 25) == Finish()


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("malformed_model_output", "stream_error"),
        ("malformed_tool_use", "stream_error"),
        ("model_context_window_exceeded", "context_overflow"),
    ],
)
def test_an_answer_that_the_model_could_not_give_fails_the_turn(reason: str, code: str) -> None:
    assert next_step([RoundState(1, True, reason)], 25) == Fail(code)


def test_an_answer_that_a_guardrail_gave_is_final() -> None:
    assert next_step([RoundState(1, True, "guardrail_intervened")], 25) == Finish()


@pytest.mark.parametrize("reason", REASONS)
def test_calls_are_run_whatever_the_stop_reason_says(reason: str) -> None:
    both = RoundState(1, True, reason, (REQUESTED, replace(REQUESTED, tool_use_id="t3")))
    assert next_step([both], 25) == RunTools(1, ("t1", "t3"))


def test_only_calls_without_a_result_are_run() -> None:
    assert next_step([RoundState(2, True, "tool_use", (ANSWERED, REQUESTED))], 25) == RunTools(2, ("t1",))


def test_after_all_results_the_model_is_called_again() -> None:
    assert next_step([RoundState(1, True, "tool_use", (ANSWERED,))], 25) == CallModel(2)


def test_a_round_that_never_ended_is_asked_for_again() -> None:
    rounds = [RoundState(1, True, "tool_use", (ANSWERED,)), RoundState(2, False, calls=(REQUESTED,))]
    assert next_step(rounds, 25) == CallModel(2)


def test_the_calls_of_the_last_round_are_refused_and_then_the_turn_fails() -> None:
    rounds = [RoundState(3, True, "tool_use", (REQUESTED,))]
    assert next_step(rounds, 3) == RunTools(3, ("t1",), refuse="round_limit")
    rounds = [RoundState(3, True, "tool_use", (ANSWERED,))]
    assert next_step(rounds, 3) == Fail("round_limit")


def test_a_final_answer_in_the_last_round_is_no_failure() -> None:
    assert next_step([RoundState(3, True, "end_turn")], 3) == Finish()


@given(st.data(), st.integers(1, 6))
def test_every_turn_comes_to_its_end_within_its_rounds(data: st.DataObject, max_rounds: int) -> None:
    rounds: list[RoundState] = []
    for _ in range(6 * max_rounds):  # at most two cut attempts, an answer and three groups of results each
        step = next_step(rounds, max_rounds)
        if isinstance(step, Finish | Fail):
            break
        assert step.number <= max_rounds
        rounds = rounds_after(data, rounds, step)
    assert isinstance(next_step(rounds, max_rounds), Finish | Fail)


def rounds_after(data: st.DataObject, rounds: list[RoundState], step: Step) -> list[RoundState]:
    """The rounds after the step, as a model and tools might answer."""
    if isinstance(step, RunTools):
        done = {data.draw(st.sampled_from(step.tool_use_ids))} | data.draw(
            st.sets(st.sampled_from(step.tool_use_ids))
        )
        calls = tuple(
            replace(call, is_answered=call.is_answered or call.tool_use_id in done)
            for call in rounds[-1].calls
        )
        return [*rounds[:-1], replace(rounds[-1], calls=calls)]
    assert isinstance(step, CallModel)
    attempts = sum(round_.number == step.number for round_ in rounds)
    complete = attempts == 2 or data.draw(st.booleans())
    cuts = data.draw(st.lists(st.booleans(), max_size=3))
    calls = tuple(CallState(f"t{n}", is_answered=cut, is_cut=cut) for n, cut in enumerate(cuts))
    return [*rounds, RoundState(step.number, complete, data.draw(st.sampled_from(REASONS)), calls)]


@given(st.lists(st.builds(CallState, st.text(), st.booleans())), st.sampled_from(REASONS))
def test_the_same_rounds_give_the_same_step(calls: list[CallState], reason: str) -> None:
    rounds = [RoundState(1, True, reason, tuple(calls))]
    assert next_step(rounds, 25) == next_step(list(rounds), 25)


# -- calls in whose arguments the answer ended

CUT_CALL = CallState("t4", is_answered=True, is_cut=True)
CUT_ROUND = RoundState(1, True, "max_tokens", (CUT_CALL,))


def test_a_model_whose_call_was_cut_may_try_again_beside_its_other_calls() -> None:
    assert next_step([CUT_ROUND], 25) == CallModel(2)
    assert next_step([replace(CUT_ROUND, calls=(REQUESTED, CUT_CALL))], 25) == RunTools(1, ("t1",))


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("max_tokens", "max_tokens"),
        ("model_context_window_exceeded", "context_overflow"),
        ("content_filtered", "stream_error"),
    ],
)
def test_a_second_round_with_a_cut_call_ends_the_turn_whatever_came_between(reason: str, code: str) -> None:
    between = RoundState(2, True, "tool_use", (ANSWERED,))
    assert next_step([CUT_ROUND, between], 25) == CallModel(3)
    second = RoundState(3, True, reason, (CUT_CALL,))
    assert next_step([CUT_ROUND, between, second], 25) == Fail(code)


def test_other_calls_of_the_round_that_ends_the_turn_are_neither_run_nor_decided() -> None:
    undecided = CallState("t3", is_answered=False, is_undecided=True)
    second = RoundState(2, True, "max_tokens", (REQUESTED, undecided, CUT_CALL))
    assert next_step([CUT_ROUND, second], 25) == RunTools(2, ("t1", "t3"), refuse="max_tokens")


def test_an_attempt_that_was_cut_by_a_crash_counts_for_nothing() -> None:
    broken = RoundState(2, False, calls=(CUT_CALL,))
    assert next_step([CUT_ROUND, broken], 25) == CallModel(2)


# -- decisions


def test_a_round_waits_as_a_whole_until_its_calls_are_decided() -> None:
    undecided = CallState("t3", is_answered=False, is_undecided=True)
    assert next_step([RoundState(1, True, "tool_use", (REQUESTED, undecided))], 25) == Wait(1, ("t3",))


def test_a_decided_call_is_run() -> None:
    decided = replace(CallState("t3", is_answered=False, is_undecided=True), is_undecided=False)
    assert next_step([RoundState(1, True, "tool_use", (decided,))], 25) == RunTools(1, ("t3",))


def test_nobody_is_asked_about_calls_that_are_refused_anyhow() -> None:
    undecided = CallState("t3", is_answered=False, is_undecided=True)
    assert next_step([RoundState(2, True, "tool_use", (undecided,))], 2) == RunTools(
        2, ("t3",), refuse="round_limit"
    )
