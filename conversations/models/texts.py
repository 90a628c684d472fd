"""The texts by which rows are searched: what a person reads of titles, messages and tool calls."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conversations.protocol.converse.content import RUN_BY_CLIENT

HIDDEN_MEMBERS = frozenset(
    {
        "signature",
        "redactedContent",
        "bytes",
        "toolUseId",
        "type",
        "status",
        "format",
        "location",
        "cachePoint",
        "id",
        "size",
    }
)
"""Members of content blocks that no page shows."""

JSON_MEMBERS = frozenset({"input", "json"})
"""Members of content blocks that hold any JSON, whose names are shown too."""

JSON_AT_MOST = 200_000
"""Characters of a text that is parsed as JSON."""

Member = tuple[Any, bool]
"""A value, and whether it is any JSON rather than content blocks."""


def of_conversation(row: Any) -> str:
    """A conversation's title."""
    return str(row.title)


def of_message(row: Any) -> str:
    """The text of a message with its reasoning and citations; its tool calls have rows of their own."""
    return "\n".join(_texts(row.content, is_json=False))


def of_call(row: Any) -> str:
    """A tool call's name, arguments and result."""
    arguments = row.arguments if row.input is None else row.input
    parts = [str(row.name), *_texts(arguments, is_json=True), *_texts(row.result, is_json=False)]
    return "\n".join(parts)


TEXTS: Mapping[str, Callable[[Any], str]] = {
    "conversation": of_conversation,
    "message": of_message,
    "toolcall": of_call,
}


def _texts(value: Any, *, is_json: bool) -> Iterator[str]:
    """The strings inside a value in their order, of JSON all names and numbers too."""
    waiting: list[Member] = [(value, is_json)]
    while waiting:
        value, is_json = waiting.pop()
        if isinstance(value, dict):
            waiting += reversed(list(_members(value, is_json)))
        elif isinstance(value, list):
            waiting += [(member, is_json) for member in reversed(value)]
        elif isinstance(value, str):
            parsed = _parsed(value)
            if parsed is None:
                yield value
            else:
                waiting.append((parsed, True))
        elif is_json and value is not None:
            yield json.dumps(value)


def _members(value: dict[Any, Any], is_json: bool) -> Iterator[Member]:
    for name, member in value.items():
        if is_json:
            yield str(name), False
            yield member, True
        elif name not in HIDDEN_MEMBERS and not _is_call(name, member):
            yield member, name in JSON_MEMBERS


def _is_call(name: Any, member: Any) -> bool:
    return name == "toolUse" and isinstance(member, dict) and member.get("type") in RUN_BY_CLIENT


def _parsed(text: str) -> Any:
    """The object or array in a text of JSON, to be searched without escapes; None for other texts."""
    if text[:1] not in ("{", "[") or len(text) > JSON_AT_MOST:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
