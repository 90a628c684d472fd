"""Content blocks as Converse streams them: one after another, each with an index."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from conversations.protocol.converse.stream import StreamEvent
from conversations.protocol.text import clean_text

Kind = Literal["text", "reasoning", "call"]


@dataclass(eq=False)
class Block:
    """A block: the text that is `pending`, and of a call the arguments `written` so far, sent or not."""

    kind: Kind
    name: str = ""
    use_id: str = ""
    pending: str = ""
    written: str = ""
    index: int | None = None

    def add(self, text: str) -> None:
        """Adds text, or a call's arguments."""
        self.pending += text
        if self.kind == "call":
            self.written += text

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing: a text ends where another block begins, a call with its arguments."""
        return self.kind != "call" or is_object(self.written)

    @property
    def can_start(self) -> bool:
        """Whether there is anything to send: a text may be blank, a call may still lack its name."""
        return bool(self.name) if self.kind == "call" else bool(self.pending.strip())

    def take(self) -> str:
        """Takes the pending text, except for half a surrogate pair whose other half is still to come."""
        end = len(self.pending) - ("\ud800" <= self.pending[-1:] <= "\udbff")
        text, self.pending = self.pending[:end], self.pending[end:]
        return clean_text(text)

    def delta(self, text: str) -> dict[str, Any]:
        """A part of its text as a delta."""
        if self.kind == "call":
            return {"toolUse": {"input": text}}
        return {"reasoningContent": {"text": text}} if self.kind == "reasoning" else {"text": text}


class Blocks:
    """The blocks of an answer.

    Only the first that has not ended is streamed; what comes for later ones waits, since calls may come interleaved.
    """

    def __init__(self) -> None:
        self._queue: deque[Block] = deque()
        self._count = 0

    def add_text(self, kind: Kind, text: str) -> Iterator[StreamEvent]:
        """Adds text or reasoning, to the last block if that is of the kind."""
        if not self._queue or self._queue[-1].kind != kind:
            self._queue.append(Block(kind))
        self._queue[-1].add(text)
        yield from self._release()

    def add_call(self, call: Block, arguments: str) -> Iterator[StreamEvent]:
        """Adds arguments to a call, which may be new; arguments after its end are lost."""
        if call.index is None and call not in self._queue:
            self._queue.append(call)
        if call in self._queue:
            call.add(arguments)
            yield from self._release()

    def close(self) -> Iterator[StreamEvent]:
        """Ends all blocks, whole or not."""
        while self._queue:
            yield from self._send(self._queue[0])
            yield from self._stop()

    def _release(self) -> Iterator[StreamEvent]:
        yield from self._send(self._queue[0])
        while len(self._queue) > 1 and self._queue[0].is_whole:
            yield from self._stop()
            yield from self._send(self._queue[0])

    def _send(self, block: Block) -> Iterator[StreamEvent]:
        if block.index is None and block.can_start:
            yield from self._start(block)
        if block.index is not None and (text := block.take()):
            yield "contentBlockDelta", {"contentBlockIndex": block.index, "delta": block.delta(text)}

    def _start(self, block: Block) -> Iterator[StreamEvent]:
        """Begins a block, without blank lines before its text. Only a tool use has an event for it."""
        block.index, self._count = self._count, self._count + 1
        if block.kind == "call":
            use = {"toolUseId": block.use_id, "name": block.name}
            yield "contentBlockStart", {"contentBlockIndex": block.index, "start": {"toolUse": use}}
        else:
            block.pending = block.pending.lstrip("\r\n")

    def _stop(self) -> Iterator[StreamEvent]:
        block = self._queue.popleft()
        if block.index is not None:
            yield "contentBlockStop", {"contentBlockIndex": block.index}


def is_object(text: str) -> bool:
    """Whether a text is a whole JSON object."""
    if not text.rstrip().endswith("}"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
