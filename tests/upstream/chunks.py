"""Answers of a server of chat completions, as bytes."""

import json
from typing import Any

from conversations.protocol.converse.stream import StreamEvent
from conversations.upstream import Translation
from tests.gateway.wire import Answer, End

SSE = {"Content-Type": "text/event-stream"}
DONE = b"data: [DONE]\n\n"


def chunk(reason: str | None = None, **delta: Any) -> dict[str, Any]:
    """A chunk with a delta of the answer."""
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }


def piece(
    index: int | None = 0, name: str | None = None, arguments: Any = None, **more: Any
) -> dict[str, Any]:
    """A piece of a tool call, without the members that are None."""
    function = {"name": name, "arguments": arguments}
    call = {
        "index": index,
        "function": {key: value for key, value in function.items() if value is not None},
        **more,
    }
    return {key: value for key, value in call.items() if value is not None}


def calls(*pieces: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    """A chunk with pieces of tool calls."""
    return chunk(reason, tool_calls=list(pieces))


def usage_chunk(read: int, written: int, **more: Any) -> dict[str, Any]:
    """The chunk with the usage, which comes last."""
    return {"choices": [], "usage": {"prompt_tokens": read, "completion_tokens": written, **more}}


def sse(*chunks: dict[str, Any]) -> list[bytes]:
    """The chunks as server-sent events."""
    return [b"data: %b\n\n" % json.dumps(one, ensure_ascii=False).encode() for one in chunks]


def stream_answer(*chunks: dict[str, Any], done: bytes = DONE, **options: Any) -> Answer:
    """The answer of a server that streams these chunks."""
    return Answer.stream(*sse(*chunks), *([done] if done else []), headers=SSE, **options)


def text_answer(*texts: str) -> Answer:
    """A whole answer of some text."""
    return stream_answer(
        chunk(role="assistant"), *(chunk(content=text) for text in texts), chunk("stop"), usage_chunk(9, 4)
    )


def open_answer(*chunks: dict[str, Any]) -> Answer:
    """The beginning of an answer that never goes on."""
    return stream_answer(*chunks, done=b"", terminated=False, end=End.STALL)


def translated(*chunks: dict[str, Any]) -> list[StreamEvent]:
    """The events of the chunks; ids that are made are made-1, made-2 and so on."""
    numbers = iter(range(1, 100))
    translation = Translation(lambda: f"made-{next(numbers)}")
    return [event for one in chunks for event in translation.feed(one)]


def blocks_of(events: list[StreamEvent]) -> list[Any]:
    """The content blocks as kind and text, a call with id and name; they must not overlap."""
    blocks: list[Any] = []
    is_open = False
    for name, payload in events:
        if name == "contentBlockStart":
            use = payload["start"]["toolUse"]
            blocks.append([use["toolUseId"], use["name"], ""])
        elif name == "contentBlockDelta":
            if not is_open and "toolUse" not in payload["delta"]:
                blocks.append([next(iter(payload["delta"])), ""])
            blocks[-1][-1] += _text(payload["delta"])
        if "contentBlockIndex" in payload:
            assert payload["contentBlockIndex"] == len(blocks) - 1
            is_open = name != "contentBlockStop"
    assert not is_open
    return [tuple(block) for block in blocks]


def _text(delta: dict[str, Any]) -> str:
    inner = delta.get("reasoningContent") or delta.get("toolUse") or delta
    return str(inner.get("text", inner.get("input")))


def stop_reason(events: list[StreamEvent]) -> str:
    """The stop reason of a complete answer."""
    return next(str(payload["stopReason"]) for name, payload in events if name == "messageStop")
