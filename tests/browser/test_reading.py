"""The script's reducer is given the frames that tabs were given in the state machine's examples, and comes to the same."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from playwright.sync_api import Page

from tests.reducing.machine import Reading

AT_ONCE = 50
REDUCE = """async (told) => {
    const {EMPTY, reduce} = await import("/static/conversations/reducer.js");
    const come = JSON.parse(told).map((frames) => {
        const {cursor, messages, turns} = frames.reduce(reduce, EMPTY);
        return {cursor, messages, turns};
    });
    return JSON.stringify(come);
}"""


@pytest.fixture(scope="module")
def vectors() -> list[dict[str, Any]]:
    """The frames of each example's tabs, and what they add up to; the same ones every time."""
    Reading.told.clear()
    chosen = settings(max_examples=100, stateful_step_count=40, derandomize=True, database=None)
    run_state_machine_as_test(Reading, settings=chosen)
    return [vector for vector in Reading.told if vector["frames"]]


def batches(vectors: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Some at a time."""
    for start in range(0, len(vectors), AT_ONCE):
        yield vectors[start : start + AT_ONCE]


def test_the_script_comes_to_what_the_server_would_tell(page: Page, vectors: list[dict[str, Any]]) -> None:
    page.goto("/")
    kinds = {frame["type"] for vector in vectors for frame in vector["frames"]}
    assert {"MESSAGES_SNAPSHOT", "RUN_ERROR", "TOOL_CALL_RESULT"} <= kinds
    ends = [message for vector in vectors for message in vector["end"]["messages"]]
    assert any(message["metadata"].get("interrupted") for message in ends)
    for batch in batches(vectors):
        told = json.dumps([vector["frames"] for vector in batch])
        reduced = json.loads(page.evaluate(REDUCE, told))
        for vector, state in zip(batch, reduced, strict=True):
            assert state == vector["end"]
