"""The result of a server's tool as the content of a Converse `toolResult`."""

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Literal, cast

from conversations.conf import settings
from conversations.protocol.text import beginning, clean_text
from conversations.tools import Content, Image, results

if TYPE_CHECKING:
    from mcp_types import (
        BlobResourceContents,
        CallToolResult,
        ContentBlock,
        ResourceLink,
        TextResourceContents,
    )

Format = Literal["png", "jpeg", "gif", "webp"]
FORMATS = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}


def content_of(result: "CallToolResult", *, takes_pictures: bool) -> Content:
    """The content: structured content as `json`, without its twin in text, and the other blocks."""
    blocks: Content = []
    structured = result.structured_content
    if structured is not None:
        blocks += results.content(structured if isinstance(structured, dict) else {"result": structured})
    for block in result.content:
        if structured is None or not _is_twin(block, structured):
            blocks += _blocks(block, takes_pictures=takes_pictures)
    return _within_limit(blocks) or results.text("")


def _is_twin(block: "ContentBlock", structured: Any) -> bool:
    """Whether a text says the same as the structured content, which servers send for older clients."""
    if block.type != "text":
        return False
    try:
        value = json.loads(block.text)
    except (ValueError, RecursionError):
        value = block.text
    twins = [structured]
    if isinstance(structured, dict) and structured.keys() == {"result"}:
        inner = structured["result"]
        twins += [inner, *(inner if isinstance(inner, list) else [])]
    return value in twins or block.text in twins


def _blocks(block: "ContentBlock", *, takes_pictures: bool) -> Content:
    match block.type:
        case "text":
            return [{"text": text}] if (text := clean_text(block.text)).strip() else []
        case "image":
            return _picture(block.data, block.mime_type, takes_pictures=takes_pictures)
        case "audio":
            return _note(f"audio, {block.mime_type}, {_size(block.data)}: it cannot be sent to a model")
        case "resource_link":
            return [{"text": _link(block)}]
        case _:
            return _resource(block.resource, takes_pictures=takes_pictures)


def _picture(data: str, mime_type: str, *, takes_pictures: bool) -> Content:
    kind = FORMATS.get(mime_type.lower())
    if kind is None or not takes_pictures:
        reason = "this model takes no pictures" if kind else "models take no such pictures"
        return _note(f"a picture, {mime_type}, {_size(data)}: {reason}")
    try:
        return results.content(Image(base64.b64decode(data, validate=True), cast("Format", kind)))
    except (binascii.Error, results.Unsendable):
        return _note(f"a picture, {mime_type}, {_size(data)}: it is damaged or too large")


def _resource(resource: "TextResourceContents | BlobResourceContents", *, takes_pictures: bool) -> Content:
    text = getattr(resource, "text", None)
    if text is not None:
        return [{"text": clean_text(f"{resource.uri}\n{text}")}]
    blob, mime_type = getattr(resource, "blob", ""), resource.mime_type or "application/octet-stream"
    if mime_type.lower() in FORMATS:
        return _picture(blob, mime_type, takes_pictures=takes_pictures)
    return _note(f"{resource.uri}, {mime_type}, {_size(blob)}: not sent to the model")


def _link(link: "ResourceLink") -> str:
    """The link as text. It is never followed by itself."""
    described = f": {link.description}" if link.description else ""
    return clean_text(f"{link.title or link.name} ({link.uri}){described}")


def _note(text: str) -> Content:
    return [{"text": f"[{clean_text(beginning(text, 400))}]"}]


def _size(data: str) -> str:
    return f"{len(data) * 3 // 4:,} bytes"


def _within_limit(blocks: Content) -> Content:
    """The blocks, with texts that exceed the limit together joined and cut."""
    texts = [block["text"] for block in blocks if "text" in block]
    if sum(map(_bytes, texts)) <= settings.TOOL_RESULT_LIMIT:
        return blocks
    return [*(block for block in blocks if "text" not in block), *results.text("\n".join(texts))]


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
