"""Deltas and steps -> AG-UI 1.0 events, as plain dictionaries.

The journal adds their times and numbers. The vocabulary is <https://docs.ag-ui.com>; our own events are `CUSTOM`, named `turntable.*`.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from conversations.protocol.converse.blocks import Delta
from conversations.protocol.converse.content import picture_facts
from conversations.protocol.text import cut_bytes

Event = dict[str, Any]

PROTOCOL_VERSION = "1.0"
DELTA_BYTES = 16 * 1024
CONTENT_BYTES = 160 * 1024
"""The limits of a stored delta, and of content that is sent in one event.

A frame has 1 MiB, and JSON's escapes turn a byte into up to six.
"""

WHY_BYTES = 2000
"""Bytes of a refusal's words that are shown."""

DELTA_KEYS = {
    "TEXT_MESSAGE_CONTENT": "messageId",
    "REASONING_MESSAGE_CONTENT": "messageId",
    "TOOL_CALL_ARGS": "toolCallId",
}
"""The events that may be merged with neighbours, and the member that names the message or call."""


def chunks(text: str, limit: int = DELTA_BYTES) -> Iterator[str]:
    """The clean text in chunks of at most `limit` bytes of UTF-8. A limit is four at least."""
    # A character has four bytes at most, so nearly every delta is short enough for one chunk without being encoded.
    if 0 < len(text) * 4 <= limit:
        yield text
        return
    start = 0
    while start < len(text):
        chunk, _ = cut_bytes(text[start : start + limit], limit)
        yield chunk
        start += len(chunk)


def run_started(
    conversation: str,
    run: str,
    after: str | None = None,
    *,
    is_root: bool = False,
    settings: dict[str, Any] | None = None,
) -> Event:
    """A turn starts, or goes on as a further run.

    `after` is the turn that it follows on; `is_root` says that it follows on none, though others came before it. Without either it
    follows on the turn before it in the record. `settings` are those of its requests.
    """
    event = {
        "type": "RUN_STARTED",
        "threadId": conversation,
        "runId": run,
        "protocolVersion": PROTOCOL_VERSION,
    }
    parent = {"parentRunId": after} if after else {}
    metadata = ({"parent": None} if is_root else {}) | ({"settings": settings} if settings else {})
    return event | parent | ({"metadata": metadata} if metadata else {})


def user_message(message_id: str, text: str, files: Sequence[dict[str, Any]] = ()) -> list[Event]:
    """The user's message, whole, with the facts of the files that it was sent with."""
    attachments = {"metadata": {"attachments": list(files)}} if files else {}
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "user"} | attachments,
        *_deltas("TEXT_MESSAGE_CONTENT", message_id, text),
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
    """The result of a tool call, as text, cut at 160 KiB; `error` says in a word why the call failed."""
    text, is_cut = cut_bytes(content, CONTENT_BYTES)
    metadata: dict[str, Any] = {"status": status, "durationMs": duration_ms}
    return {
        "type": "TOOL_CALL_RESULT",
        "messageId": f"result:{tool_call_id}",
        "toolCallId": tool_call_id,
        "content": text,
        "role": "tool",
        "metadata": metadata | ({"error": error} if error else {}) | ({"cut": True} if is_cut else {}),
    }


def result_text(content: list[dict[str, Any]]) -> str:
    """A tool result's content as one text, with a line of JSON for each block that is no text.

    The line of a picture that is too large for a frame has its size instead of its bytes.
    """
    return "\n".join(block["text"] if "text" in block else _result_line(block) for block in content)


def _result_line(block: dict[str, Any]) -> str:
    line = json.dumps(block.get("json", block), ensure_ascii=False)
    if "image" not in block or len(line) < CONTENT_BYTES // 2:
        return line
    picture = block["image"]
    encoded = picture.get("source", {}).get("bytes", "")
    return json.dumps({"image": {"format": picture.get("format"), "size": len(encoded) * 3 // 4}})


def run_finished(conversation: str, run: str, outcome: str, usage: list[dict[str, Any]]) -> Event:
    """A turn ended well (`success`) or was stopped (`cancelled`)."""
    event = {"type": "RUN_FINISHED", "threadId": conversation, "runId": run, "outcome": {"type": outcome}}
    return event | ({"usage": usage} if usage else {})


def run_error(message: str, code: str, request_id: str = "", *, is_left_out: bool = False) -> Event:
    """A turn failed; `request_id` is the gateway's id of the request.

    `is_left_out` says that its question stays out of later requests.
    """
    event = {"type": "RUN_ERROR", "message": message, "code": code}
    metadata = ({"requestId": request_id} if request_id else {}) | ({"leftOut": True} if is_left_out else {})
    return event | ({"metadata": metadata} if metadata else {})


def custom(name: str, value: Any) -> Event:
    """An event of our own, which AG-UI does not know."""
    return {"type": "CUSTOM", "name": f"turntable.{name}", "value": value}


def adjusted(what: str, why: str) -> Event:
    """A round's request is changed by a remedy: what was changed, and the words of the refusal."""
    return custom("adjusted", {"what": what, "why": cut_bytes(why, WHY_BYTES)[0]})


def token_usage(model: str, usage: dict[str, int]) -> dict[str, Any]:
    """Converse's counts in AG-UI's words.

    In AG-UI (ag_ui.core.TokenUsage) cached tokens are a part of the input; in Converse they are counted apart from it.
    """
    reads, writes = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
    inputs, outputs = usage.get("inputTokens", 0) + reads + writes, usage.get("outputTokens", 0)
    counts = {"inputTokens": inputs, "outputTokens": outputs, "totalTokens": inputs + outputs}
    cache = {"cachedInputTokens": reads, "cacheWriteInputTokens": writes}
    return {"provider": "bedrock", "model": model, **counts, **{name: n for name, n in cache.items() if n}}


def block_events(prefix: str, delta: Delta) -> list[Event]:
    """The events that show a delta; `prefix` is the round's, `TURN:ROUND`."""
    message = f"{prefix}:{delta.block}"
    match delta.kind:
        case "text":
            return _text(message, delta)
        case "reasoning":
            return _reasoning(message, delta)
        case "redacted":
            return _redacted(message, delta)
        case "tool":
            return _tool(delta)
        case _:
            return [_whole(message, delta)]


def _deltas(kind: str, identifier: str, text: str) -> list[Event]:
    return [{"type": kind, DELTA_KEYS[kind]: identifier, "delta": chunk} for chunk in chunks(text)]


def _text(message: str, delta: Delta) -> list[Event]:
    match delta.phase:
        case "start":
            return [{"type": "TEXT_MESSAGE_START", "messageId": message, "role": "assistant"}]
        case "part":
            return _deltas("TEXT_MESSAGE_CONTENT", message, delta.text)
        case _:
            return [{"type": "TEXT_MESSAGE_END", "messageId": message}]


def _reasoning(message: str, delta: Delta) -> list[Event]:
    match delta.phase:
        case "start":
            return [
                {"type": "REASONING_START", "messageId": message},
                {"type": "REASONING_MESSAGE_START", "messageId": message, "role": "reasoning"},
            ]
        case "part":
            return _deltas("REASONING_MESSAGE_CONTENT", message, delta.text)
        case _:
            return [
                {"type": "REASONING_MESSAGE_END", "messageId": message},
                {"type": "REASONING_END", "messageId": message},
            ]


def _redacted(message: str, delta: Delta) -> list[Event]:
    match delta.phase:
        case "start":
            return [{"type": "REASONING_START", "messageId": message}]
        case "stop":
            return [{"type": "REASONING_END", "messageId": message}]
        case _:
            return []


def _tool(delta: Delta) -> list[Event]:
    block = delta.detail or {}
    call = str(block["toolUseId"])
    match delta.phase:
        case "start":
            return [{"type": "TOOL_CALL_START", "toolCallId": call, "toolCallName": block["name"]}]
        case "part":
            return _deltas("TOOL_CALL_ARGS", call, delta.text)
        case _:
            return [{"type": "TOOL_CALL_END", "toolCallId": call}]


def _whole(message: str, delta: Delta) -> Event:
    """The event of a picture, a citation, a server-side tool's call or its result."""
    detail = delta.detail or {}
    if delta.kind == "image":
        return custom("image", {"messageId": message, **picture_facts(detail["image"])})
    if delta.kind == "citation":
        return custom("citation", {"messageId": message, "citation": _cut_json(detail)})
    [(member, block)] = detail.items()
    part = "input" if member == "toolUse" else "content"
    server_tool = {member: block | {part: _cut_json(block[part])}}
    return custom("server_tool", {"messageId": message, "server_tool": server_tool})


def _cut_json(value: Any) -> Any:
    """The value, or the beginning of its JSON where it is too long for a frame."""
    text, is_cut = cut_bytes(json.dumps(value, ensure_ascii=False), CONTENT_BYTES)
    return {"cut": True, "json": text} if is_cut else value
