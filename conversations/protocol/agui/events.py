"""Deltas and steps -> AG-UI 1.0 events, as plain dictionaries without time or number: the journal adds those.

The vocabulary is <https://docs.ag-ui.com>; what it has no event for is `CUSTOM`, named `turntable.*`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from conversations.protocol.converse.blocks import Delta
from conversations.protocol.text import cut_bytes

Event = dict[str, Any]

PROTOCOL_VERSION = "1.0"
DELTA_BYTES = 16 * 1024
CONTENT_BYTES = 160 * 1024
"""A stored delta's limit, and that of content that goes out whole: JSON escapes make up to six bytes of one, and a frame has 1 MiB."""

DELTA_KEYS = {
    "TEXT_MESSAGE_CONTENT": "messageId",
    "REASONING_MESSAGE_CONTENT": "messageId",
    "TOOL_CALL_ARGS": "toolCallId",
}
"""The events whose neighbours may be merged, and the member that says which belong together."""


def pieces(text: str, limit: int = DELTA_BYTES) -> Iterator[str]:
    """The clean text in pieces of at most `limit` bytes of UTF-8, four at least."""
    if (
        0 < len(text) * 4 <= limit
    ):  # a character has four bytes at most: nearly every delta is told by its length
        yield text
        return
    start = 0
    while start < len(text):
        piece, _ = cut_bytes(text[start : start + limit], limit)
        yield piece
        start += len(piece)


def run_started(conversation: str, run: str, after: str | None = None, *, is_root: bool = False) -> Event:
    """A turn starts, or goes on as a further run. `after` is the turn that it follows on; `is_root` says that it follows on none, though
    others came before it. Where neither is told it follows on the turn before it in the record.
    """
    event = {
        "type": "RUN_STARTED",
        "threadId": conversation,
        "runId": run,
        "protocolVersion": PROTOCOL_VERSION,
    }
    parent = {"parentRunId": after} if after else {}
    return event | parent | ({"metadata": {"parent": None}} if is_root else {})


def user_message(message_id: str, text: str) -> list[Event]:
    """The user's message, whole."""
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "user"},
        *(
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": piece}
            for piece in pieces(text)
        ),
        {"type": "TEXT_MESSAGE_END", "messageId": message_id},
    ]


def step_started(number: int) -> Event:
    """A round starts."""
    return {"type": "STEP_STARTED", "stepName": f"round {number}"}


def step_finished(number: int, metadata: dict[str, Any]) -> Event:
    """A round is over."""
    return {"type": "STEP_FINISHED", "stepName": f"round {number}", "metadata": metadata}


def tool_call_result(
    tool_call_id: str, content: str, *, status: str, duration_ms: int, error: str = ""
) -> Event:
    """A tool call has its result, as text, and why it is no good one as a word; what is over 160 KiB is left to the export."""
    shown, cut = cut_bytes(content, CONTENT_BYTES)
    metadata: dict[str, Any] = {"status": status, "durationMs": duration_ms}
    return {
        "type": "TOOL_CALL_RESULT",
        "messageId": f"result:{tool_call_id}",
        "toolCallId": tool_call_id,
        "content": shown,
        "role": "tool",
        "metadata": metadata | ({"error": error} if error else {}) | ({"cut": True} if cut else {}),
    }


def result_text(content: list[dict[str, Any]]) -> str:
    """A tool result's content as one text, a line for each block that is no text: JSON, and pictures as Converse has them. A picture
    too large for a frame is told without its bytes.
    """
    return "\n".join(block["text"] if "text" in block else _result_line(block) for block in content)


def _result_line(block: dict[str, Any]) -> str:
    written = json.dumps(block.get("json", block), ensure_ascii=False)
    if "image" not in block or len(written) < CONTENT_BYTES // 2:
        return written
    picture = block["image"]
    encoded = picture.get("source", {}).get("bytes", "")
    return json.dumps({"image": {"format": picture.get("format"), "size": len(encoded) * 3 // 4}})


def run_finished(conversation: str, run: str, outcome: str, usage: list[dict[str, Any]]) -> Event:
    """A turn ended well (`success`) or was stopped (`cancelled`)."""
    event = {"type": "RUN_FINISHED", "threadId": conversation, "runId": run, "outcome": {"type": outcome}}
    return event | ({"usage": usage} if usage else {})


def run_error(message: str, code: str, request_id: str = "") -> Event:
    """A turn failed; `request_id` is what the gateway knows the request by."""
    event = {"type": "RUN_ERROR", "message": message, "code": code}
    return event | ({"metadata": {"requestId": request_id}} if request_id else {})


def custom(name: str, value: Any) -> Event:
    """News of ours that AG-UI has no event for."""
    return {"type": "CUSTOM", "name": f"turntable.{name}", "value": value}


def token_usage(model: str, usage: dict[str, int]) -> dict[str, Any]:
    """Converse's counts in AG-UI's words: there, what a cache was read or written for is a part of the input
    (ag_ui.core.TokenUsage); in Converse it is counted beside it."""
    read, written = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
    sent, received = usage.get("inputTokens", 0) + read + written, usage.get("outputTokens", 0)
    counts = {"inputTokens": sent, "outputTokens": received, "totalTokens": sent + received}
    cached = {"cachedInputTokens": read, "cacheWriteInputTokens": written}
    return {"provider": "bedrock", "model": model, **counts, **{name: n for name, n in cached.items() if n}}


def block_events(prefix: str, delta: Delta) -> list[Event]:
    """The events that show a delta; `prefix` is the round's, `TURN:ROUND`."""
    make = SHOWN.get((delta.phase, delta.kind))
    return make(f"{prefix}:{delta.block}", delta) if make else []


def _text_part(message: str, delta: Delta) -> list[Event]:
    return [
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": message, "delta": piece} for piece in pieces(delta.text)
    ]


def _reasoning_part(message: str, delta: Delta) -> list[Event]:
    return [
        {"type": "REASONING_MESSAGE_CONTENT", "messageId": message, "delta": piece}
        for piece in pieces(delta.text)
    ]


def _tool_start(message: str, delta: Delta) -> list[Event]:
    return [
        {"type": "TOOL_CALL_START", "toolCallId": _call(delta), "toolCallName": (delta.detail or {})["name"]}
    ]


def _tool_part(message: str, delta: Delta) -> list[Event]:
    return [
        {"type": "TOOL_CALL_ARGS", "toolCallId": _call(delta), "delta": piece} for piece in pieces(delta.text)
    ]


def _tool_stop(message: str, delta: Delta) -> list[Event]:
    return [{"type": "TOOL_CALL_END", "toolCallId": _call(delta)}]


def _call(delta: Delta) -> str:
    return str((delta.detail or {})["toolUseId"])


def _whole(name: str) -> Callable[[str, Delta], list[Event]]:
    def make(message: str, delta: Delta) -> list[Event]:
        detail = json.dumps(delta.detail, ensure_ascii=False)
        shown, cut = cut_bytes(detail, CONTENT_BYTES)
        value = {"cut": True, "json": shown} if cut else delta.detail
        return [custom(name, {"messageId": message, name: value})]

    return make


def _image(message: str, delta: Delta) -> list[Event]:
    image = (delta.detail or {})["image"]
    return [custom("image", {"messageId": message, "format": image.get("format")})]


def _start(message: str, delta: Delta) -> list[Event]:
    return [{"type": "TEXT_MESSAGE_START", "messageId": message, "role": "assistant"}]


def _stop(message: str, delta: Delta) -> list[Event]:
    return [{"type": "TEXT_MESSAGE_END", "messageId": message}]


def _reasoning_start(message: str, delta: Delta) -> list[Event]:
    return [
        {"type": "REASONING_START", "messageId": message},
        {"type": "REASONING_MESSAGE_START", "messageId": message, "role": "reasoning"},
    ]


def _reasoning_stop(message: str, delta: Delta) -> list[Event]:
    return [
        {"type": "REASONING_MESSAGE_END", "messageId": message},
        {"type": "REASONING_END", "messageId": message},
    ]


def _redacted_start(message: str, delta: Delta) -> list[Event]:
    return [{"type": "REASONING_START", "messageId": message}]


def _redacted_stop(message: str, delta: Delta) -> list[Event]:
    return [{"type": "REASONING_END", "messageId": message}]


SHOWN: dict[tuple[str, str], Callable[[str, Delta], list[Event]]] = {
    ("start", "text"): _start,
    ("part", "text"): _text_part,
    ("stop", "text"): _stop,
    ("start", "reasoning"): _reasoning_start,
    ("part", "reasoning"): _reasoning_part,
    ("stop", "reasoning"): _reasoning_stop,
    ("start", "redacted"): _redacted_start,
    ("stop", "redacted"): _redacted_stop,
    ("start", "tool"): _tool_start,
    ("part", "tool"): _tool_part,
    ("stop", "tool"): _tool_stop,
    ("whole", "server_tool"): _whole("server_tool"),
    ("whole", "server_result"): _whole("server_tool"),
    ("whole", "citation"): _whole("citation"),
    ("whole", "image"): _image,
}
