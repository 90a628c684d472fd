"""A reply as the bytes of a ConverseStream body, cut up as models and Bedrock do it."""

import json
import math
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from conversations import upstream
from conversations.demo_gateway.reply import Block, Reply
from conversations.gateway.frames import encode
from conversations.protocol.converse.stream import StreamEvent

FIRST_TOKEN = 0.3
WORDS_A_SECOND = 45
CHARACTERS_A_SECOND = 220
PADDING = string.ascii_letters + string.digits
STARTS = {
    "toolUse": ("name", "toolUseId", "type"),
    "toolResult": ("status", "toolUseId", "type"),
    "image": ("format",),
}
"""The blocks that begin with a contentBlockStart, and what it holds of them."""


class Event(NamedTuple):
    """One frame to be, and how many seconds to wait before it."""

    wait: float
    name: str
    payload: Mapping[str, Any]
    kind: str = "event"


def events(reply: Reply, metadata: Mapping[str, Any], random: Random) -> Iterator[Event]:
    """The events of a reply that ends well: messageStart, each block, messageStop, metadata."""
    yield Event(FIRST_TOKEN, "messageStart", {"role": "assistant"})
    seconds = FIRST_TOKEN
    for index, block in enumerate(reply.blocks):
        for event in _block_events(block, reply.pause, random):
            seconds += event.wait
            yield event._replace(payload={"contentBlockIndex": index, **event.payload})
    if reply.strange:
        yield Event(0, "contentBlockPondered", {"contentBlockIndex": 0, "pondered": True})
    yield Event(0, "messageStop", {"stopReason": reply.stop})
    if reply.metadata:
        yield Event(0, "metadata", {"metrics": {"latencyMs": round(seconds * 1000)}, **metadata})


def _block_events(block: Block, pause: float, random: Random) -> Iterator[Event]:
    kind, value = next(iter(block.items()))
    if kind in STARTS:
        start = {key: value[key] for key in STARTS[kind] if key in value}
        yield Event(0, "contentBlockStart", {"start": {kind: start}})
    for wait, delta in _deltas(kind, value, random):
        ends_sentence = str(delta.get("text", "")).rstrip().endswith((".", ":", "!"))
        yield Event(wait + (pause if ends_sentence else 0), "contentBlockDelta", {"delta": delta})
    yield Event(0, "contentBlockStop", {})


def _deltas(kind: str, value: Any, random: Random) -> Iterator[tuple[float, dict[str, Any]]]:
    """The deltas of a block, each with the seconds that a model takes for it."""
    match kind, value:
        case "text", _:
            yield from ((_seconds(words), {"text": words}) for words in fragments(value, random))
        case "reasoningContent", {"reasoningText": thought}:
            parts = fragments(thought["text"], random)
            yield from ((_seconds(words), {"reasoningContent": {"text": words}}) for words in parts)
            if "signature" in thought:
                yield 0, {"reasoningContent": {"signature": thought["signature"]}}
        case "toolUse", {"input": arguments}:
            for part in splinters(arguments, random):
                yield len(part) / CHARACTERS_A_SECOND, {"toolUse": {"input": part}}
        case "citationsContent", {"citations": citations}:
            # Claude sends the citation before the text of its block, Nova sends blocks of citations alone.
            yield from ((0, {"citation": citation}) for citation in citations)
            for part in value.get("content", ()):
                yield from _deltas("text", part["text"], random)
        case _:  # what comes in one: a result, a picture, reasoning that nobody may read
            rest = {key: value[key] for key in value.keys() - set(STARTS.get(kind, ()))}
            yield FIRST_TOKEN, {kind: rest.get("content", rest)}


def _seconds(words: str) -> float:
    return max(1, len(words.split())) / WORDS_A_SECOND


def fragments(text: str, random: Random) -> list[str]:
    """The text in deltas of one to five words, some broken inside a word; one empty delta for none."""
    parts = re.findall(r"\s*\S+|\s+$", text)
    cut: list[str] = []
    while parts:
        count = random.choice((1, 1, 2, 2, 3, 4, 5))
        words = "".join(parts[:count])
        parts = parts[count:]
        inside = random.randrange(1, len(words)) if len(words) > 8 and random.random() < 0.15 else len(words)
        cut += [words[:inside], words[inside:]] if inside < len(words) else [words]
    return cut or [text]


def splinters(value: Any, random: Random) -> list[str]:
    """A tool's input as JSON in pieces of a few characters.

    They are cut inside `\\u` escapes too; often the first is empty.
    """
    text = value if isinstance(value, str) else json.dumps(value)
    if text == "{}":
        return random.choice(([], [""], ["{}"]))
    cuts = {match.start() + random.randint(1, 5) for match in re.finditer(r"\\u[0-9a-f]{4}", text)}
    place = 0
    while (place := place + random.randint(2, 11)) < len(text):
        cuts.add(place)
    edges = [0, *sorted(cuts), len(text)]
    return [""] * random.randint(0, 1) + [text[a:b] for a, b in pairwise(edges)]


def frame(event: Event, random: Random) -> bytes:
    """An event's frame, padded to hide its length, as in recorded streams."""
    padding = {"p": PADDING[: random.randint(2, len(PADDING))]} if event.kind == "event" else {}
    return encode(event.name, {**event.payload, **padding}, event.kind)


def pieces(reply: Reply, metadata: Mapping[str, Any], random: Random) -> Iterator[tuple[float, bytes]]:
    """The HTTP chunks of a reply, each with the seconds to wait before it.

    Mostly a chunk is a frame; now and then it is two, or a part of one. After an endless wait nothing comes.
    """
    waiting = b""
    for event in _sent(reply, list(events(reply, metadata, random))):
        data, waiting = waiting + frame(event, random), b""
        chance = random.random()
        if chance < 0.08:
            waiting = data
        elif chance < 0.16:
            place = random.randrange(1, len(data))
            yield event.wait, data[:place]
            yield 0, data[place:]
        else:
            yield event.wait, data
    yield 0, waiting + _end(reply, random)
    if reply.ending == "silent":
        yield math.inf, b""


def _sent(reply: Reply, events: list[Event]) -> list[Event]:
    """The events to send: of a failing stream those before its middle delta, or none without deltas."""
    if reply.ending == "whole":
        return events
    deltas = [index for index, event in enumerate(events) if event.name == "contentBlockDelta"]
    return events[: deltas[len(deltas) // 2] if deltas else 0]


def _end(reply: Reply, random: Random) -> bytes:
    """The last bytes of a stream that fails."""
    lost = frame(Event(0, "contentBlockDelta", {"delta": {"text": "lost"}}), random)
    match reply.ending:
        case "exception" | "error" as kind:
            name, message = reply.error
            return frame(Event(0, name, {"message": message}, kind), random)
        case "half":
            return lost[: len(lost) // 2]
        case "checksum":
            return lost[:-1] + bytes([lost[-1] ^ 1])
    return b""


def upstream_frames(batches: Iterable[list[StreamEvent]], random: Random) -> Iterator[bytes]:
    """The frames of an upstream's answer, the one of an exception at the end of one that failed."""
    try:
        for batch in batches:
            yield b"".join(frame(Event(0, *event), random) for event in batch)
    except upstream.StreamFailure as failure:
        yield frame(Event(0, failure.name, {"message": failure.message}, "exception"), random)
