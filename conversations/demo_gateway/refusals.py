"""Bedrock's own validation of a Converse request, in its own words.

The sentences are the service's, and Claude's where the service passes a model's refusal on, as public issue trackers
quote them; where models differ the strictest is taken, so that what passes here passes anywhere.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from conversations.demo_gateway.reply import forged
from conversations.demo_gateway.shapes import MODEL, Path, dotted, refused

Body = Mapping[str, Any]

EMPTY = (
    "The content field in the {} object at {} is empty. Add a {} object to the content field and try again."
)
FIRST_USER = "A conversation must start with a user message. Try again with a conversation that starts with a user message."
ALTERNATE = (
    "A conversation must alternate between user and assistant roles. "
    "Make sure the conversation alternates between user and assistant roles and try again."
)
LAST_USER = (
    "This model does not support assistant message prefill. The conversation must end with a user message."
)
DOCUMENT_NAME = (
    "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, "
    "and square brackets. The name can't contain more than one consecutive whitespace character."
)
DOCUMENT_ALONE = (
    "A text block must be included when using documents. Add a text block and retry your request."
)
THINKING_FIRST = (
    "Expected `thinking` or `redacted_thinking`, but found `{}`. When `thinking` is enabled, a final `assistant` "
    "message must start with a thinking block"
)
NO_TOOLS = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
POINT_AFTER = (
    "Cache point cannot be inserted after {} block. Please remove the invalid cache point and try again."
)
NO_POINT_AFTER = {"reasoningContent": "reasoning", "document": "document", "video": "video"}
TOGETHER = "Conversation blocks and tool result blocks cannot be provided in the same turn."


def refusal(body: Body) -> str | None:
    """The message of the ValidationException for a ConverseStream request; None if it is valid."""
    misshapen = refused(body)
    if misshapen:
        return misshapen
    return next((text for rule in RULES for text in rule(body)), None)


def _messages(body: Body) -> list[Any]:
    return body.get("messages") or []


def _blocks(body: Body) -> Iterator[tuple[Path, str, str, Any]]:
    """Path, role, kind and value of each content block."""
    for number, message in enumerate(_messages(body)):
        for index, block in enumerate(message["content"]):
            kind, value = next(member for member in block.items() if member[1] is not None)
            yield ("messages", number, "content", index), message["role"], kind, value


def _results(body: Body) -> Iterator[tuple[Path, Any]]:
    yield from ((path, value) for path, _, kind, value in _blocks(body) if kind == "toolResult")


def _objects(body: Body) -> Iterator[str]:
    for path, value in _documents(body):
        if not isinstance(value, dict):
            yield (
                f"The format of the value at {dotted(path)} is invalid. "
                "Provide a json object for the field and try again."
            )
        elif path[-2] == "inputSchema" and value.get("type") != "object":
            yield f"The value at {dotted(path)}.type must be one of the following: object."


def _documents(body: Body) -> Iterator[tuple[Path, Any]]:
    """Each place where the service takes any JSON and wants an object."""
    for index, tool in enumerate((body.get("toolConfig") or {}).get("tools", [])):
        if tool.get("toolSpec"):
            path: Path = ("toolConfig", "tools", index, "toolSpec", "inputSchema", "json")
            yield path, tool["toolSpec"]["inputSchema"]["json"]
    for path, _, kind, value in _blocks(body):
        if kind == "toolUse":
            yield (*path, "toolUse", "input"), value["input"]
    for path, result in _results(body):
        for index, part in enumerate(result["content"]):
            if "json" in part:
                yield (*path, "toolResult", "content", index, "json"), part["json"]


def _empty(body: Body) -> Iterator[str]:
    for number, message in enumerate(_messages(body)):
        if not message["content"]:
            yield EMPTY.format("Message", f"messages.{number}", "ContentBlock")
    for path, result in _results(body):
        if not result["content"]:
            yield EMPTY.format("ToolResultBlock", f"{dotted(path)}.toolResult", "ToolResultContentBlock")


def _texts(body: Body) -> Iterator[tuple[Path, Any]]:
    for path, _, kind, value in _blocks(body):
        yield path, value if kind == "text" else None
        if kind in ("toolResult", "citationsContent"):
            for index, part in enumerate(value.get("content") or []):
                yield (*path, kind, "content", index), part.get("text")


def _blank(body: Body) -> Iterator[str]:
    for path, text in _texts(body):
        if text is not None and not text.strip():
            yield (
                f"The text field in the ContentBlock object at {dotted(path)} is blank. "
                "Add text to the text field, and try again."
            )
    for part in body.get("system") or []:
        if part.get("text") is not None and not part["text"].strip():
            yield f"{MODEL}system: text content blocks must contain non-whitespace text"


def _turns(body: Body) -> Iterator[str]:
    roles = [message["role"] for message in _messages(body)]
    if roles[:1] != ["user"]:
        yield FIRST_USER
    if any(one == other for one, other in pairwise(roles)):
        yield ALTERNATE


def _ends(body: Body) -> Iterator[str]:
    if _messages(body)[-1]["role"] != "user":
        yield LAST_USER


def _misplaced(body: Body) -> Iterator[str]:
    """Blocks that stand in a message of the wrong role."""
    for path, role, kind, _ in _blocks(body):
        if role == "assistant" and kind in ("image", "document", "video", "audio", "searchResult"):
            yield f"{MODEL}messages.{path[1]}.content: '{kind}' blocks are not permitted within assistant turns."
        if role == "user" and kind == "reasoningContent":
            yield f"{MODEL}{dotted(path)}: `thinking` blocks can only be in `assistant` messages"
        if kind in ("toolAddition", "toolRemoval"):
            yield f"{MODEL}{dotted(path)}: '{kind}' blocks are only permitted in system messages"


def _signatures(body: Body) -> Iterator[str]:
    for path, _, kind, value in _blocks(body):
        text = value.get("reasoningText") if kind == "reasoningContent" else None
        if text and text.get("signature") is None:
            yield f"{MODEL}{dotted(path)}.thinking.signature: Field required"
        elif text and (not text["signature"] or forged(text["text"], text["signature"])):
            yield f"{MODEL}{dotted(path)}: Invalid `signature` in `thinking` block"


def _thinking(body: Body) -> Iterator[str]:
    """With thinking on, the tools' last round has to begin with its reasoning."""
    fields = body.get("additionalModelRequestFields")
    thinking = fields.get("thinking") if isinstance(fields, dict) else None
    numbers = [n for n, message in enumerate(_messages(body)) if message["role"] == "assistant"]
    if not numbers or not isinstance(thinking, dict) or thinking.get("type") not in ("enabled", "adaptive"):
        return
    content = _messages(body)[numbers[-1]]["content"]
    uses = any(own_use_id(block) for block in content)
    if uses and "reasoningContent" not in content[0]:
        kind = "tool_use" if "toolUse" in content[0] else next(iter(content[0]))
        yield f"{MODEL}messages.{numbers[-1]}.content.0.type: {THINKING_FIRST.format(kind)}"


def _files(body: Body) -> Iterator[str]:
    for path, _, kind, value in _blocks(body):
        if kind != "document":
            continue
        if not re.fullmatch(r"[A-Za-z0-9_ \-()\[\]]+", value["name"]) or "  " in value["name"]:
            yield DOCUMENT_NAME
        message = _messages(body)[int(path[1])]
        if not any(block.get("text") for block in message["content"]):
            yield DOCUMENT_ALONE


def _cache(body: Body) -> Iterator[str]:
    tools = (body.get("toolConfig") or {}).get("tools", [])
    contents = [message["content"] for message in _messages(body)]
    count = sum(
        "cachePoint" in block for part in (*contents, body.get("system") or [], tools) for block in part
    )
    yield from _misplaced_points(contents)
    if count > 4:
        yield f"{MODEL}A maximum of 4 blocks with cache_control may be provided. Found {count}."


def _misplaced_points(contents: list[list[Any]]) -> Iterator[str]:
    for content in contents:
        kinds = ["", *(next(iter(block), "") for block in content)]
        for before, kind in pairwise(kinds):
            if kind == "cachePoint" and before in NO_POINT_AFTER:
                yield POINT_AFTER.format(NO_POINT_AFTER[before])


# -- tool uses and results: each use is answered in the next message, all in one


def own_use_id(block: Mapping[str, Any]) -> str | None:
    """The id of the tool use that the caller has to answer; the service's own are exempt."""
    use = block.get("toolUse")
    return use["toolUseId"] if use and use.get("type") != "server_tool_use" else None


def _pairs(body: Body) -> Iterator[str]:
    """Refusals of tool uses and results that do not pair; roles already alternate."""
    messages = _messages(body)
    if not body.get("toolConfig") and any(_has_tools(message) for message in messages):
        yield NO_TOOLS
    yield from _definitions(body.get("toolConfig") or {})
    for number, message in enumerate(messages):
        if message["role"] == "assistant":
            yield from _assistant_pairs(number, message["content"])
        else:
            yield from _user_pairs(
                number, message["content"], messages[number - 1]["content"] if number else []
            )
    yield from _reused_ids(messages)


def _has_tools(message: Mapping[str, Any]) -> bool:
    return any(block.get("toolUse") or block.get("toolResult") for block in message["content"])


def _definitions(config: Mapping[str, Any]) -> Iterator[str]:
    names = [tool["toolSpec"]["name"] for tool in config.get("tools", []) if tool.get("toolSpec")]
    if len(set(names)) < len(names):
        yield f"{MODEL}tools: Tool names must be unique."
    choice = ((config.get("toolChoice") or {}).get("tool") or {}).get("name")
    if choice and choice not in names:
        yield f"{MODEL}Tool '{choice}' not found in provided tools"


def _assistant_pairs(number: int, content: list[Any]) -> Iterator[str]:
    served = {
        block["toolUse"]["toolUseId"] for block in content if block.get("toolUse") and not own_use_id(block)
    }
    for index, block in enumerate(content):
        if block.get("toolResult") and block["toolResult"]["toolUseId"] not in served:
            yield f"{MODEL}messages.{number}.content.{index}: `tool_result` blocks can only be in `user` messages"
    yield from _duplicates("toolUse", number, [name for name in map(own_use_id, content) if name])


def _user_pairs(number: int, content: list[Any], before: list[Any]) -> Iterator[str]:
    for index, block in enumerate(content):
        if block.get("toolUse"):
            yield f"{MODEL}messages.{number}.content.{index}: `tool_use` blocks can only be in `assistant` messages"
    uses = [name for name in map(own_use_id, before) if name]
    results = [block["toolResult"]["toolUseId"] for block in content if block.get("toolResult")]
    yield from _duplicates("toolResult", number, results)
    if len(results) > len(uses):
        yield (
            f"The number of toolResult blocks at messages.{number}.content "
            "exceeds the number of toolUse blocks of previous turn."
        )
    missing = [name for name in uses if name not in results]
    if missing:
        yield f"Expected toolResult blocks at messages.{number}.content for the following Ids: {', '.join(missing)}"
    if results and any(not {"toolResult", "cachePoint"} & block.keys() for block in content):
        yield f"messages.{number}.content: {TOGETHER}"


def _duplicates(kind: str, number: int, names: list[str]) -> Iterator[str]:
    doubles = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if doubles:
        yield f"The {kind} blocks at messages.{number}.content contain duplicate Ids: {', '.join(doubles)}"


def _reused_ids(messages: list[Any]) -> Iterator[str]:
    """Claude wants each id once in the whole conversation."""
    ids: set[str] = set()
    for number, message in enumerate(messages):
        for index, block in enumerate(message["content"]):
            name = own_use_id(block)
            if name in ids:
                yield f"{MODEL}messages.{number}.content.{index}: `tool_use` ids must be unique"
            ids |= {name} if name else set()


RULES: tuple[Callable[[Body], Iterator[str]], ...] = (
    _objects,
    _empty,
    _blank,
    _turns,
    _misplaced,
    _pairs,
    _signatures,
    _thinking,
    _files,
    _cache,
    _ends,
)
