"""The response of Converse, which has no stream, from the events of ConverseStream."""

import json
from collections.abc import Iterable
from typing import Any

from conversations.upstream.blocks import Event


def converse_answer(events: Iterable[Event]) -> dict[str, Any]:
    """The response: the message, the stop reason and the metadata."""
    blocks: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {}
    for name, payload in events:
        index = payload.get("contentBlockIndex", 0)
        match name:
            case "contentBlockStart":
                blocks[index] = {"toolUse": {**payload["start"]["toolUse"], "input": ""}}
            case "contentBlockDelta":
                _add(blocks.setdefault(index, {}), payload["delta"])
            case "messageStop" | "metadata":
                answer |= payload
    content = [_closed(blocks[index]) for index in sorted(blocks)]
    return {"output": {"message": {"role": "assistant", "content": content}}, **answer}


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    else:
        text = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})["reasoningText"]
        text["text"] += delta["reasoningContent"]["text"]


def _closed(block: dict[str, Any]) -> dict[str, Any]:
    """The block, with a call's arguments as an object; broken arguments become an empty one."""
    if "toolUse" not in block:
        return block
    try:
        arguments = json.loads(block["toolUse"]["input"])
    except ValueError:
        arguments = {}
    return {"toolUse": {**block["toolUse"], "input": arguments}}
