"""Cache points: places in a request up to which a model keeps it for the next request."""

from collections.abc import Iterable

from .content import Block, Message
from .request import Body

MOST = 4
"""Cache points that Converse takes in a request."""

LEAST = 4_000
"""Bytes of what stands before a cache point, some 1,000 tokens: less is kept by no model.

Claude keeps 1,024 tokens and more, Haiku 2,048 or 4,096, Nova 1,000 (docs.aws.amazon.com/bedrock, prompt caching).
"""

IN_MESSAGES = 2
"""Cache points in messages: after the user's newest, and after the one before it."""

MEDIA = frozenset({"image", "document", "video"})
POINT = {"cachePoint": {"type": "default"}}
PLACES = {
    "all": frozenset({"tools", "system", "messages"}),
    "untooled": frozenset({"system", "messages"}),
    "none": frozenset[str](),
}
"""The parts of a request that get cache points, by the value of the remedy."""


def with_points(body: Body, value: str) -> Body:
    """The request with the cache points that a value of `PLACES` stands for, in place of any others.

    Raises ValueError for another value.
    """
    if value not in PLACES:
        raise ValueError(f"{value} is no choice of cache points")
    body, places = without_points(body), PLACES[value]
    tools, system = body.get("toolConfig", {}).get("tools", []), body.get("system", [])
    missing = LEAST - _size(tools)
    if "tools" in places and missing <= 0:
        body["toolConfig"] = body["toolConfig"] | {"tools": [*tools, POINT]}
    missing -= _size(system)
    if "system" in places and system and missing <= 0:
        body["system"] = [*system, POINT]
    if "messages" in places:
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
    """The messages with cache points after the user's newest, from `missing` bytes on."""
    first = _first_long(messages, missing)
    spots = [(at, _spot(message)) for at, message in enumerate(messages) if message["role"] == "user"]
    after = dict([(at, spot) for at, spot in spots if spot and at >= first][-IN_MESSAGES:])
    return [_pointed(message, after[at]) if at in after else message for at, message in enumerate(messages)]


def _first_long(messages: list[Message], missing: int) -> int:
    """The number of the first message with whose end the bytes have come."""
    for at, message in enumerate(messages):
        missing -= _size(message["content"])
        if missing <= 0:
            return at
    return len(messages)


def _size(blocks: Iterable[Block]) -> int:
    """About the bytes of some blocks; a picture or document, which is named here, is long enough."""
    return sum(LEAST if MEDIA & block.keys() else len(repr(block)) for block in blocks)


def _spot(message: Message) -> int:
    """The number of blocks before a cache point; 0: nowhere.

    It must not follow on a document or a video.
    """
    content = message["content"]
    ends = (at for at in range(len(content), 0, -1) if {"text", "toolResult"} & content[at - 1].keys())
    return next(ends, 0)


def _pointed(message: Message, spot: int) -> Message:
    content = message["content"]
    return message | {"content": [*content[:spot], POINT, *content[spot:]]}
