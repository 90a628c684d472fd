"""What the demo gateway decides to answer, before it becomes bytes."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Block = dict[str, Any]
Kind = Literal["whole", "cut", "dropped", "half", "checksum", "silent", "exception", "error"]
MARK = b"turntable-demo:"


@dataclass(frozen=True)
class Ending:
    """How a stream ends: whole, or in one of the ways that streams fail.

    An exception has a name and a message.
    """

    kind: Kind = "whole"
    name: str = ""
    message: str = ""
    early: bool = False


@dataclass(frozen=True)
class Reply:
    """Content blocks in Converse's form and how they are sent; `pause` is in seconds, after each sentence."""

    blocks: tuple[Block, ...]
    stop: str = "end_turn"
    ending: Ending = Ending()
    pause: float = 0.0
    trace: Mapping[str, Any] = field(default_factory=dict)
    metadata: bool = True
    strange: bool = False


@dataclass(frozen=True)
class Failure:
    """An HTTP answer instead of a stream, or none: `silence` keeps the caller waiting, `close` hangs up."""

    status: int
    body: Mapping[str, Any] | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    instead: Literal["", "silence", "close"] = ""


Answer = Reply | Failure


def text(words: str) -> Block:
    """A text block."""
    return {"text": words}


def picture(png: str) -> Block:
    """A picture block of a PNG in base64."""
    return {"image": {"format": "png", "source": {"bytes": png}}}


def say(*texts: str) -> Reply:
    """A reply of text blocks."""
    return Reply(tuple(map(text, texts)))


def call(name: str, arguments: Any, identifier: str = "") -> Block:
    """A tool use block with a new id; arguments that are a string are sent as they are, JSON or not."""
    return {"toolUse": {"toolUseId": identifier or new_id(), "name": name, "input": arguments}}


def new_id() -> str:
    """A tool use id as Bedrock makes them."""
    return f"tooluse_{secrets.token_urlsafe(16)}"


def tokens(value: Any) -> int:
    """About how many tokens a JSON value takes: four characters each."""
    return len(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) // 4 + 1


def spoken(block: Block) -> Any:
    """The part of a block that a model writes: the text, the tool input, or the whole of another block."""
    use = block.get("toolUse")
    return use["input"] if use else block.get("text", block)


def limited(reply: Reply, most: int | None) -> Reply:
    """The reply as far as `maxTokens` allows.

    The block that crosses the limit is cut, JSON or not, and is the last.
    """
    if most is None:
        return reply
    left = most
    for index, block in enumerate(reply.blocks):
        cost = tokens(spoken(block))
        if cost > left:
            blocks = (*reply.blocks[:index], *_cut(block, left * 4))
            return replace(reply, blocks=blocks, stop="max_tokens")
        left -= cost
    return reply


def _cut(block: Block, characters: int) -> tuple[Block, ...]:
    if "text" in block:
        return (text(block["text"][:characters] or "."),)
    use = block.get("toolUse")
    if not use:
        return ()
    written = use["input"] if isinstance(use["input"], str) else json.dumps(use["input"])
    return ({"toolUse": {**use, "input": written[:characters]}},)


def sign(text: str) -> str:
    """The gateway's signature of a reasoning text, in base64, which has to come back with it."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return base64.b64encode(MARK + digest).decode()


def forged(text: str, signature: str) -> bool:
    """Whether a signature made here stands under another text; signatures made elsewhere cannot be told."""
    return signature.startswith(base64.b64encode(MARK).decode()) and signature != sign(text)
