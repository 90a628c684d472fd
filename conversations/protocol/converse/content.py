"""Content blocks and messages in Converse's own shape, bytes as base64 text."""

import base64
import binascii
import hashlib
from typing import Any

Block = dict[str, Any]
Message = dict[str, Any]

RUN_BY_CLIENT = frozenset({None, "tool_use"})
"""`toolUse.type` of the calls that we run (Nova sends it). The service ran a `server_tool_use`."""


def text(value: str) -> Block:
    """A text block."""
    return {"text": value}


def is_blank(block: Block) -> bool:
    """Whether Bedrock would refuse the block as blank."""
    return "text" in block and not block["text"].strip()


def is_client_tool_use(block: Block) -> bool:
    """Whether the block asks us to run a tool."""
    return "toolUse" in block and block["toolUse"].get("type") in RUN_BY_CLIENT


def plain_text(content: list[Block]) -> str:
    """The text of all text blocks and citations, one after the other."""
    return "".join(
        block.get("text", "") or "".join(part.get("text", "") for part in cited_texts(block))
        for block in content
    )


def cited_texts(block: Block) -> list[Block]:
    """The texts of a citations block."""
    texts: list[Block] = block.get("citationsContent", {}).get("content", [])
    return texts


def picture_facts(image: Block) -> Block:
    """The facts of a picture without its bytes, and their SHA-256, by which pages fetch it."""
    data = picture_bytes(image)
    facts = {"format": image.get("format"), "size": len(data)}
    return facts | ({"sha256": hashlib.sha256(data).hexdigest()} if data else {})


def picture_bytes(image: Block) -> bytes:
    """The bytes of a picture, none where its source has no valid base64."""
    source = image.get("source")
    return (decode_base64(source.get("bytes")) if isinstance(source, dict) else None) or b""


def tool_result(tool_use_id: str, content: list[Block], *, is_error: bool) -> Block:
    """The block that answers a tool use; a success has no status, as not every model knows the field."""
    result: Block = {"toolUseId": tool_use_id, "content": content}
    if is_error:
        result["status"] = "error"
    return {"toolResult": result}


def decode_base64(value: Any) -> bytes | None:
    """The bytes of base64 text, None for anything else."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None


def encode_base64(value: bytes) -> str:
    """Bytes as base64 text."""
    return base64.b64encode(value).decode("ascii")
