"""Bedrock's own validation of a Converse request, in its own words.

The sentences are the service's, and Claude's where the service passes a model's refusal on, as public issue trackers
quote them; where models differ the strictest is taken, so that what passes here passes anywhere.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from conversations.demo_gateway import shapes
from conversations.demo_gateway.reply import is_forged
from conversations.demo_gateway.shapes import MODEL

NO_OBJECT = "The format of the value at {} is invalid. Provide a json object for the field and try again."
EMPTY = (
    "The content field in the {} object at {} is empty. Add a {} object to the content field and try again."
)
BLANK = "The text field in the ContentBlock object at {} is blank. Add text to the text field, and try again."
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
EXCEEDS = "The number of toolResult blocks at {} exceeds the number of toolUse blocks of previous turn."
POINT_AFTER = (
    "Cache point cannot be inserted after {} block. Please remove the invalid cache point and try again."
)
NO_POINT_AFTER = {"reasoningContent": "reasoning", "document": "document", "video": "video"}
TOGETHER = "Conversation blocks and tool result blocks cannot be provided in the same turn."
OWNERS = {"": ("Message", "ContentBlock"), "toolResult": ("ToolResultBlock", "ToolResultContentBlock")}


class Block(NamedTuple):
    """A content block: the number of its message, its path, its message's role, its kind and value."""

    number: int
    path: str
    role: str
    kind: str
    value: Any

    @property
    def use_id(self) -> str | None:
        """The id of a tool use that the caller has to answer; the service's own are exempt."""
        is_callers = self.kind == "toolUse" and self.value.get("type") != "server_tool_use"
        return self.value["toolUseId"] if is_callers else None

    @property
    def result_id(self) -> str | None:
        """The id of the tool use that a result answers."""
        return self.value["toolUseId"] if self.kind == "toolResult" else None


class Request:
    """A request that has the shape: its messages, all their blocks, its system prompt and tools."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.messages: list[Any] = body.get("messages") or []
        self.system: list[Any] = body.get("system") or []
        self.tool_config: Mapping[str, Any] = body.get("toolConfig") or {}
        self.tools: list[Any] = self.tool_config.get("tools", [])
        self.contents = [_blocks(number, message) for number, message in enumerate(self.messages)]
        self.blocks = [block for content in self.contents for block in content]


def _blocks(number: int, message: Mapping[str, Any]) -> list[Block]:
    members = (
        next(member for member in block.items() if member[1] is not None) for block in message["content"]
    )
    path, role = f"messages.{number}.content", message["role"]
    return [Block(number, f"{path}.{index}", role, *member) for index, member in enumerate(members)]


def refusal(body: Mapping[str, Any]) -> str | None:
    """The message of the ValidationException for a ConverseStream request; None if it is valid."""
    if misshapen := shapes.refusal(body):
        return misshapen
    request = Request(body)
    return next((text for rule in RULES for text in rule(request)), None)


def _objects(request: Request) -> Iterator[str]:
    tools, messages = {"toolConfig": request.tool_config}, {"messages": request.messages}
    for path, value in (*_documents(tools, ()), *_documents(messages, ())):
        if not isinstance(value, dict):
            yield NO_OBJECT.format(shapes.dotted_path(path))
        elif path[-2] == "inputSchema" and value.get("type") != "object":
            yield f"The value at {shapes.dotted_path(path)}.type must be one of the following: object."


def _documents(value: Any, path: shapes.Path) -> Iterator[tuple[shapes.Path, Any]]:
    """Each place where the service takes any JSON and wants an object."""
    if isinstance(value, list | dict):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            place = (*path, key)
            yield from [(place, member)] if key in ("input", "json") else _documents(member, place)


def _contents(request: Request) -> Iterator[tuple[str, str, list[Any]]]:
    """Owner, path and parts of the content of each message, tool result and citation."""
    yield from (("", f"messages.{n}", message["content"]) for n, message in enumerate(request.messages))
    for block in request.blocks:
        if block.kind in ("toolResult", "citationsContent"):
            yield block.kind, f"{block.path}.{block.kind}", block.value.get("content") or []


def _empty(request: Request) -> Iterator[str]:
    for owner, path, content in _contents(request):
        if not content and owner in OWNERS:
            yield EMPTY.format(OWNERS[owner][0], path, OWNERS[owner][1])


def _blank(request: Request) -> Iterator[str]:
    for _, path, content in _contents(request):
        yield from (BLANK.format(f"{path}.content.{i}") for i, part in enumerate(content) if _is_blank(part))
    if any(map(_is_blank, request.system)):
        yield f"{MODEL}system: text content blocks must contain non-whitespace text"


def _is_blank(part: Mapping[str, Any]) -> bool:
    return part.get("text") is not None and not part["text"].strip()


def _turns(request: Request) -> Iterator[str]:
    roles = [message["role"] for message in request.messages]
    if roles[:1] != ["user"]:
        yield FIRST_USER
    if any(one == other for one, other in pairwise(roles)):
        yield ALTERNATE


def _end(request: Request) -> Iterator[str]:
    if request.messages[-1]["role"] != "user":
        yield LAST_USER


def _misplaced(request: Request) -> Iterator[str]:
    """Blocks in a message of the wrong role; the service's own tools have results beside their calls."""
    served = {
        block.value["toolUseId"] for block in request.blocks if block.kind == "toolUse" and not block.use_id
    }
    for number, path, role, kind, value in request.blocks:
        match role, kind:
            case "assistant", "image" | "document" | "video" | "audio" | "searchResult":
                yield f"{MODEL}messages.{number}.content: '{kind}' blocks are not permitted within assistant turns."
            case "assistant", "toolResult" if value["toolUseId"] not in served:
                yield f"{MODEL}{path}: `tool_result` blocks can only be in `user` messages"
            case "user", "toolUse":
                yield f"{MODEL}{path}: `tool_use` blocks can only be in `assistant` messages"
            case "user", "reasoningContent":
                yield f"{MODEL}{path}: `thinking` blocks can only be in `assistant` messages"
            case _, "toolAddition" | "toolRemoval":
                yield f"{MODEL}{path}: '{kind}' blocks are only permitted in system messages"


def _signatures(request: Request) -> Iterator[str]:
    for block in request.blocks:
        text = block.value.get("reasoningText") if block.kind == "reasoningContent" else None
        if text and text.get("signature") is None:
            yield f"{MODEL}{block.path}.thinking.signature: Field required"
        elif text and (not text["signature"] or is_forged(text["text"], text["signature"])):
            yield f"{MODEL}{block.path}: Invalid `signature` in `thinking` block"


def _thinking(request: Request) -> Iterator[str]:
    """With thinking on, the tools' last round has to begin with its reasoning."""
    match request.body.get("additionalModelRequestFields"):
        case {"thinking": {"type": "enabled" | "adaptive"}}:
            own = [content for content in request.contents if content[0].role == "assistant"]
            last = own[-1] if own else []
            if any(block.use_id for block in last) and last[0].kind != "reasoningContent":
                kind = "tool_use" if last[0].kind == "toolUse" else last[0].kind
                yield f"{MODEL}{last[0].path}.type: {THINKING_FIRST.format(kind)}"


def _files(request: Request) -> Iterator[str]:
    blocks = request.blocks
    with_text = {block.number for block in blocks if block.kind == "text"}
    for block in blocks:
        if block.kind == "document":
            name = block.value["name"]
            if not re.fullmatch(r"[A-Za-z0-9_ \-()\[\]]+", name) or "  " in name:
                yield DOCUMENT_NAME
            if block.number not in with_text:
                yield DOCUMENT_ALONE


def _cache(request: Request) -> Iterator[str]:
    for one, other in pairwise(request.blocks):
        if other.kind == "cachePoint" and one.kind in NO_POINT_AFTER and one.number == other.number:
            yield POINT_AFTER.format(NO_POINT_AFTER[one.kind])
    beside = sum("cachePoint" in part for part in (*request.system, *request.tools))
    if (count := beside + sum(block.kind == "cachePoint" for block in request.blocks)) > 4:
        yield f"{MODEL}A maximum of 4 blocks with cache_control may be provided. Found {count}."


# -- tool uses and results: each use is answered in the next message, all in one


def _definitions(request: Request) -> Iterator[str]:
    config = request.tool_config
    if not config and any(block.kind in ("toolUse", "toolResult") for block in request.blocks):
        yield NO_TOOLS
    names = [tool["toolSpec"]["name"] for tool in request.tools if tool.get("toolSpec")]
    if len(set(names)) < len(names):
        yield f"{MODEL}tools: Tool names must be unique."
    choice = ((config.get("toolChoice") or {}).get("tool") or {}).get("name")
    if choice and choice not in names:
        yield f"{MODEL}Tool '{choice}' not found in provided tools"


def _pairs(request: Request) -> Iterator[str]:
    """Refusals of tool uses and results that do not pair; roles already alternate."""
    before: list[str] = []
    for number, blocks in enumerate(request.contents):
        uses = [block.use_id for block in blocks if block.use_id]
        if blocks[0].role == "assistant":
            yield from _duplicates("toolUse", number, uses)
        else:
            yield from _user_pairs(number, blocks, before)
        before = uses


def _user_pairs(number: int, blocks: list[Block], uses: list[str]) -> Iterator[str]:
    path, results = f"messages.{number}.content", [block.result_id for block in blocks if block.result_id]
    yield from _duplicates("toolResult", number, results)
    if len(results) > len(uses):
        yield EXCEEDS.format(path)
    if missing := [use_id for use_id in uses if use_id not in results]:
        yield f"Expected toolResult blocks at {path} for the following Ids: {', '.join(missing)}"
    if results and any(block.kind not in ("toolResult", "cachePoint") for block in blocks):
        yield f"{path}: {TOGETHER}"


def _duplicates(kind: str, number: int, ids: list[str]) -> Iterator[str]:
    if doubles := [use_id for use_id in dict.fromkeys(ids) if ids.count(use_id) > 1]:
        yield f"The {kind} blocks at messages.{number}.content contain duplicate Ids: {', '.join(doubles)}"


def _reused_ids(request: Request) -> Iterator[str]:
    """Claude wants each id once in the whole conversation."""
    ids: set[str] = set()
    for block in request.blocks:
        if block.use_id in ids:
            yield f"{MODEL}{block.path}: `tool_use` ids must be unique"
        ids |= {block.use_id} if block.use_id else set()


RULES: tuple[Callable[[Request], Iterator[str]], ...] = (
    *(_objects, _empty, _blank, _turns, _definitions, _misplaced, _pairs, _reused_ids),
    *(_signatures, _thinking, _files, _cache, _end),
)
