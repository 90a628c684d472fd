"""What the demo gateway decides to answer, before it becomes bytes: a reply or a failure."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Block = dict[str, Any]
Ending = Literal["whole", "cut", "dropped", "half", "checksum", "silent", "exception", "error"]

SIGNATURE_PREFIX = b"turntable-demo:"


@dataclass(frozen=True)
class Reply:
    """Content blocks in Converse's form, and how they are sent.

    A stream ends whole, or fails in the middle of its text. An exception or error has a name and a message.
    `pause` is in seconds, after each sentence.
    """

    blocks: tuple[Block, ...]
    stop: str = "end_turn"
    ending: Ending = "whole"
    error: tuple[str, str] = ("", "")
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

    @property
    def is_kongs(self) -> bool:
        """Whether the gateway answers this itself, without having asked Bedrock."""
        return "x-amzn-ErrorType" not in self.headers

    def written(self, request_id: str) -> bytes:
        """The body as it is sent: Kong adds the request's id to its own messages."""
        if isinstance(self.body, bytes):
            return self.body
        is_signed = self.is_kongs and "message" in self.body
        return json.dumps({**self.body, "request_id": request_id} if is_signed else self.body).encode()


Answer = Reply | Failure


def text(words: str) -> Block:
    """A text block."""
    return {"text": words}


def say(*texts: str) -> Reply:
    """A reply of text blocks."""
    return Reply(tuple(map(text, texts)))


def call(name: str, arguments: Any) -> Block:
    """A tool use block with a new id; arguments that are a string are sent as they are, JSON or not."""
    return {"toolUse": {"toolUseId": new_id(), "name": name, "input": arguments}}


def new_id() -> str:
    """A tool use id as Bedrock makes them."""
    return f"tooluse_{secrets.token_urlsafe(16)}"


def tokens(block: Block) -> int:
    """About how many tokens a model writes for a block: four characters each."""
    value = block["toolUse"]["input"] if "toolUse" in block else block.get("text", block)
    return len(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) // 4 + 1


def limited(reply: Reply, limit: int | None) -> Reply:
    """The reply as far as `maxTokens` allows.

    The block that crosses the limit is cut, JSON or not, and is the last.
    """
    if limit is None:
        return reply
    left = limit
    for index, block in enumerate(reply.blocks):
        if tokens(block) > left:
            blocks = (*reply.blocks[:index], *_cut(block, left * 4))
            return replace(reply, blocks=blocks, stop="max_tokens")
        left -= tokens(block)
    return reply


def _cut(block: Block, characters: int) -> tuple[Block, ...]:
    match block:
        case {"text": words}:
            return (text(words[:characters] or "."),)
        case {"toolUse": use}:
            written = use["input"] if isinstance(use["input"], str) else json.dumps(use["input"])
            return ({"toolUse": {**use, "input": written[:characters]}},)
    return ()


def sign(text: str) -> str:
    """The gateway's signature of a reasoning text, in base64, which has to come back with it."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return base64.b64encode(SIGNATURE_PREFIX + digest).decode()


def is_forged(text: str, signature: str) -> bool:
    """Whether a signature of this gateway stands under another text. Any other signature passes."""
    prefix = base64.b64encode(SIGNATURE_PREFIX).decode()
    return signature.startswith(prefix) and signature != sign(text)
