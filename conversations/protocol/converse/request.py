"""A round's request: its messages, and its base, which is everything beside them."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from .capabilities import Capabilities
from .content import Message

Body = dict[str, Any]

LEAST_BUDGET = 1024
"""The fewest tokens that Claude takes as a budget of its reasoning."""


def base(
    system: str,
    inference: dict[str, Any],
    max_tokens: int,
    tools: Sequence[dict[str, Any]],
    messages: Sequence[Message],
) -> Body:
    """System prompt, settings and the tools offered.

    `maxTokens` is always set, as Bedrock's own default cuts at 4,096. Tools that the history speaks of are declared even where none is
    offered any more: Bedrock refuses tool blocks without `toolConfig`.
    """
    specs = list(tools) or [_stub(name) for name in _tool_names(messages)]
    body: Body = {"system": [{"text": system}]} if system.strip() else {}
    body["inferenceConfig"] = {"maxTokens": max_tokens} | inference
    return body | ({"toolConfig": {"tools": specs}} if specs else {})


def with_system(base: Body, system: str) -> Body:
    """The base with its system prompt, which a remedy may have moved into the messages."""
    return base if "system" in base or not system.strip() else {"system": [{"text": system}]} | base


def body(messages: Sequence[Message], base: Body) -> Body:
    """The request body, in the order in which it is sent."""
    return {"messages": list(messages), **base}


def encoded(value: Body) -> bytes:
    """The JSON bytes of a request body, as botocore writes them."""
    return json.dumps(value).encode("ascii")


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def budget_of(capabilities: Capabilities, max_tokens: int, wish: int | None = None) -> int:
    """The budget of a model's reasoning, 0 for none. Without a `wish` it is the catalogue's.

    The budget leaves at least a token for the answer.
    """
    most = min(max_tokens, capabilities.most_output_tokens or max_tokens)
    is_taken = capabilities.reasons is not False if wish is None else capabilities.reasons is True
    budget = min((capabilities.reasoning_budget or 0) if wish is None else wish, most - 1)
    return budget if is_taken and budget >= LEAST_BUDGET else 0


def with_reasoning(base: Body, capabilities: Capabilities, wish: int | None = None) -> Body:
    """The base with the budget of the model's reasoning, if it has one.

    Claude takes no sampling settings beside it.
    """
    settings = base["inferenceConfig"]
    budget = budget_of(capabilities, settings["maxTokens"], wish)
    if not budget:
        return base
    others = {name: value for name, value in settings.items() if name not in ("temperature", "topP")}
    thinking = {"thinking": {"type": "enabled", "budget_tokens": budget}}
    return base | {"inferenceConfig": others, "additionalModelRequestFields": thinking}


def _tool_names(messages: Sequence[Message]) -> list[str]:
    blocks = [block for message in messages for block in message["content"]]
    return sorted({block["toolUse"]["name"] for block in blocks if "toolUse" in block})


def _stub(name: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {}}
    return {
        "toolSpec": {"name": name, "description": "No longer available.", "inputSchema": {"json": schema}}
    }
