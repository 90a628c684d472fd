"""Chunks of a streamed chat completion as events of ConverseStream."""

from collections.abc import Callable, Iterator
from typing import Any

from conversations.upstream import refusals
from conversations.upstream.blocks import Blocks, Event
from conversations.upstream.calls import Calls, arguments_of
from conversations.upstream.server_sent import DONE, Chunk
from conversations.upstream.thoughts import Thoughts
from conversations.upstream.usage import converse_usage

STOPS = {
    "stop": "end_turn",
    "eos": "end_turn",
    "tool_calls": "end_turn",  # whether there are calls says "tool_use"
    "function_call": "end_turn",
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "model_length": "model_context_window_exceeded",
    "content_filter": "content_filtered",
}
FAILED = ("error", "abort", "cancelled")
"""Reasons to finish that are none."""


class Translation:
    """One answer's translation.

    It is complete once its `messageStop` is there: an answer that has neither a reason to finish nor `[DONE]` was cut.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self.is_complete = False
        self._usage: Any = None
        self._is_begun = False
        self._is_refusal = False
        self._blocks, self._calls, self._thoughts = Blocks(), Calls(new_id), Thoughts()

    def feed(self, chunk: Chunk) -> Iterator[Event]:
        """The events that a chunk brings; raises StreamFailure for an error in it."""
        if chunk is DONE:
            yield from self._finish("stop") if self._is_begun else ()
            return
        if chunk.get("error") or chunk.get("object") == "error":
            raise refusals.from_chunk(chunk.get("error") or chunk)
        self._usage = chunk.get("usage") or self._usage
        if (choice := _first_choice(chunk)) and not self.is_complete:
            yield from self._choice(choice)

    def metadata(self, latency_ms: int) -> Event:
        """The event behind the `messageStop`: what was used, and the time it took."""
        return "metadata", {"usage": converse_usage(self._usage), "metrics": {"latencyMs": latency_ms}}

    def _choice(self, choice: Chunk) -> Iterator[Event]:
        reason = choice.get("finish_reason")
        if reason in FAILED:
            raise refusals.from_chunk({})
        if not self._is_begun:
            self._is_begun = True
            yield "messageStart", {"role": "assistant"}
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            yield from self._delta(delta)
        if isinstance(reason, str) and reason:
            yield from self._finish(reason)

    def _delta(self, delta: Chunk) -> Iterator[Event]:
        for reasoning in filter(None, (_reasoning(delta),)):
            yield from self._blocks.add_text("reasoning", reasoning)
        for is_thought, text in _parts(delta.get("content")):
            yield from self._blocks.add_text("reasoning", text) if is_thought else self._text(text)
        if refusal := _text(delta.get("refusal")):
            self._is_refusal = True
            yield from self._blocks.add_text("text", refusal)
        for piece in _pieces(delta):
            yield from self._flushed()
            yield from self._blocks.add_call(self._calls.call_of(piece), arguments_of(piece))

    def _text(self, text: str) -> Iterator[Event]:
        for is_thought, part in self._thoughts.feed(text):
            yield from self._blocks.add_text("reasoning" if is_thought else "text", part)

    def _flushed(self) -> Iterator[Event]:
        """What may have become a tag, had the text gone on."""
        for is_thought, part in self._thoughts.end():
            yield from self._blocks.add_text("reasoning" if is_thought else "text", part)

    def _finish(self, reason: str) -> Iterator[Event]:
        if self.is_complete:
            return
        yield from self._flushed()
        yield from self._blocks.close()
        self.is_complete = True
        yield "messageStop", {"stopReason": self._stop_reason(reason)}

    def _stop_reason(self, reason: str) -> str:
        """By the calls: some servers say `stop` with calls, and `tool_calls` without any."""
        stop = STOPS.get(reason, reason)
        if self._is_refusal:
            return "content_filtered"
        return "tool_use" if self._calls.count and stop == "end_turn" else stop


def _first_choice(chunk: Chunk) -> Chunk | None:
    """The first answer; others would be asked for by `n`."""
    choices = chunk.get("choices")
    objects = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    return next((choice for choice in objects if not choice.get("index")), None)


def _reasoning(delta: Chunk) -> str:
    """The reasoning, under whichever name: one server sends both, with the same text."""
    return _text(delta.get("reasoning_content")) or _text(delta.get("reasoning"))


def _parts(content: Any) -> Iterator[tuple[bool, str]]:
    """The texts of a content, with whether they are thoughts: it is a text, or Mistral's list of parts."""
    if isinstance(content, str) and content:
        yield False, content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(thought := part.get("thinking"), list):
            yield from ((True, text) for _, text in _parts(thought))
        elif isinstance(part, dict) and (text := _text(part.get("text"))):
            yield False, text


def _pieces(delta: Chunk) -> list[Chunk]:
    """The pieces of tool calls, the one of the deprecated `function_call` among them."""
    pieces = delta.get("tool_calls")
    pieces = list(pieces) if isinstance(pieces, list) else []
    if isinstance(delta.get("function_call"), dict):
        pieces.append({"index": 0, "function": delta["function_call"]})
    return [piece for piece in pieces if isinstance(piece, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
