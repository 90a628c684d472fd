"""How the demo gateway cuts a reply into events, frames and chunks."""

import json
import math
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversations.demo_gateway.reply import Reply, call, limited, say, text
from conversations.demo_gateway.streams import events, fragments, pieces, splinters
from conversations.gateway.frames import Decoder, Frame, FrameError

SEEDS = st.integers(0, 200)
TEXTS = st.lists(st.sampled_from(["a", "Señora", " ", "\n\n", "“long-winded”", "e\u0301", "\U0001f3b5"])).map(
    "".join
)


def frames(reply: Reply, seed: int = 1) -> list[Frame]:
    decoder = Decoder()
    return [frame for _, piece in pieces(reply, {"usage": {}}, Random(seed)) for frame in decoder.feed(piece)]


def payloads(reply: Reply, name: str = "contentBlockDelta") -> list[Any]:
    return [json.loads(frame.payload) for frame in frames(reply) if frame.name == name]


@given(TEXTS, SEEDS)
@example("", 0)
@example(" \n", 0)
def test_the_fragments_of_a_text_add_up_to_it(words: str, seed: int) -> None:
    cut = fragments(words, Random(seed))
    assert "".join(cut) == words
    assert all(cut) or cut == [""]


@given(st.dictionaries(TEXTS, TEXTS | st.integers()), SEEDS)
def test_the_splinters_of_an_input_add_up_to_its_json(value: dict[str, Any], seed: int) -> None:
    assert json.loads("".join(splinters(value, Random(seed))) or "{}") == value


def test_an_input_is_cut_inside_an_escape() -> None:
    cut = splinters({"name": "Señora"}, Random(3))
    assert any("\\u00f1" not in part and "\\" in part for part in cut)


def test_an_empty_input_comes_in_each_of_the_three_ways_that_models_have() -> None:
    ways = {tuple(splinters({}, Random(seed))) for seed in range(30)}
    assert ways == {(), ("",), ("{}",)}


def test_some_inputs_begin_with_an_empty_piece() -> None:
    assert {splinters({"a": 1}, Random(seed))[0] == "" for seed in range(30)} == {True, False}


def test_a_frame_is_like_a_recorded_one() -> None:
    first = frames(say("Hello"))[0]
    assert list(first.headers) == [":event-type", ":content-type", ":message-type"]
    padding = json.loads(first.payload)["p"]
    assert first.payload == b'{"p":"%b","role":"assistant"}' % padding.encode()
    assert "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".startswith(padding)


def test_padding_hides_the_length() -> None:
    assert len({len(payload["p"]) for payload in payloads(say("word " * 300))}) > 20


def test_text_and_reasoning_have_no_start() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "hm hm", "signature": "c2ln"}}}
    reply = Reply((thought, text("so"), call("top_song", {"sign": "WZPZ"})))
    starts = payloads(reply, "contentBlockStart")
    assert [start["contentBlockIndex"] for start in starts] == [2]
    reasoning = [
        payload["delta"]["reasoningContent"]
        for payload in payloads(reply)
        if payload["contentBlockIndex"] == 0
    ]
    assert reasoning[-1] == {"signature": "c2ln"}
    assert "".join(part["text"] for part in reasoning[:-1]) == "hm hm"


def test_metadata_follows_message_stop() -> None:
    names = [frame.name for frame in frames(say("Hello there"))]
    assert names[0] == "messageStart"
    assert names[-3:] == ["contentBlockStop", "messageStop", "metadata"]


def test_frames_are_sometimes_split_and_sometimes_merged() -> None:
    reply = say("word " * 200)
    whole = list(events(reply, {}, Random(1)))
    decoders = [Decoder() for _ in pieces(reply, {}, Random(1))]
    alone = [
        _alone(decoder, piece)
        for decoder, (_, piece) in zip(decoders, pieces(reply, {}, Random(1)), strict=True)
    ]
    assert {0, 1, 2} == set(alone)
    assert alone.count(1) > len(whole) / 2


def _alone(decoder: Decoder, data: bytes) -> int:
    """How many whole frames a chunk holds by itself."""
    try:
        return len(list(decoder.feed(data)))
    except FrameError:
        return 0


def test_text_flows_at_thirty_to_sixty_words_a_second() -> None:
    words = 400
    seconds = sum(event.wait for event in events(say("word " * words), {}, Random(2)))
    assert 30 < words / seconds < 60


@pytest.mark.parametrize("kind", ["cut", "dropped", "half", "checksum", "silent", "exception"])
def test_a_failing_stream_tells_some_of_its_text_and_no_end(kind: Any) -> None:
    sent = list(
        pieces(Reply((text("word " * 50),), ending=kind, error=("someException", "x")), {}, Random(1))
    )
    decoder, names = Decoder(), []
    for _, piece in sent[:-1]:
        names += [frame.name for frame in decoder.feed(piece)]
    assert 5 < names.count("contentBlockDelta") < 40
    assert "messageStop" not in names
    assert "contentBlockStop" not in names


def test_half_a_frame_is_left_over() -> None:
    decoder = Decoder()
    for _, piece in pieces(Reply((text("word"),), ending="half"), {}, Random(1)):
        list(decoder.feed(piece))
    assert decoder.has_rest


def test_a_wrong_checksum_is_one() -> None:
    with pytest.raises(FrameError, match="checksum"):
        frames(Reply((text("word"),), ending="checksum"))


def test_silence_is_an_endless_wait() -> None:
    *_, last = pieces(Reply((text("word"),), ending="silent"), {}, Random(1))
    assert last == (math.inf, b"")


def test_an_exception_comes_alone_when_it_is_early() -> None:
    reply = Reply((), ending="exception", error=("throttlingException", "slow down"))
    (frame,) = frames(reply)
    assert (frame.kind, frame.name) == ("exception", "throttlingException")
    assert json.loads(frame.payload) == {"message": "slow down"}


def test_max_tokens_cuts_a_text() -> None:
    reply = limited(say("word " * 100), 10)
    assert reply.stop == "max_tokens"
    assert reply.blocks == (text(("word " * 100)[:40]),)


def test_max_tokens_cuts_a_tool_input_in_the_middle_of_its_json() -> None:
    reply = limited(Reply((call("top_song", {"sign": "W" * 100}),), stop="tool_use"), 5)
    assert reply.stop == "max_tokens"
    assert reply.blocks[0]["toolUse"]["input"] == '{"sign": "WWWWWWWWWW'


def test_enough_tokens_change_nothing() -> None:
    reply = say("a few words")
    assert limited(reply, 4096) is reply
    assert limited(reply, None) is reply
