"""The ConverseStream events that a stored round came from, rebuilt.

They have the fragments and times of the recording, and add up to the same message, calls, stop reason and usage. Blocks that a model
wrote at the same time come in the message's order.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from conversations.journal import turn_frames
from conversations.models import Round, ToolCall, Turn
from conversations.protocol.agui.events import DELTA_KEYS
from conversations.protocol.agui.timeline import Moment, timeline
from conversations.protocol.converse.content import is_client_tool_use
from conversations.protocol.converse.stream import DAMAGED

Block = dict[str, Any]
Fragment = tuple[int, str]


class StreamEvent(NamedTuple):
    """A ConverseStream event and the time at which it came, in ms after its round began."""

    at: int
    name: str
    payload: dict[str, Any]


@dataclass
class Fragments:
    """The fragments of a round's blocks, by the id that a block has in events."""

    by_id: dict[str, list[Fragment]] = field(default_factory=dict)
    now: int = 0

    @classmethod
    def of(cls, moments: list[Moment]) -> "Fragments":
        """The fragments of a step, which begins with its STEP_STARTED."""
        fragments = cls()
        for at, event in moments:
            if member := DELTA_KEYS.get(event["type"]):
                fragments.by_id.setdefault(event[member], []).append((at - moments[0].at, event["delta"]))
        return fragments

    def take(self, text: str, name: str | None = None) -> list[Fragment]:
        """The fragments that make up the text, under this id or any; else the whole text as one fragment."""
        names = list(self.by_id) if name is None else [name] if name in self.by_id else []
        match = next((key for key in names if "".join(part for _, part in self.by_id[key]) == text), None)
        fragments = self.by_id.pop(match) if match else [(self.now, text)]
        self.now = max(self.now, fragments[-1][0])
        return fragments


def rounds(turn: Turn) -> Iterator[tuple[Round, list[StreamEvent]]]:
    """The last attempt of each of a turn's rounds, with its stream's events."""
    moments = list(timeline(turn_frames(turn)))
    starts = [place for place, moment in enumerate(moments) if moment.event["type"] == "STEP_STARTED"]
    steps = [moments[start:end] for start, end in pairwise([*starts, len(moments)])]
    rows = turn.rounds.order_by("number", "attempt").select_related("base", "message")
    last = {row.number: (row, Fragments.of(step)) for row, step in zip(rows, steps, strict=False)}
    for row, fragments in last.values():
        yield row, list(_stream(row, fragments))


def _stream(row: Round, fragments: Fragments) -> Iterator[StreamEvent]:
    message = getattr(row, "message", None)
    calls = {call.tool_use_id: call for call in ToolCall.objects.filter(round=row)}
    yield StreamEvent(0, "messageStart", {"role": "assistant"})
    for index, block in enumerate(message.content if message else ()):
        for at, name, payload in _block(block, fragments, calls):
            yield StreamEvent(at, name, {"contentBlockIndex": index} | payload)
    if row.stop_reason:
        yield from _end(row, fragments.now)


def _end(row: Round, at: int) -> Iterator[StreamEvent]:
    metadata = {name: value for name, value in row.metadata.items() if name not in ("passedOver", DAMAGED)}
    extra = metadata.pop("additionalModelResponseFields", None)
    stop = {"stopReason": row.stop_reason}
    yield StreamEvent(at, "messageStop", stop | ({"additionalModelResponseFields": extra} if extra else {}))
    if metadata or row.usage:
        yield StreamEvent(at, "metadata", ({"usage": row.usage} if row.usage else {}) | metadata)


def _block(block: Block, fragments: Fragments, calls: dict[str, ToolCall]) -> Iterator[StreamEvent]:
    kind = next(name for name in BLOCKS if name in block)
    yield from BLOCKS[kind](block[kind], fragments, calls)
    if not _was_cut(block, calls):
        yield StreamEvent(fragments.now, "contentBlockStop", {})


def _was_cut(block: Block, calls: dict[str, ToolCall]) -> bool:
    """Whether the block may have no end: its arguments are no object."""
    call = calls.get(block["toolUse"]["toolUseId"]) if is_client_tool_use(block) else None
    return call is not None and call.input is None


def _deltas(fragments: Iterable[Fragment], delta: Callable[[str], Block]) -> Iterator[StreamEvent]:
    for at, text in fragments:
        yield StreamEvent(at, "contentBlockDelta", {"delta": delta(text)})


def _text(text: str, fragments: Fragments, calls: dict[str, ToolCall]) -> Iterator[StreamEvent]:
    yield from _deltas(fragments.take(text), lambda part: {"text": part})


def _cited(block: Block, fragments: Fragments, calls: dict[str, ToolCall]) -> Iterator[StreamEvent]:
    text = "".join(part["text"] for part in block["content"])
    if text:
        yield from _text(text, fragments, calls)
    for citation in block["citations"]:
        yield StreamEvent(fragments.now, "contentBlockDelta", {"delta": {"citation": citation}})


def _reasoning(block: Block, fragments: Fragments, calls: dict[str, ToolCall]) -> Iterator[StreamEvent]:
    if "redactedContent" in block:
        yield from _deltas([(fragments.now, block["redactedContent"])], _redacted)
        return
    reasoning = block["reasoningText"]
    yield from _deltas(fragments.take(reasoning["text"]), lambda part: {"reasoningContent": {"text": part}})
    if "signature" in reasoning:
        yield from _deltas([(fragments.now, reasoning["signature"])], _signature)


def _redacted(data: str) -> Block:
    return {"reasoningContent": {"redactedContent": data}}


def _signature(signature: str) -> Block:
    return {"reasoningContent": {"signature": signature}}


def _tool_use(block: Block, fragments: Fragments, calls: dict[str, ToolCall]) -> Iterator[StreamEvent]:
    head = {name: value for name, value in block.items() if name != "input"}
    yield StreamEvent(fragments.now, "contentBlockStart", {"start": {"toolUse": head}})
    call = calls.get(block["toolUseId"])
    if call is None:
        parts: list[tuple[int, Any]] = [(fragments.now, block["input"])]
    else:
        parts = list(fragments.take(call.arguments, call.tool_use_id))
    mark = {DAMAGED: True} if call and call.error == "damaged" else {}
    for at, part in parts:
        yield StreamEvent(at, "contentBlockDelta", {"delta": {"toolUse": {"input": part}}} | mark)


def _server_result(block: Block, fragments: Fragments, calls: dict[str, ToolCall]) -> Iterator[StreamEvent]:
    head = {name: value for name, value in block.items() if name != "content"}
    yield StreamEvent(fragments.now, "contentBlockStart", {"start": {"toolResult": head}})
    yield StreamEvent(fragments.now, "contentBlockDelta", {"delta": {"toolResult": block["content"]}})


def _image(block: Block, fragments: Fragments, calls: dict[str, ToolCall]) -> Iterator[StreamEvent]:
    head = {name: value for name, value in block.items() if name != "source"}
    yield StreamEvent(fragments.now, "contentBlockStart", {"start": {"image": head}})
    yield StreamEvent(
        fragments.now, "contentBlockDelta", {"delta": {"image": {"source": block.get("source", {})}}}
    )


BLOCKS: dict[str, Callable[[Any, Fragments, dict[str, ToolCall]], Iterator[StreamEvent]]] = {
    "text": _text,
    "citationsContent": _cited,
    "reasoningContent": _reasoning,
    "toolUse": _tool_use,
    "toolResult": _server_result,
    "image": _image,
}
