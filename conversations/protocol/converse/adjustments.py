"""What each kind of remedy changes in a copy of a request. To change it twice does no harm."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from .attached import without
from .cache import with_points
from .content import Block, Message, is_client_tool_use, text
from .history import CONTINUE, INTERRUPTED
from .request import Body

WIDEST = 2**63 - 1
"""The largest signed integer of 64 bits."""

SENTINEL = 2**53 - 1
"""The largest integer that a double holds exactly. Schemas write it as a bound if they have none."""

WITHHELD = "(This result is left out: it was refused, or was too long.)"
NO_PICTURE = "(A picture, which is left out.)"
NO_DOCUMENT = "(A document, which is left out.)"
MEDIA = {"pictures": (("image", "video"), NO_PICTURE), "documents": (("document",), NO_DOCUMENT)}


def with_change(body: Body, kind: str, value: Any) -> Body:
    """The request with the change of a remedy of this kind."""
    match kind:
        case "tools":
            return _without_tools(body)
        case "system":
            return _without_system(body)
        case "numbers":
            return _without_wide_numbers(body)
        case "sampling" | "max_tokens" | "room":
            return body | {"inferenceConfig": _settings(body["inferenceConfig"], kind, value)}
        case "cache":
            return with_points(body, value)
        case _:
            return body | {"messages": _messages(body["messages"], kind, value)}


def _messages(messages: list[Message], kind: str, value: Any) -> list[Message]:
    match kind:
        case "unanswered":
            return _answered(messages)
        case "reasoning":
            return _without_reasoning(messages, len(messages) if value == "all" else last_question(messages))
        case "split":
            return [part for message in messages for part in _split(message)]
        case _:
            return _with_blocks(messages, lambda block: [_changed_block(block, kind, value)])


def _changed_block(block: Block, kind: str, value: Any) -> Block:
    match kind:
        case "results":
            return _withheld(block, value)
        case "status":
            return _without_status(block)
        case "attachments":
            return without(block, value)
        case _:
            return _without_media(block, *MEDIA[kind])


def last_question(messages: list[Message]) -> int:
    """The index of the last message in which the user speaks, which begins the turn."""
    indexes = (
        at
        for at in reversed(range(len(messages)))
        if messages[at]["role"] == "user"
        and any(not {"toolResult", "cachePoint"} & block.keys() for block in messages[at]["content"])
    )
    return next(indexes, 0)


def _settings(settings: dict[str, Any], kind: str, value: Any) -> dict[str, Any]:
    if kind == "sampling":
        return {name: setting for name, setting in settings.items() if name not in value}
    return settings | {"maxTokens": min(settings["maxTokens"], value)}


def _with_blocks(messages: list[Message], change: Callable[[Block], list[Block]]) -> list[Message]:
    return [
        message | {"content": [new for block in message["content"] for new in change(block)]}
        for message in messages
    ]


def _answered(messages: list[Message]) -> list[Message]:
    """The messages without questions that were never answered, and without the marks after them."""
    mark = {"role": "assistant", "content": [text(INTERRUPTED)]}
    answered: list[Message] = []
    for message in messages:
        if message == mark and answered and not _has_results(answered[-1]):
            answered.pop()
        else:
            answered.append(message)
    return answered


def _has_results(message: Message) -> bool:
    return any("toolResult" in block for block in message["content"])


def _without_reasoning(messages: list[Message], end: int) -> list[Message]:
    without = _with_blocks(messages[:end], lambda block: [] if "reasoningContent" in block else [block])
    return [
        message if message["content"] else message | {"content": [text(INTERRUPTED)]} for message in without
    ] + messages[end:]


def _split(message: Message) -> list[Message]:
    """A message with text beside tool calls as two, with a word of the user's between."""
    words = [block for block in message["content"] if "text" in block]
    if not words or not any(is_client_tool_use(block) for block in message["content"]):
        return [message]
    calls = [block for block in message["content"] if "text" not in block]
    return [
        message | {"content": words},
        {"role": "user", "content": [text(CONTINUE)]},
        message | {"content": calls},
    ]


def _withheld(block: Block, ids: list[str]) -> Block:
    if "toolResult" not in block or block["toolResult"]["toolUseId"] not in ids:
        return block
    return {"toolResult": block["toolResult"] | {"content": [text(WITHHELD)]}}


def _without_status(block: Block) -> Block:
    if "toolResult" not in block:
        return block
    return {"toolResult": {name: value for name, value in block["toolResult"].items() if name != "status"}}


def _without_media(block: Block, kinds: tuple[str, ...], line: str) -> Block:
    if "toolResult" in block:
        content = [_without_media(part, kinds, line) for part in block["toolResult"]["content"]]
        return {"toolResult": block["toolResult"] | {"content": content}}
    return text(line) if any(kind in block for kind in kinds) else block


def _without_tools(body: Body) -> Body:
    names = {
        block["toolUse"]["toolUseId"]: block["toolUse"]["name"]
        for message in body["messages"]
        for block in message["content"]
        if "toolUse" in block
    }
    messages = _with_blocks(body["messages"], lambda block: _as_text(block, names))
    return {name: value for name, value in body.items() if name != "toolConfig"} | {"messages": messages}


def _as_text(block: Block, names: Mapping[str, str]) -> list[Block]:
    """A call or a result as text; pictures and documents of a result stay what they are."""
    if "toolUse" in block:
        use = block["toolUse"]
        return [text(f"(Tool call {use['name']}: {json.dumps(use['input'], ensure_ascii=False)})")]
    if "toolResult" not in block:
        return [block]
    result = block["toolResult"]
    parts = result["content"]
    words = [
        part["text"] if "text" in part else json.dumps(part["json"], ensure_ascii=False)
        for part in parts
        if "text" in part or "json" in part
    ]
    media = [part for part in parts if "text" not in part and "json" not in part]
    return [text(f"(Result of {names.get(result['toolUseId'], 'a tool')}: {' '.join(words)})"), *media]


def _without_system(body: Body) -> Body:
    words = [text(block["text"]) for block in body.get("system", ()) if "text" in block]
    first, *rest = body["messages"]
    messages = [first | {"content": [*words, *first["content"]]}, *rest]
    return {name: value for name, value in body.items() if name != "system"} | {"messages": messages}


def _without_wide_numbers(body: Body) -> Body:
    messages = _with_blocks(body["messages"], lambda block: [_narrow_block(block)])
    tools = {"toolConfig": _unbounded(body["toolConfig"])} if "toolConfig" in body else {}
    return body | {"messages": messages} | tools


def _narrow_block(block: Block) -> Block:
    is_of_tool = "toolUse" in block or "toolResult" in block
    narrow: Block = _narrow(block) if is_of_tool else block
    return narrow


def _narrow(value: Any) -> Any:
    """A JSON value whose integers beyond 64 bits are text."""
    if isinstance(value, dict):
        return {name: _narrow(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_narrow(member) for member in value]
    return str(value) if _is_number(value, int) and abs(value) >= WIDEST else value


def _unbounded(schema: Any) -> Any:
    """A schema without bounds that stand for none; wide numbers in its lists of values become text."""
    if isinstance(schema, list):
        return [_unbounded(member) for member in schema]
    if not isinstance(schema, dict):
        return _narrow(schema)
    return {
        name: _unbounded(member)
        for name, member in schema.items()
        if not (_is_number(member, int | float) and abs(member) >= SENTINEL)
    }


def _is_number(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
