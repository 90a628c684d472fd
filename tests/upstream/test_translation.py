"""Chunks of chat completions, in the many ways of servers, as events of ConverseStream."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.upstream import DONE, StreamFailure, Translation
from tests.upstream.chunks import blocks_of, calls, chunk, piece, stop_reason, translated, usage_chunk

WZPZ, WKRP = '{"sign": "WZPZ"}', '{"sign": "WKRP"}'
TEXT = ("text", "Hello")


def test_a_text_is_a_block_between_message_start_and_stop() -> None:
    events = translated(
        chunk(role="assistant", content=""), chunk(content="Hel"), chunk(content="lo"), chunk("stop")
    )
    assert events == [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hel"}}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "lo"}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
    ]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_a_block_of_its_own_under_either_name(name: str) -> None:
    events = translated(chunk(**{name: "h"}), chunk(**{name: "m"}), chunk(content="Hello"), chunk("stop"))
    assert blocks_of(events) == [("reasoningContent", "hm"), TEXT]


def test_reasoning_under_both_names_counts_once() -> None:
    events = translated(chunk(reasoning="hm", reasoning_content="hm"), chunk("stop", content="Hello"))
    assert blocks_of(events) == [("reasoningContent", "hm"), TEXT]


def test_a_list_of_parts_is_read_as_text_and_thoughts() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    events = translated(chunk(content=[thought]), chunk("stop", content=[{"type": "text", "text": "Hello"}]))
    assert blocks_of(events) == [("reasoningContent", "hm"), TEXT]


def test_a_character_whose_halves_come_one_by_one_is_whole() -> None:
    events = translated(chunk(content="a\ud83c"), chunk(content="\udfb5b"), chunk("stop", content="c\ud83c"))
    assert [payload["delta"]["text"] for name, payload in events if name == "contentBlockDelta"] == [
        "a",
        "\U0001f3b5b",
        "c",
    ]


# -- thoughts in tags

THOUGHT = "<think>\nIs 1 < 2?</think>\n\nHello"


@pytest.mark.parametrize("size", range(1, len(THOUGHT) + 1))
def test_a_thought_in_tags_is_reasoning_wherever_the_pieces_are_cut(size: int) -> None:
    pieces = [THOUGHT[at : at + size] for at in range(0, len(THOUGHT), size)]
    events = translated(*(chunk(content=text) for text in pieces), chunk("stop"))
    assert blocks_of(events) == [("reasoningContent", "Is 1 < 2?"), TEXT]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("<think></think>Hello", [TEXT]),
        ("\n<think>\n\n</think>\n\nHello", [TEXT]),
        ("<THINK>a</Think>Hello", [("reasoningContent", "a"), TEXT]),
        ("<thinking>a</think>b</thinking>Hello", [("reasoningContent", "a</think>b"), TEXT]),
        (
            "<think>a</think>\n<think>b</think>Hello",
            [("reasoningContent", "a"), ("reasoningContent", "b"), TEXT],
        ),
        ("<think>never closed", [("reasoningContent", "never closed")]),
        ("<think>cut </thi", [("reasoningContent", "cut </thi")]),
        ("Hello\n\n<think>a</think>", [("text", "Hello\n\n"), ("reasoningContent", "a")]),
        ("The tag <think> opens", [("text", "The tag <think> opens")]),
        ("```\n\n<think>\n```", [("text", "```\n\n<think>\n```")]),
        ("1 <", [("text", "1 <")]),
        ("    code", [("text", "    code")]),
    ],
)
def test_tags_are_thoughts_where_a_text_or_a_paragraph_begins(text: str, blocks: list[Any]) -> None:
    assert blocks_of(translated(chunk("stop", content=text))) == blocks


# -- tool calls


def test_the_pieces_of_a_call_are_one_tool_use() -> None:
    first = piece(0, "top_song", "", id="call_1", type="function")
    events = translated(
        calls(first),
        calls(piece(0, None, '{"sign": ')),
        calls(piece(0, None, '"WZPZ"}')),
        chunk("tool_calls"),
    )
    assert blocks_of(events) == [("call_1", "top_song", WZPZ)]
    assert stop_reason(events) == "tool_use"


def test_a_call_is_announced_with_its_first_piece() -> None:
    events = translated(calls(piece(0, "top_song", "", id="call_1")))
    start = {"toolUse": {"toolUseId": "call_1", "name": "top_song"}}
    assert events[-1] == ("contentBlockStart", {"contentBlockIndex": 0, "start": start})


def test_text_and_calls_are_blocks_one_after_another() -> None:
    events = translated(
        chunk(content="Hello"),
        calls(piece(0, "a", "{}", id="1")),
        calls(piece(1, "b", "{}", id="2")),
        chunk("stop"),
    )
    assert blocks_of(events) == [TEXT, ("1", "a", "{}"), ("2", "b", "{}")]
    assert stop_reason(events) == "tool_use"  # though the server says `stop`


def test_interleaved_calls_are_told_apart_by_their_index() -> None:
    events = translated(
        calls(piece(0, "a", '{"x"', id="1"), piece(1, "b", '{"y"', id="2")),
        calls(piece(1, None, ": 2}"), piece(0, None, ": 1}")),
        chunk("tool_calls"),
    )
    assert blocks_of(events) == [("1", "a", '{"x": 1}'), ("2", "b", '{"y": 2}')]


TWO = [("made-1", "a", WZPZ), ("made-2", "b", WKRP)]


@pytest.mark.parametrize(
    ("pieces", "blocks"),
    [
        ([piece(0, "a", WZPZ), piece(1, "b", WKRP)], TWO),
        ([piece(None, "a", WZPZ), piece(None, "b", WKRP)], TWO),
        ([piece(0, "a", WZPZ), piece(0, "b", WKRP)], TWO),
        (
            [piece(0, "a", WZPZ, id="x"), piece(1, "b", WKRP, id="x")],
            [("x", "a", WZPZ), ("made-1", "b", WKRP)],
        ),
        ([piece(0, "a", WZPZ, id="x"), piece(0, "a", WKRP, id="y")], [("x", "a", WZPZ), ("y", "a", WKRP)]),
        (
            [piece(0, "a", WZPZ, id="x"), piece(0, "a", WKRP, id="x")],
            [("x", "a", WZPZ), ("made-1", "a", WKRP)],
        ),
        (
            [piece(None, "a", WZPZ, id="x"), piece(None, "a", WKRP, id="y")],
            [("x", "a", WZPZ), ("y", "a", WKRP)],
        ),
        ([piece(0, "a", WZPZ, id=""), piece(1, "b", WKRP, id="no id")], TWO),
        ([piece(0, "a", json.loads(WZPZ))], TWO[:1]),
    ],
    ids=[
        "no ids",
        "no index",
        "index 0",
        "one id",
        "index 0, ids",
        "all equal",
        "ids alone",
        "bad ids",
        "object",
    ],
)
def test_whole_calls_at_once_are_told_apart(pieces: list[Any], blocks: list[Any]) -> None:
    together, alone = (
        translated(calls(*pieces), chunk("stop")),
        translated(*map(calls, pieces), chunk("stop")),
    )
    assert blocks_of(together) == blocks_of(alone) == blocks


@pytest.mark.parametrize(
    "more",
    [{"name": "a"}, {"name": "a", "id": "x"}, {"id": "other"}, {"index": None}, {"index": None, "id": "x"}],
    ids=["its name", "its name and id", "another id", "no index", "its id alone"],
)
def test_what_pieces_repeat_makes_no_other_call(more: dict[str, Any]) -> None:
    rest = {"index": 0, "arguments": '"WZPZ"}'} | more
    events = translated(calls(piece(0, "a", '{"sign": ', id="x")), calls(piece(**rest)), chunk("stop"))
    assert blocks_of(events) == [("x", "a", WZPZ)]


def test_a_call_without_arguments_has_none() -> None:
    events = translated(calls(piece(0, "a", id="1"), piece(1, "b", "", id="2")), chunk("tool_calls"))
    assert blocks_of(events) == [("1", "a", ""), ("2", "b", "")]


def test_the_name_may_come_after_the_id() -> None:
    events = translated(calls(piece(0, id="1")), calls(piece(0, "a", WZPZ)), chunk("tool_calls"))
    assert blocks_of(events) == [("1", "a", WZPZ)]


def test_a_call_without_a_name_is_none() -> None:
    events = translated(calls(piece(0, None, WZPZ, id="1")), chunk("tool_calls"))
    assert (blocks_of(events), stop_reason(events)) == ([], "end_turn")


def test_the_deprecated_function_call_is_a_call() -> None:
    events = translated(chunk(function_call={"name": "a", "arguments": WZPZ}), chunk("function_call"))
    assert (blocks_of(events), stop_reason(events)) == ([("made-1", "a", WZPZ)], "tool_use")


def test_blank_lines_between_calls_are_no_text() -> None:
    events = translated(
        chunk(content="\n\n"), calls(piece(0, "a", WZPZ, id="1")), chunk(content="\n"), chunk("stop")
    )
    assert blocks_of(events) == [("1", "a", WZPZ)]


@given(st.lists(st.sampled_from([0, 1, 2]), max_size=60), st.randoms(use_true_random=False))
def test_calls_add_up_however_they_are_interleaved(order: list[int], random: Any) -> None:
    arguments = {n: json.dumps({"n": n, "text": "Señora \u201c}{\u201d " * 3}) for n in range(3)}
    rest, pieces = dict(arguments), []
    for n in order:
        size = random.randint(0, 9)
        pieces.append(calls(piece(n, None, rest[n][:size])))
        rest[n] = rest[n][size:]
    begun = calls(*(piece(n, f"tool_{n}", "", id=f"id-{n}") for n in range(3)))
    events = translated(begun, *pieces, *(calls(piece(n, None, rest[n])) for n in range(3)), chunk("stop"))
    assert blocks_of(events) == [(f"id-{n}", f"tool_{n}", arguments[n]) for n in range(3)]


# -- how it ends


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "content_filtered"),
        ("tool_calls", "end_turn"),
        ("something new", "something new"),
    ],
)
def test_a_reason_to_finish_is_a_stop_reason(reason: str, stop: str) -> None:
    assert stop_reason(translated(chunk(content="Hello"), chunk(reason))) == stop


def test_a_call_that_was_cut_at_the_limit_is_not_a_use() -> None:
    events = translated(calls(piece(0, "a", '{"sign": "W', id="1")), chunk("length"))
    assert (blocks_of(events), stop_reason(events)) == ([("1", "a", '{"sign": "W')], "max_tokens")


def test_a_refusal_is_text_that_was_filtered() -> None:
    events = translated(chunk(refusal="I cannot."), chunk("stop"))
    assert (blocks_of(events), stop_reason(events)) == ([("text", "I cannot.")], "content_filtered")


def test_done_ends_an_answer_that_gave_no_reason() -> None:
    assert stop_reason(translated(chunk(content="Hello"), DONE)) == "end_turn"


def test_without_a_reason_and_done_an_answer_is_not_complete() -> None:
    translation = Translation(lambda: "id")
    assert [name for name, _ in translation.feed(chunk(content="Hello"))] == [
        "messageStart",
        "contentBlockDelta",
    ]
    assert not translation.is_complete


def test_what_comes_behind_the_end_is_no_part_of_it() -> None:
    events = translated(
        chunk("stop", content="Hello"), chunk(content="!"), chunk("stop"), usage_chunk(1, 2), DONE
    )
    assert [name for name, _ in events].count("messageStop") == 1
    assert blocks_of(events) == [TEXT]


def test_an_answer_in_one_piece_is_read_too() -> None:
    message = {"role": "assistant", "content": "Hello", "tool_calls": [piece(None, "a", WZPZ, id="1")]}
    events = translated({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
    assert (blocks_of(events), stop_reason(events)) == ([TEXT, ("1", "a", WZPZ)], "tool_use")


def test_other_choices_and_strange_chunks_are_passed_over() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "no"}}]}
    strange: list[Any] = [
        {},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"delta": None}]},
        {"error": None},
    ]
    events = translated(other, *strange, chunk("stop", content="Hello", tool_calls=None))
    assert blocks_of(events) == [TEXT]


# -- usage and errors


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (usage_chunk(9, 4), {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}),
        (
            usage_chunk(9, 4, prompt_tokens_details={"cached_tokens": 7}),
            {"inputTokens": 2, "outputTokens": 4, "totalTokens": 13, "cacheReadInputTokens": 7},
        ),
        (
            usage_chunk(9, 4, prompt_tokens_details=None),
            {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13},
        ),
        ({"usage": None}, {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}),
    ],
)
def test_usage_is_counted_as_converse_does(usage: dict[str, Any], counts: dict[str, int]) -> None:
    translation = Translation(lambda: "id")
    list(translation.feed(usage))
    assert translation.metadata(12) == ("metadata", {"usage": counts, "metrics": {"latencyMs": 12}})


@pytest.mark.parametrize(
    ("failing", "name", "message"),
    [
        ({"error": {"message": "out of memory", "code": 500}}, "modelStreamErrorException", "out of memory"),
        ({"error": "out of memory"}, "modelStreamErrorException", "out of memory"),
        ({"object": "error", "message": "boom", "code": 400}, "modelStreamErrorException", "boom"),
        ({"error": {"message": "slow down", "code": 429}}, "throttlingException", "slow down"),
        ({"error": {"message": "slow", "type": "rate_limit_error"}}, "throttlingException", "slow"),
        (
            {"error": {"message": "no room", "type": "exceed_context_size_error"}},
            "validationException",
            "Input is too long for requested model. no room",
        ),
        (chunk("error"), "modelStreamErrorException", "The upstream failed while it was answering."),
    ],
)
def test_an_error_in_the_stream_is_an_exception(failing: dict[str, Any], name: str, message: str) -> None:
    with pytest.raises(StreamFailure) as caught:
        translated(chunk(content="Hel"), failing)
    assert (caught.value.name, caught.value.message) == (name, message)
