"""Our events are AG-UI: each has its own type, a turn has them in order, and none is too large."""

import base64
import hashlib
import json
from typing import Any

import pytest
from ag_ui.core import Event as AguiEvent
from ag_ui_validate.pytest_plugin import validate_agui
from pydantic import TypeAdapter

from conversations.protocol.agui import events
from conversations.protocol.converse.blocks import Delta
from conversations.protocol.converse.stream import Assembly
from tests.protocol.own_streams import OWN, PIXEL, delta, end, reasoning, start, stop, text, tool_start
from tests.protocol.recorded import RECORDED, SETS, Stream, params
from tests.protocol.texts import content_texts, played
from tests.protocol.turns import display_events, turn_of

AGUI: TypeAdapter[Any] = TypeAdapter(AguiEvent)
EVERY = [*params(OWN), *params(RECORDED)]
MANY_ROUNDS = params([rounds for rounds in SETS.values() if len(rounds) > 1])
BROKEN_ARGUMENTS = "AGUI204"  # tool input is shown as the model sent it


@pytest.mark.parametrize("stream", EVERY)
def test_every_event_is_one_of_agui(stream: Stream) -> None:
    for event in turn_of(stream):
        AGUI.validate_python(event)


@pytest.mark.parametrize("stream", EVERY)
def test_a_turn_of_one_round_is_a_valid_agui_run(stream: Stream) -> None:
    assert findings(turn_of(stream)) <= allowed(stream)


@pytest.mark.parametrize("rounds", MANY_ROUNDS)
def test_a_turn_of_many_rounds_is_a_valid_agui_run(rounds: list[Stream]) -> None:
    assert findings(turn_of(*rounds)) == set()


def test_all_own_streams_make_one_valid_turn() -> None:
    whole = [stream for stream in OWN if stream.stop_reason]
    assert findings(turn_of(*whole)) == {BROKEN_ARGUMENTS}


def findings(turn_events: list[events.Event]) -> set[str]:
    """The rules that the events break, news of no weight left out."""
    diagnostics = validate_agui([event | {"timestamp": 1} for event in turn_events]).diagnostics
    return {finding.rule for finding in diagnostics if finding.severity != "info"}


def allowed(stream: Stream) -> set[str]:
    return {BROKEN_ARGUMENTS} if stream.name == "tool-with-broken-arguments" else set()


@pytest.mark.parametrize("stream", EVERY)
def test_the_deltas_of_all_events_add_up_to_what_was_stored(stream: Stream) -> None:
    assembly, deltas = played(stream.events)
    text_events = [event for block_delta in deltas for event in events.block_events("turn:1", block_delta)]
    texts: dict[str, str] = {}
    for event in text_events:
        if event["type"] in events.DELTA_KEYS:
            key = event[events.DELTA_KEYS[event["type"]]]
            texts[key] = texts.get(key, "") + event["delta"]
    assert sorted(texts.values()) == sorted(block_text for _, block_text in content_texts(assembly))


# -- each kind of block


def types(*stream_events: Any) -> list[str]:
    return [event["type"] for event in display_events(Assembly(), [*stream_events, *end()], "turn:1")]


def test_text_is_a_message_of_the_assistant_with_the_id_of_its_block() -> None:
    messages = display_events(Assembly(), [text(0, ""), text(1, "Hi"), stop(1), *end()], "turn:1")
    assert messages == [
        {"type": "TEXT_MESSAGE_START", "messageId": "turn:1:1", "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "turn:1:1", "delta": "Hi"},
        {"type": "TEXT_MESSAGE_END", "messageId": "turn:1:1"},
    ]


def test_reasoning_is_a_span_around_a_message() -> None:
    assert types(reasoning(0, text="hm"), stop(0)) == [
        "REASONING_START",
        "REASONING_MESSAGE_START",
        "REASONING_MESSAGE_CONTENT",
        "REASONING_MESSAGE_END",
        "REASONING_END",
    ]


def test_redacted_reasoning_is_a_span_without_text() -> None:
    assert types(reasoning(0, redactedContent="AAEC"), stop(0)) == ["REASONING_START", "REASONING_END"]


def test_a_tool_call_without_arguments_is_shown_without_arguments() -> None:
    assert types(tool_start(0), stop(0)) == ["TOOL_CALL_START", "TOOL_CALL_END"]


def test_a_server_side_call_and_its_result_are_news_of_ours() -> None:
    stream = next(stream for stream in OWN if stream.name == "server-tool")
    news = [
        event for event in display_events(Assembly(), stream.events, "turn:1") if event["type"] == "CUSTOM"
    ]
    assert [event["name"] for event in news] == ["turntable.server_tool"] * 2
    assert [event["value"]["server_tool"] for event in news] == stream.content[:2]


def test_a_citation_is_news_of_ours_about_its_message() -> None:
    [event] = display_events(Assembly(), [delta(0, citation={"title": "WKRP"}), stop(0), *end()], "turn:1")
    assert event["name"] == "turntable.citation"
    assert event["value"] == {"messageId": "turn:1:0", "citation": {"title": "WKRP"}}


def test_an_image_is_told_of_without_its_bytes() -> None:
    image_events = [start(0, image={"format": "png"}), delta(0, image={"source": {"bytes": PIXEL}}), stop(0)]
    [event] = display_events(Assembly(), [*image_events, *end()], "turn:1")
    sha256 = hashlib.sha256(base64.b64decode(PIXEL)).hexdigest()
    assert event["value"] == {"messageId": "turn:1:0", "format": "png", "size": 8, "sha256": sha256}


def test_an_image_without_bytes_has_no_name_to_fetch_it_by() -> None:
    [event] = display_events(Assembly(), [start(0, image={"format": "png"}), stop(0), *end()], "turn:1")
    assert event["value"] == {"messageId": "turn:1:0", "format": "png", "size": 0}


def test_a_step_that_nothing_is_shown_of_makes_no_event() -> None:
    assert events.block_events("turn:1", Delta("part", "redacted", 0, "x")) == []


# -- the other events of a turn


def test_a_result_within_its_limit_is_told_whole() -> None:
    event = events.tool_call_result("t1", "8 Storey Hike", status="error", duration_ms=7)
    assert (event["messageId"], event["content"]) == ("result:t1", "8 Storey Hike")
    assert event["metadata"] == {"status": "error", "durationMs": 7}


def test_a_results_text_is_its_text_and_its_json() -> None:
    assert (
        events.result_text([{"text": "é"}, {"json": {"song": "é"}}, {"newer": 1}])
        == 'é\n{"song": "é"}\n{"newer": 1}'
    )


def test_usage_counts_what_a_cache_was_read_and_written_for_as_input() -> None:
    usage = {
        "inputTokens": 3,
        "outputTokens": 5,
        "totalTokens": 138,
        "cacheReadInputTokens": 100,
        "cacheWriteInputTokens": 30,
    }
    assert events.token_usage("m", usage) == {
        "provider": "bedrock",
        "model": "m",
        "inputTokens": 133,
        "outputTokens": 5,
        "totalTokens": 138,
        "cachedInputTokens": 100,
        "cacheWriteInputTokens": 30,
    }


def test_usage_without_a_cache_is_told_as_it_came() -> None:
    usage = events.token_usage("m", {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8})
    assert usage == {
        "provider": "bedrock",
        "model": "m",
        "inputTokens": 3,
        "outputTokens": 5,
        "totalTokens": 8,
    }


def test_a_stopped_turn_is_a_valid_agui_run() -> None:
    beginning = turn_of(OWN[0])[:-1]
    assert findings([*beginning, events.run_finished("c0", "f3a1", "cancelled", [])]) == set()


def test_news_of_ours_is_named_as_ours() -> None:
    event = events.custom("retrying", {"attempt": 2})
    assert event == {"type": "CUSTOM", "name": "turntable.retrying", "value": {"attempt": 2}}


def test_a_small_picture_is_told_as_it_is_and_a_large_one_without_its_bytes() -> None:
    small, large = ({"image": {"format": "png", "source": {"bytes": "A" * size}}} for size in (8, 400_000))
    lines = events.result_text([{"text": "Look:"}, small, large])
    assert [line if line == "Look:" else json.loads(line) for line in lines.split("\n")] == [
        "Look:",
        small,
        {"image": {"format": "png", "size": 300_000}},
    ]
