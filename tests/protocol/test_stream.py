"""Streams reassemble to their messages, however their fragments are cut and their blocks mixed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.demo_gateway.refusals import refusal
from conversations.protocol.converse import history, request
from conversations.protocol.converse.stream import Assembly
from tests.protocol.own_streams import OWN, PIXEL, delta, end, reasoning, start, stop, text, tool_start, use
from tests.protocol.rearranged import recut, wild, woven
from tests.protocol.recorded import RECORDED, Stream, params
from tests.protocol.texts import assembled, content_texts, delta_texts, played

EVERY = [*params(OWN), *params(RECORDED)]
streams = st.sampled_from([*OWN, *RECORDED])


@pytest.mark.parametrize("stream", EVERY)
def test_a_stream_reassembles_to_its_message(stream: Stream) -> None:
    assembly = assembled(stream.events)
    assert assembly.content() == stream.content
    assert assembly.stop_reason == stream.stop_reason
    assert assembly.is_complete == (stream.stop_reason is not None)
    assert {name: assembly.usage.get(name) for name in stream.usage} == stream.usage


@pytest.mark.parametrize("stream", EVERY)
def test_what_was_shown_adds_up_to_what_was_stored(stream: Stream) -> None:
    assembly, deltas = played(stream.events)
    assert sorted(delta_texts(deltas)) == sorted(content_texts(assembly))


@pytest.mark.parametrize("stream", EVERY)
def test_each_block_is_shown_from_its_start_to_its_end_without_empty_parts(stream: Stream) -> None:
    _, deltas = played(stream.events)
    for block in {part.block for part in deltas}:
        phases = [part.phase for part in deltas if part.block == block and part.phase != "whole"]
        assert phases in ([], ["start", *["part"] * (len(phases) - 2), "stop"])
    assert all(part.text for part in deltas if part.phase == "part")


@given(streams.flatmap(lambda stream: st.tuples(st.just(stream), recut(stream.events))))
def test_fragments_may_be_cut_anywhere_even_within_a_character(case: tuple[Stream, list[Any]]) -> None:
    stream, events = case
    assembly, deltas = played(events)
    assert assembly.content() == stream.content
    assert sorted(delta_texts(deltas)) == sorted(content_texts(assembly))


@given(streams.flatmap(lambda stream: st.tuples(st.just(stream), woven(stream.events))))
def test_blocks_may_be_woven_into_one_another(case: tuple[Stream, list[Any]]) -> None:
    stream, events = case
    assembly, deltas = played(events)
    assert assembly.content() == stream.content
    assert sorted(delta_texts(deltas)) == sorted(content_texts(assembly))


@pytest.mark.large
@given(wild)
def test_no_event_of_any_shape_does_harm(events: list[Any]) -> None:
    assembly, deltas = played(events)
    assert sorted(delta_texts(deltas)) == sorted(content_texts(assembly))
    json.dumps(
        [assembly.content(), assembly.usage, assembly.metadata], ensure_ascii=False, allow_nan=False
    ).encode()
    results: dict[str, Any] = {}
    past = history.PastRound(
        assembly.content(), "m", assembly.is_complete, assembly.stop_reason or "", results
    )
    messages = history.messages([history.PastTurn([{"text": "Hi"}], [past])], "m")
    assert refusal(request.body(messages, request.base("", {}, 4096, [], messages))) is None


def test_an_event_newer_than_this_code_is_passed_over_and_counted() -> None:
    stream = next(stream for stream in OWN if stream.name == "newer-than-this-code")
    passed_over = {
        "contentBlockMood": 1,
        "delta hologram": 1,
        "contentBlockStart": 1,
        "delta reasoningContent": 1,
    }
    assert assembled(stream.events).passed_over == passed_over


@pytest.mark.parametrize("member", ["text", "toolUse", "reasoningContent", "citation", "toolResult", "image"])
@pytest.mark.parametrize("value", [7, None])
def test_a_delta_of_the_wrong_type_is_passed_over_and_counted(member: str, value: Any) -> None:
    assembly = assembled([delta(0, **{member: value}), *end()])
    assert (assembly.content(), assembly.passed_over) == ([], {f"delta {member}": 1})


@pytest.mark.parametrize("name", ["contentBlockStart", "contentBlockDelta"])
@pytest.mark.parametrize("index", [None, "0", 0.5, []])
def test_what_belongs_to_no_block_is_passed_over_and_counted(name: str, index: Any) -> None:
    payload = {"contentBlockIndex": index, "start": {"toolUse": {}}, "delta": {"text": "Hi"}}
    assembly = assembled([(name, payload), ("contentBlockStop", payload), *end()])
    assert (assembly.content(), assembly.passed_over) == ([], {name: 1})


def test_what_follows_the_end_of_the_message_is_passed_over() -> None:
    assembly = assembled([text(0, "Hi"), *end(), text(0, " there"), *end("max_tokens")])
    assert assembly.content() == [{"text": "Hi"}]
    assert assembly.stop_reason == "end_turn"
    assert assembly.passed_over == {"contentBlockDelta": 1, "messageStop": 1}


@pytest.mark.parametrize("payload", [{}, {"stopReason": ""}, {"stopReason": 7}, None, []])
def test_an_end_without_a_reason_is_an_end_all_the_same(payload: Any) -> None:
    assembly = assembled([("messageStop", payload)])
    assert assembly.is_complete
    assert assembly.stop_reason == "unknown"


def test_a_stop_reason_is_kept_to_the_length_of_its_column() -> None:
    assert assembled(end("x" * 100)).stop_reason == "x" * 64


def test_the_first_half_of_a_character_is_shown_with_its_second() -> None:
    assembly = Assembly()
    assert [part.text for part in assembly.feed(*text(0, "a\ud83d")) if part.phase == "part"] == ["a"]
    assert [part.text for part in assembly.feed(*text(0, "\ude00"))] == ["😀"]


def test_a_second_half_alone_is_shown_at_once() -> None:
    [_, part] = Assembly().feed(*text(0, "\udc00"))
    assert part.text == "\ufffd"


def test_half_a_character_that_never_gets_its_other_half_is_shown_as_replaced() -> None:
    assembly, deltas = played([text(0, "\ud83d"), stop(0), *end()])
    assert delta_texts(deltas) == content_texts(assembly) == [("text", "\ufffd")]


def test_a_block_index_used_twice_is_two_blocks() -> None:
    events = [text(0, "one"), stop(0), tool_start(0), tool_start(0, "t2"), stop(0), text(0, "two"), *end()]
    assembly, deltas = played(events)
    assert assembly.content() == [{"text": "one"}, use("t1"), use("t2"), {"text": "two"}]
    assert [part.block for part in deltas if part.phase == "stop"] == [0, 1, 2, 3]


def test_deltas_of_several_kinds_in_one_index_are_a_block_each() -> None:
    both = delta(0, text="Hi", reasoningContent={"text": "hm"})
    assembly, deltas = played([both, reasoning(0, redactedContent="AAEC"), text(0, "!"), stop(0), *end()])
    assert [next(iter(block)) for block in assembly.content()] == [
        "text",
        "reasoningContent",
        "reasoningContent",
        "text",
    ]
    assert [delta.kind for delta in deltas if delta.phase == "stop"] == [
        "text",
        "reasoning",
        "redacted",
        "text",
    ]


def test_reasoning_and_signature_in_one_delta_are_both_kept() -> None:
    events = [reasoning(0, text="hm", signature="c2ln"), *end()]
    reasoning_text = {"text": "hm", "signature": "c2ln"}
    assert assembled(events).content() == [{"reasoningContent": {"reasoningText": reasoning_text}}]


def test_a_signature_without_text_is_kept_and_not_shown() -> None:
    assembly, deltas = played([reasoning(0, signature="c2ln"), stop(0), *end()])
    assert assembly.content() == [{"reasoningContent": {"reasoningText": {"text": "", "signature": "c2ln"}}}]
    assert deltas == []


@pytest.mark.parametrize(("text", "signature"), [("a😀", "c2ln"), ("a\ud83d", None), ("a\0", None)])
def test_a_signature_does_not_outlive_text_that_had_to_be_changed(text: str, signature: str | None) -> None:
    [block] = assembled([reasoning(0, text=text), reasoning(0, signature="c2ln"), *end()]).content()
    assert block["reasoningContent"]["reasoningText"].get("signature") == signature


def test_bytes_that_are_no_base64_are_none() -> None:
    events = [
        reasoning(0, redactedContent="?"),
        stop(0),
        start(1, image={}),
        delta(1, image={"source": {"bytes": 7}}),
        *end(),
    ]
    assert assembled(events).content() == [{"reasoningContent": {"redactedContent": ""}}, {"image": {}}]


def test_signature_and_redacted_bytes_that_come_in_parts_are_joined() -> None:
    signature = [reasoning(0, signature="c2"), reasoning(0, signature="ln"), stop(0)]
    redacted = [reasoning(1, redactedContent="AAEC"), reasoning(1, redactedContent="Aw=="), stop(1)]
    assert assembled([*signature, *redacted, *end()]).content() == [
        {"reasoningContent": {"reasoningText": {"text": "", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "AAECAw=="}},
    ]


def test_bytes_that_come_in_parts_are_joined() -> None:
    parts = [delta(0, image={"source": {"bytes": PIXEL}})] * 2
    [block] = assembled([start(0, image={"format": "png"}), *parts, *end()]).content()
    assert block["image"]["source"]["bytes"] == "iVBORw0KGgqJUE5HDQoaCg=="


def test_server_side_blocks_are_shown_whole_when_they_end() -> None:
    stream = next(stream for stream in OWN if stream.name == "server-tool")
    _, deltas = played(stream.events)
    whole = [(delta.kind, delta.detail) for delta in deltas if delta.phase == "whole"]
    assert whole == [("server_tool", stream.content[0]), ("server_result", stream.content[1])]


def test_a_citation_is_shown_as_it_comes() -> None:
    _, deltas = played([delta(0, citation={"title": "WKRP"}), stop(0), *end()])
    assert [(delta.kind, delta.detail) for delta in deltas] == [("citation", {"title": "WKRP"})]


@pytest.mark.parametrize(
    ("metrics", "latency"),
    [
        ({"latencyMs": 12}, 12),
        ({"latencyMs": 12.7}, 12),
        ({"latencyMs": -1}, None),
        ({"latencyMs": "12"}, None),
        (7, None),
    ],
)
def test_a_latency_is_a_number_of_milliseconds_or_none(metrics: Any, latency: int | None) -> None:
    assert assembled([("metadata", {"metrics": metrics})]).latency_ms == latency


def test_what_metadata_and_end_tell_beside_usage_is_kept() -> None:
    message_stop = (
        "messageStop",
        {"stopReason": "stop_sequence", "additionalModelResponseFields": {"/stop_sequence": "END"}},
    )
    metadata = ("metadata", {"usage": {"inputTokens": 1}, "trace": {"guardrail": {}}, "p": "abc"})
    assembly = assembled([message_stop, metadata])
    assert assembly.usage == {"inputTokens": 1}
    assert assembly.metadata == {
        "additionalModelResponseFields": {"/stop_sequence": "END"},
        "trace": {"guardrail": {}},
    }


def test_closing_ends_what_is_open_once() -> None:
    assembly = Assembly()
    assembly.feed(*text(0, "Hi"))
    assert [delta.phase for delta in assembly.close()] == ["stop"]
    assert assembly.close() == []
