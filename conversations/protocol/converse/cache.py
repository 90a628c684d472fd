"""Cache points: marks in a request. A model keeps what stands before them for the next request."""

from collections.abc import Iterable

from .content import Block, Message
from .request import Body

MOST = 4
"""Cache points that Converse takes in a request."""

LEAST = 4_000
"""Bytes that have to stand before a cache point, some 1,000 tokens: no model keeps less.

Claude keeps 1,024 tokens and more, Haiku 2,048 or 4,096, Nova 1,000 (docs.aws.amazon.com/bedrock, prompt caching).
"""

IN_MESSAGES = 2
"""Cache points in messages: after the user's newest, and after the one before it."""

MEDIA = frozenset({"image", "document", "video"})
POINT = {"cachePoint": {"type": "default"}}
PARTS = {
    "all": frozenset({"tools", "system", "messages"}),
    "untooled": frozenset({"system", "messages"}),
    "none": frozenset[str](),
}
"""The parts of a request that get cache points, by the value of the remedy."""


def with_points(body: Body, value: str) -> Body:
    """The request with cache points in the parts that `PARTS` names for the value, and no others.

    Raises ValueError for another value.
    """
    if value not in PARTS:
        raise ValueError(f"{value} is no choice of cache points")
    body, parts = without_points(body), PARTS[value]
    tools, system = body.get("toolConfig", {}).get("tools", []), body.get("system", [])
    missing = LEAST - _size(tools)
    if "tools" in parts and missing <= 0:
        body["toolConfig"] = body["toolConfig"] | {"tools": [*tools, POINT]}
    missing -= _size(system)
    if "system" in parts and system and missing <= 0:
        body["system"] = [*system, POINT]
    if "messages" in parts:
        body["messages"] = _with_points(body["messages"], missing)
    return body


def without_points(body: Body) -> Body:
    """The request without cache points."""
    without = dict(body)
    if "toolConfig" in body:
        tools = {name: _plain(part) if name == "tools" else part for name, part in body["toolConfig"].items()}
        without["toolConfig"] = tools
    if "system" in body:
        without["system"] = _plain(body["system"])
    without["messages"] = [message | {"content": _plain(message["content"])} for message in body["messages"]]
    return without


def _plain(blocks: Iterable[Block]) -> list[Block]:
    return [block for block in blocks if "cachePoint" not in block]


def _with_points(messages: list[Message], missing: int) -> list[Message]:
    """The messages with cache points in the user's newest, once `missing` bytes stand before them."""
    first = _first_long(messages, missing)
    offsets = {at: _offset(message) for at, message in enumerate(messages) if message["role"] == "user"}
    newest = dict([(at, offset) for at, offset in offsets.items() if offset and at >= first][-IN_MESSAGES:])
    return [
        _with_point(message, newest[at]) if at in newest else message for at, message in enumerate(messages)
    ]


def _first_long(messages: list[Message], missing: int) -> int:
    """The index of the first message at whose end no bytes are missing any more."""
    for index, message in enumerate(messages):
        missing -= _size(message["content"])
        if missing <= 0:
            return index
    return len(messages)


def _size(blocks: Iterable[Block]) -> int:
    """About the bytes of some blocks; a picture or document, whose bytes are not here, is long enough."""
    return sum(LEAST if MEDIA & block.keys() else len(repr(block)) for block in blocks)


def _offset(message: Message) -> int:
    """The number of blocks before a message's cache point, 0 for no point.

    It must not follow on a document or a video.
    """
    content = message["content"]
    ends = (at for at in range(len(content), 0, -1) if {"text", "toolResult"} & content[at - 1].keys())
    return next(ends, 0)


def _with_point(message: Message, offset: int) -> Message:
    content = message["content"]
    return message | {"content": [*content[:offset], POINT, *content[offset:]]}
