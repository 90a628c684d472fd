"""A reply as the bytes of a ConverseStream body, cut up as models and Bedrock do it."""

import json
import math
import re
import string
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from conversations.demo_gateway.reply import Ending, Reply
from conversations.gateway.frames import encode

FIRST_TOKEN = 0.3
WORDS_A_SECOND = 45
CHARACTERS_A_SECOND = 220
PADDING = string.ascii_letters + string.digits


class Event(NamedTuple):
    """One frame to be, and how many seconds to wait before it."""

    wait: float
    name: str
    payload: Mapping[str, Any]
    kind: str = "event"


class Piece(NamedTuple):
    """Bytes of one HTTP chunk, and the seconds to wait before them.

    After an endless wait nothing comes.
    """

    wait: float
    data: bytes


def events(reply: Reply, metadata: Mapping[str, Any], random: Random) -> Iterator[Event]:
    """The events of a reply that ends well: messageStart, each block, messageStop, metadata."""
    yield Event(FIRST_TOKEN, "messageStart", {"role": "assistant"})
    seconds = FIRST_TOKEN
    for index, block in enumerate(reply.blocks):
        for event in _block(index, block, reply, random):
            seconds += event.wait
            yield event
    if reply.strange:
        yield Event(0, "contentBlockPondered", {"contentBlockIndex": 0, "pondered": True})
    yield Event(0, "messageStop", {"stopReason": reply.stop})
    if reply.metadata:
        yield Event(0, "metadata", {"metrics": {"latencyMs": round(seconds * 1000)}, **metadata})


def _block(index: int, block: Mapping[str, Any], reply: Reply, random: Random) -> Iterator[Event]:
    kind, value = next(iter(block.items()))
    for event in WRITERS[kind](value, random):
        pause = reply.pause if event.wait and _sentence(event) else 0
        yield event._replace(wait=event.wait + pause, payload={"contentBlockIndex": index, **event.payload})
    yield Event(0, "contentBlockStop", {"contentBlockIndex": index})


def _sentence(event: Event) -> bool:
    return str(event.payload.get("delta", {}).get("text", "")).rstrip().endswith((".", ":", "!"))


def _start(**start: Any) -> Event:
    return Event(0, "contentBlockStart", {"start": start})


def _delta(wait: float, **delta: Any) -> Event:
    return Event(wait, "contentBlockDelta", {"delta": delta})


def _pace(words: str) -> float:
    return max(1, len(words.split())) / WORDS_A_SECOND


def _write_text(text: str, random: Random) -> Iterator[Event]:
    for words in fragments(text, random):
        yield _delta(_pace(words), text=words)


def _write_reasoning(value: Mapping[str, Any], random: Random) -> Iterator[Event]:
    if "redactedContent" in value:
        yield _delta(FIRST_TOKEN, reasoningContent={"redactedContent": value["redactedContent"]})
        return
    reasoning = value["reasoningText"]
    for words in fragments(reasoning["text"], random):
        yield _delta(_pace(words), reasoningContent={"text": words})
    if "signature" in reasoning:
        yield _delta(0, reasoningContent={"signature": reasoning["signature"]})


def _write_use(value: Mapping[str, Any], random: Random) -> Iterator[Event]:
    yield _start(toolUse={key: value[key] for key in ("name", "toolUseId", "type") if key in value})
    for part in splinters(value["input"], random):
        yield _delta(len(part) / CHARACTERS_A_SECOND, toolUse={"input": part})


def _write_result(value: Mapping[str, Any], random: Random) -> Iterator[Event]:
    yield _start(toolResult={key: value[key] for key in ("status", "toolUseId", "type") if key in value})
    yield _delta(FIRST_TOKEN, toolResult=value["content"])


def _write_citations(value: Mapping[str, Any], random: Random) -> Iterator[Event]:
    # Claude sends the citation before the text of its block, Nova sends blocks of citations alone.
    for citation in value["citations"]:
        yield _delta(0, citation=citation)
    for part in value.get("content", ()):
        yield from _write_text(part["text"], random)


def _write_image(value: Mapping[str, Any], random: Random) -> Iterator[Event]:
    yield _start(image={"format": value["format"]})
    yield _delta(FIRST_TOKEN, image={"source": value["source"]})


WRITERS: dict[str, Callable[[Any, Random], Iterator[Event]]] = {
    "text": _write_text,
    "reasoningContent": _write_reasoning,
    "toolUse": _write_use,
    "toolResult": _write_result,
    "citationsContent": _write_citations,
    "image": _write_image,
}


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
    """An event's frame: compact JSON, keys sorted, padded to hide its length, as in recorded streams."""
    payload = dict(event.payload)
    if event.kind == "event":
        payload["p"] = PADDING[: random.randint(2, len(PADDING))]
    written = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return encode(event.name, written.encode("utf-8", "replace"), event.kind)


def pieces(reply: Reply, metadata: Mapping[str, Any], random: Random) -> Iterator[Piece]:
    """The HTTP chunks of a reply, its way of failing included."""
    sent = list(events(reply, metadata, random))
    yield from _chunks(_until_failure(sent, reply.ending), random)
    yield from _broken(reply.ending, random)


def _until_failure(sent: list[Event], ending: Ending) -> list[Event]:
    """The events of a failing stream: none, or up to the middle of its deltas."""
    if ending.kind == "whole":
        return sent
    deltas = [index for index, event in enumerate(sent) if event.name == "contentBlockDelta"]
    return sent[: 0 if ending.early else deltas[len(deltas) // 2]]


def _broken(ending: Ending, random: Random) -> Iterator[Piece]:
    if ending.kind in ("exception", "error"):
        yield Piece(0, frame(Event(0, ending.name, {"message": ending.message}, ending.kind), random))
    lost = frame(_delta(0, text="lost"), random)
    if ending.kind == "half":
        yield Piece(0, lost[: len(lost) // 2])
    if ending.kind == "checksum":
        yield Piece(0, lost[:-1] + bytes([lost[-1] ^ 1]))
    if ending.kind == "silent":
        yield Piece(math.inf, b"")


def _chunks(sent: list[Event], random: Random) -> Iterator[Piece]:
    """Mostly one frame a chunk; now and then two in one, or one in two."""
    waiting = b""
    for event in sent:
        data = waiting + frame(event, random)
        waiting = b""
        chance = random.random()
        if chance < 0.08:
            waiting = data
        elif chance < 0.16:
            place = random.randrange(1, len(data))
            yield Piece(event.wait, data[:place])
            yield Piece(0, data[place:])
        else:
            yield Piece(event.wait, data)
    if waiting:
        yield Piece(0, waiting)
