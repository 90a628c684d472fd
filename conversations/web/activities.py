"""A model's pictures and sources, and the tools that its provider ran."""

import json
from typing import Any

Message = dict[str, Any]

KINDS = {
    "turntable.image": "picture",
    "turntable.citation": "source",
    "turntable.server_tool": "server",
}


def kind(message: Message) -> str:
    """The kind of the block that an activity becomes, blank for any other message."""
    return KINDS.get(message.get("activityType", ""), "")


def use(message: Message) -> dict[str, Any]:
    """The tool use in a message about a tool of the provider, empty in any other."""
    return _part(message, "toolUse")


def result(message: Message) -> dict[str, Any]:
    """The tool result in a message about a tool of the provider, empty in any other."""
    return _part(message, "toolResult")


def _part(message: Message, member: str) -> dict[str, Any]:
    content = message["content"] if kind(message) == "server" else {}
    part: dict[str, Any] = content.get("server_tool", {}).get(member, {})
    return part


def name(message: Message) -> str:
    """The name of the tool that was used, or whose result it is."""
    return str(use(message).get("name") or result(message).get("type", "").removesuffix("_result"))


def arguments(message: Message) -> str:
    """The input of the use as text."""
    return _text(use(message).get("input"))


def outcome(message: Message) -> str:
    """The content of the result as text."""
    content = result(message).get("content")
    return "\n".join(map(_line, content)) if isinstance(content, list) else _text(content)


def _line(part: dict[str, Any]) -> str:
    if "text" in part:
        return str(part["text"])
    return _json(part if part.get("json") is None else part["json"])


def _text(value: Any) -> str:
    if isinstance(value, dict) and value.get("cut"):
        return str(value["json"])
    return value if isinstance(value, str) else "" if value is None else _json(value)


def _json(value: Any) -> str:
    """The value as `JSON.stringify` writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
