"""Histories of every kind for the tests of properties: broken ones, valid ones, and past turns."""

from itertools import count
from typing import Any

from hypothesis import strategies as st

from conversations.protocol.converse.history import (
    PastRound,
    PastTurn,
)
from tests.protocol.messages import IMAGE, REDACTED, SERVED, SERVED_RESULT, SIGNED, use

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


@st.composite
def past_rounds(draw: st.DrawFn) -> PastRound:
    content = draw(contents)
    call_ids = [block["toolUse"]["toolUseId"] for block in content if "toolUse" in block]
    answered = draw(st.lists(st.sampled_from(call_ids), unique=True)) if call_ids else []
    return PastRound(
        content,
        draw(st.sampled_from(["one", "other"])),
        is_complete=draw(st.booleans()),
        stop_reason=draw(st.sampled_from(["", "end_turn", "tool_use", "guardrail_intervened"])),
        results={call_id: draw(answers(call_id)) for call_id in answered},
    )


past_turns = st.builds(
    PastTurn, st.lists(text_blocks, min_size=1, max_size=2), st.lists(past_rounds(), max_size=3)
)
