"""Every history is valid: whatever had been stored, the next request is one that Bedrock accepts."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.protocol.converse.history import (
    CONTINUE,
    INTERRUPTED,
    PastTurn,
    messages,
    repair,
)
from tests.protocol.histories import conversations, past_turns, valid_conversations
from tests.protocol.messages import refusal_of


@settings(max_examples=200)
@given(conversations)
def test_repaired_messages_are_accepted(history: list[Any]) -> None:
    assert refusal_of(repair(history)) is None


@given(conversations)
def test_repairing_twice_changes_nothing(history: list[Any]) -> None:
    right = repair(history)
    assert repair(right) == right


@given(conversations)
def test_repairing_depends_on_the_messages_alone_and_leaves_them_as_they_are(history: list[Any]) -> None:
    before = copy.deepcopy(history)
    assert repair(history) == repair(copy.deepcopy(history))
    assert history == before


@given(conversations)
def test_nothing_that_the_user_said_is_lost(history: list[Any]) -> None:
    texts = user_texts(history)
    assert user_texts(repair(history)) in (texts, [*texts, CONTINUE])


def user_texts(history: list[Any]) -> list[str]:
    texts = [
        block.get("text", "")
        for message in history
        if message["role"] == "user"
        for block in message["content"]
    ]
    return [text for text in texts if text.strip()]


@given(valid_conversations())
def test_a_valid_history_is_left_as_it_is(history: list[Any]) -> None:
    assert refusal_of(history) is None
    assert repair(history) == history


@given(st.lists(past_turns, min_size=1, max_size=3))
def test_whatever_became_of_past_turns_the_next_request_is_accepted(turns: list[PastTurn]) -> None:
    history = messages(turns, "one")
    assert refusal_of(history) is None
    unblocked = [turn for turn in turns if not turn.is_blocked or turn is turns[-1]]
    texts = user_texts([{"role": "user", "content": turn.user} for turn in unblocked])
    assert user_texts(history) in (texts, [*texts, CONTINUE])


@given(st.lists(past_turns, min_size=1, max_size=3), st.text(min_size=1).filter(str.strip))
def test_a_further_turn_leaves_what_was_told_before_it_as_it_was(turns: list[PastTurn], text: str) -> None:
    turns = [turn for turn in turns if not turn.is_blocked]
    before = messages(turns, "one")
    after = messages([*turns, PastTurn([{"text": text}])], "one")
    if before[-1]["content"] == [{"text": CONTINUE}]:
        assert after == [*before[:-1], {"role": "user", "content": [{"text": text}]}]
    else:
        assert after == [
            *before,
            {"role": "assistant", "content": [{"text": INTERRUPTED}]},
            {"role": "user", "content": [{"text": text}]},
        ]
