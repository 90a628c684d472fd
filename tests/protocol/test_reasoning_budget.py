"""The budget of a model's reasoning, in a request."""

from typing import Any

import pytest

from conversations.protocol.converse import request
from conversations.protocol.converse.capabilities import Capabilities

SETTINGS = {"maxTokens": 4_096, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]}


def body_with(wish: int | None = None, **facts: Any) -> request.Body:
    return request.with_reasoning({"inferenceConfig": SETTINGS}, Capabilities(**facts), wish)


@pytest.mark.parametrize(("budget", "tokens"), [(2_000, 2_000), (1_024, 1_024), (9_000, 4_095)])
def test_a_budget_leaves_tokens_for_the_answer_and_goes_without_sampling(budget: int, tokens: int) -> None:
    assert body_with(reasons=True, reasoning_budget=budget) == {
        "inferenceConfig": {"maxTokens": 4_096, "stopSequences": ["END"]},
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": tokens}},
    }


def test_a_model_of_which_it_is_not_known_is_asked_too() -> None:
    assert body_with(reasoning_budget=2_000) == body_with(reasons=True, reasoning_budget=2_000)


@pytest.mark.parametrize(
    "facts",
    [
        {"reasons": True},
        {"reasons": False, "reasoning_budget": 2_000},
        {"reasons": True, "reasoning_budget": 1_023},
        {"reasons": True, "reasoning_budget": 2_000, "most_output_tokens": 1_024},
    ],
)
def test_no_reasoning_is_asked_for_without_a_budget_that_the_model_takes(facts: dict[str, Any]) -> None:
    assert body_with(**facts) == {"inferenceConfig": SETTINGS}


def test_a_wish_of_the_conversations_comes_before_the_catalogues_budget() -> None:
    assert body_with(2_000, reasons=True, reasoning_budget=3_000) == body_with(
        reasons=True, reasoning_budget=2_000
    )
    assert body_with(0, reasons=True, reasoning_budget=3_000) == {"inferenceConfig": SETTINGS}


def test_a_wish_is_for_models_that_are_known_to_reason() -> None:
    assert body_with(2_000) == body_with(2_000, reasons=False) == {"inferenceConfig": SETTINGS}
