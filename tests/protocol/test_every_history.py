"""Every history is valid: whatever had been stored, the next request is one that Bedrock accepts."""

import copy
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.protocol.converse.history import (
    CONTINUE,
    INTERRUPTED,
    PastRound,
    PastTurn,
    messages,
    repair,
)
from tests.protocol.asking import IMAGE, REDACTED, SERVED, SERVED_RESULT, SIGNED, refusal_of, use

words = st.sampled_from(["Hi", "Go on", " ", "", "\n\n"]) | st.text(max_size=5)
ids = st.sampled_from(["t1", "t2", "s1", "", "a b", "x" * 70])
any_json = (
    st.none()
    | st.booleans()
    | st.integers()
    | words
    | st.lists(words, max_size=2)
    | st.dictionaries(words, words)
)
text_blocks = st.builds(lambda text: {"text": text}, words)
parts = st.one_of(
    text_blocks, st.builds(lambda value: {"json": value}, any_json), st.just(IMAGE), st.just({"newer": 1})
)
results = st.builds(
    lambda tool_use_id, content, more: {"toolResult": {"toolUseId": tool_use_id, "content": content} | more},
    ids,
    st.lists(parts, max_size=2),
    st.sampled_from(
        [{}, {"status": "error"}, {"status": "success"}, {"type": "search_result"}, {"status": "newer"}]
    ),
)
uses = st.builds(
    lambda tool_use_id, name, inputs, more: use(tool_use_id, name=name, input=inputs, **more),
    ids,
    st.sampled_from(["top_song", "", "a.b", "n" * 70]),
    any_json,
    st.sampled_from([{}, {}, {"type": "tool_use"}, {"type": "server_tool_use"}, {"type": "newer"}]),
)
cited = st.builds(lambda text: {"citationsContent": {"content": [{"text": text}], "citations": []}}, words)
reasoning = st.sampled_from(
    [SIGNED, REDACTED, {"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"reasoningContent": {}}]
)
blocks = st.one_of(
    text_blocks,
    uses,
    results,
    cited,
    reasoning,
    st.sampled_from([IMAGE, SERVED, SERVED_RESULT, {"newer": 1}]),
)
contents = st.lists(blocks, max_size=4)
conversations = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant"]),
        contents,
    ),
    max_size=8,
)


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


@st.composite
def valid_conversations(draw: st.DrawFn) -> list[Any]:
    numbers = count()
    history = []
    for _ in range(draw(st.integers(0, 3))):
        history.append({"role": "user", "content": [{"text": "Hi"}]})
        for _ in range(draw(st.integers(0, 2))):
            calls = [f"t{next(numbers)}" for _ in range(draw(st.integers(1, 2)))]
            begun = draw(
                st.sampled_from([[], [SIGNED], [REDACTED, {"text": "Let me see."}], [SERVED, SERVED_RESULT]])
            )
            history.append({"role": "assistant", "content": [*begun, *map(use, calls)]})
            history.append({"role": "user", "content": [draw(answers(call)) for call in calls]})
        history.append({"role": "assistant", "content": [{"text": "Yes."}]})
    return [
        *history,
        {"role": "user", "content": draw(st.sampled_from([[{"text": "And?"}], [IMAGE, {"text": "Look"}]]))},
    ]


def answers(tool_use_id: str) -> st.SearchStrategy[Any]:
    content = st.sampled_from([[{"text": "8 Storey Hike"}], [{"json": {"song": "Elemental Hotel"}}], [IMAGE]])
    more = st.sampled_from([{}, {"status": "error"}])
    return st.builds(
        lambda content, more: {"toolResult": {"toolUseId": tool_use_id, "content": content} | more},
        content,
        more,
    )


@given(valid_conversations())
def test_a_valid_history_is_left_as_it_is(history: list[Any]) -> None:
    assert refusal_of(history) is None
    assert repair(history) == history


@st.composite
def past_rounds(draw: st.DrawFn) -> PastRound:
    content = draw(contents)
    call_ids = [block["toolUse"]["toolUseId"] for block in content if "toolUse" in block]
    answered = draw(st.lists(st.sampled_from(call_ids), unique=True)) if call_ids else []
    return PastRound(
        content,
        draw(st.sampled_from(["one", "other"])),
        complete=draw(st.booleans()),
        stop_reason=draw(st.sampled_from(["", "end_turn", "tool_use", "guardrail_intervened"])),
        results={call_id: draw(answers(call_id)) for call_id in answered},
    )


past_turns = st.builds(
    PastTurn, st.lists(text_blocks, min_size=1, max_size=2), st.lists(past_rounds(), max_size=3)
)


@given(st.lists(past_turns, min_size=1, max_size=3))
def test_whatever_became_of_past_turns_the_next_request_is_accepted(turns: list[PastTurn]) -> None:
    history = messages(turns, "one")
    assert refusal_of(history) is None
    unblocked = [turn for turn in turns if not turn.blocked or turn is turns[-1]]
    texts = user_texts([{"role": "user", "content": turn.user} for turn in unblocked])
    assert user_texts(history) in (texts, [*texts, CONTINUE])


@given(st.lists(past_turns, min_size=1, max_size=3), st.text(min_size=1).filter(str.strip))
def test_a_further_turn_leaves_what_was_told_before_it_as_it_was(turns: list[PastTurn], text: str) -> None:
    turns = [turn for turn in turns if not turn.blocked]
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
