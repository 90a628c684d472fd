"""Chunks of a streamed chat completion as events of ConverseStream."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conversations.protocol.converse.stream import StreamEvent
from conversations.protocol.converse.usage import count
from conversations.upstream import refusals
from conversations.upstream.blocks import Blocks
from conversations.upstream.calls import Calls, arguments_of
from conversations.upstream.server_sent import DONE, Chunk
from conversations.upstream.thoughts import Thoughts

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
"""Reasons to finish that mean a failure."""


class Translation:
    """The translation of one answer.

    It is complete once it has its `messageStop`: an answer with neither a reason to finish nor `[DONE]` was cut.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self.is_complete = False
        self._usage: Any = None
        self._has_begun = False
        self._is_refusal = False
        self._blocks, self._calls, self._thoughts = Blocks(), Calls(new_id), Thoughts()

    def feed(self, chunk: Chunk) -> Iterator[StreamEvent]:
        """The events of a chunk; raises StreamFailure for an error in it."""
        if chunk is DONE:
            yield from self._finish("stop") if self._has_begun else ()
            return
        if chunk.get("error") or chunk.get("object") == "error":
            raise refusals.from_chunk(chunk.get("error") or chunk)
        self._usage = chunk.get("usage") or self._usage
        if (choice := _first_choice(chunk)) and not self.is_complete:
            yield from self._choice(choice)

    def metadata(self, latency_ms: int) -> StreamEvent:
        """The event after the `messageStop`: the usage, and the time that the answer took."""
        return "metadata", {"usage": _converse_usage(self._usage), "metrics": {"latencyMs": latency_ms}}

    def _choice(self, choice: Chunk) -> Iterator[StreamEvent]:
        reason = choice.get("finish_reason")
        if reason in FAILED:
            raise refusals.from_chunk({})
        if not self._has_begun:
            self._has_begun = True
            yield "messageStart", {"role": "assistant"}
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            yield from self._delta(delta)
        if isinstance(reason, str) and reason:
            yield from self._finish(reason)

    def _delta(self, delta: Chunk) -> Iterator[StreamEvent]:
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

    def _text(self, text: str) -> Iterator[StreamEvent]:
        for is_thought, part in self._thoughts.feed(text):
            yield from self._blocks.add_text("reasoning" if is_thought else "text", part)

    def _flushed(self) -> Iterator[StreamEvent]:
        """The text that was held back as it might have become a tag."""
        for is_thought, part in self._thoughts.end():
            yield from self._blocks.add_text("reasoning" if is_thought else "text", part)

    def _finish(self, reason: str) -> Iterator[StreamEvent]:
        if self.is_complete:
            return
        yield from self._flushed()
        yield from self._blocks.close()
        self.is_complete = True
        yield "messageStop", {"stopReason": self._stop_reason(reason)}

    def _stop_reason(self, reason: str) -> str:
        """The stop reason by the calls: some servers send `stop` with calls, and `tool_calls` without any."""
        stop = STOPS.get(reason, reason)
        if self._is_refusal:
            return "content_filtered"
        return "tool_use" if self._calls.count and stop == "end_turn" else stop


def _first_choice(chunk: Chunk) -> Chunk | None:
    """The first choice; a request for more would have `n`."""
    choices = chunk.get("choices")
    objects = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    return next((choice for choice in objects if not choice.get("index")), None)


def _reasoning(delta: Chunk) -> str:
    """The reasoning, which has two names: one server sends both, with the same text."""
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


def _converse_usage(usage: Any) -> dict[str, int]:
    """The usage as Converse counts it, with cached tokens apart; zeros if the server reports none."""
    usage = usage if isinstance(usage, Mapping) else {}
    inputs, outputs = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    details = usage.get("prompt_tokens_details")
    cached = min(inputs, count(details.get("cached_tokens"))) if isinstance(details, Mapping) else 0
    counts = {"inputTokens": inputs - cached, "outputTokens": outputs, "totalTokens": inputs + outputs}
    return counts | ({"cacheReadInputTokens": cached} if cached else {})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
