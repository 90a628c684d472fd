"""A stored round -> the ConverseStream events that it was made of: its message's blocks, in the pieces and at the times of its recording.

What is given back adds up to the same message, calls, stop reason and usage; the order of blocks that a model wrote at the same time is
that of the message.
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

Block = dict[str, Any]
Piece = tuple[int, str]


class Streamed(NamedTuple):
    """A ConverseStream event and when it came, in ms after its round began."""

    at: int
    name: str
    payload: dict[str, Any]


@dataclass
class Pieces:
    """The pieces in which a round's blocks were shown, by the id that they were shown under."""

    shown: dict[str, list[Piece]] = field(default_factory=dict)
    now: int = 0

    @classmethod
    def of(cls, moments: list[Moment]) -> "Pieces":
        """Those of a step, which begins with its STEP_STARTED."""
        pieces = cls()
        for at, event in moments:
            if member := DELTA_KEYS.get(event["type"]):
                pieces.shown.setdefault(event[member], []).append((at - moments[0].at, event["delta"]))
        return pieces

    def take(self, text: str, name: str | None = None) -> list[Piece]:
        """The pieces that make up the text, under this id or any; the whole text at once where they are not known."""
        names = list(self.shown) if name is None else [name] if name in self.shown else []
        found = next((one for one in names if "".join(part for _, part in self.shown[one]) == text), None)
        pieces = self.shown.pop(found) if found else [(self.now, text)]
        self.now = max(self.now, pieces[-1][0])
        return pieces


def rounds(turn: Turn) -> Iterator[tuple[Round, list[Streamed]]]:
    """The last attempt of each of a turn's rounds, with its stream's events."""
    moments = list(timeline(turn_frames(turn)))
    starts = [place for place, moment in enumerate(moments) if moment.event["type"] == "STEP_STARTED"]
    steps = [moments[start:end] for start, end in pairwise([*starts, len(moments)])]
    rows = turn.rounds.order_by("number", "attempt").select_related("base", "message")
    last = {row.number: (row, Pieces.of(step)) for row, step in zip(rows, steps, strict=False)}
    for row, pieces in last.values():
        yield row, list(_stream(row, pieces))


def _stream(row: Round, pieces: Pieces) -> Iterator[Streamed]:
    said = getattr(row, "message", None)
    calls = {call.tool_use_id: call for call in ToolCall.objects.filter(round=row)}
    yield Streamed(0, "messageStart", {"role": "assistant"})
    for index, block in enumerate(said.content if said else ()):
        for at, name, payload in _block(block, pieces, calls):
            yield Streamed(at, name, {"contentBlockIndex": index} | payload)
    if row.stop_reason:
        yield from _end(row, pieces.now)


def _end(row: Round, at: int) -> Iterator[Streamed]:
    told = {name: value for name, value in row.metadata.items() if name != "passedOver"}
    extra = told.pop("additionalModelResponseFields", None)
    stop = {"stopReason": row.stop_reason}
    yield Streamed(at, "messageStop", stop | ({"additionalModelResponseFields": extra} if extra else {}))
    if told or row.usage:
        yield Streamed(at, "metadata", ({"usage": row.usage} if row.usage else {}) | told)


def _block(block: Block, pieces: Pieces, calls: dict[str, ToolCall]) -> Iterator[Streamed]:
    kind = next(name for name in BLOCKS if name in block)
    yield from BLOCKS[kind](block[kind], pieces, calls)
    if not _was_cut(block, calls):
        yield Streamed(pieces.now, "contentBlockStop", {})


def _was_cut(block: Block, calls: dict[str, ToolCall]) -> bool:
    """Whether the block may never have ended: its arguments were not taken for whole."""
    call = calls.get(block["toolUse"]["toolUseId"]) if is_client_tool_use(block) else None
    return call is not None and call.input is None


def _deltas(pieces: Iterable[Piece], made: Callable[[str], Block]) -> Iterator[Streamed]:
    for at, text in pieces:
        yield Streamed(at, "contentBlockDelta", {"delta": made(text)})


def _text(text: str, pieces: Pieces, calls: dict[str, ToolCall]) -> Iterator[Streamed]:
    yield from _deltas(pieces.take(text), lambda part: {"text": part})


def _cited(block: Block, pieces: Pieces, calls: dict[str, ToolCall]) -> Iterator[Streamed]:
    text = "".join(part["text"] for part in block["content"])
    if text:
        yield from _text(text, pieces, calls)
    for citation in block["citations"]:
        yield Streamed(pieces.now, "contentBlockDelta", {"delta": {"citation": citation}})


def _reasoning(block: Block, pieces: Pieces, calls: dict[str, ToolCall]) -> Iterator[Streamed]:
    if "redactedContent" in block:
        yield from _deltas([(pieces.now, block["redactedContent"])], _redacted)
        return
    said = block["reasoningText"]
    yield from _deltas(pieces.take(said["text"]), lambda part: {"reasoningContent": {"text": part}})
    if "signature" in said:
        yield from _deltas([(pieces.now, said["signature"])], _signature)


def _redacted(data: str) -> Block:
    return {"reasoningContent": {"redactedContent": data}}


def _signature(signature: str) -> Block:
    return {"reasoningContent": {"signature": signature}}


def _tool_use(block: Block, pieces: Pieces, calls: dict[str, ToolCall]) -> Iterator[Streamed]:
    head = {name: value for name, value in block.items() if name != "input"}
    yield Streamed(pieces.now, "contentBlockStart", {"start": {"toolUse": head}})
    call = calls.get(block["toolUseId"])
    if call is None:
        given: list[tuple[int, Any]] = [(pieces.now, block["input"])]
    else:
        given = list(pieces.take(call.arguments, call.tool_use_id))
    for at, part in given:
        yield Streamed(at, "contentBlockDelta", {"delta": {"toolUse": {"input": part}}})


def _server_result(block: Block, pieces: Pieces, calls: dict[str, ToolCall]) -> Iterator[Streamed]:
    head = {name: value for name, value in block.items() if name != "content"}
    yield Streamed(pieces.now, "contentBlockStart", {"start": {"toolResult": head}})
    yield Streamed(pieces.now, "contentBlockDelta", {"delta": {"toolResult": block["content"]}})


def _image(block: Block, pieces: Pieces, calls: dict[str, ToolCall]) -> Iterator[Streamed]:
    head = {name: value for name, value in block.items() if name != "source"}
    yield Streamed(pieces.now, "contentBlockStart", {"start": {"image": head}})
    yield Streamed(pieces.now, "contentBlockDelta", {"delta": {"image": {"source": block.get("source", {})}}})


BLOCKS: dict[str, Callable[[Any, Pieces, dict[str, ToolCall]], Iterator[Streamed]]] = {
    "text": _text,
    "citationsContent": _cited,
    "reasoningContent": _reasoning,
    "toolUse": _tool_use,
    "toolResult": _server_result,
    "image": _image,
}
