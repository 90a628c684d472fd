"""A tool's result as the content of a Converse `toolResult`: clean, not blank, within the limit."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import to_jsonable_python

from conversations.conf import settings
from conversations.protocol.text import clean_json, cut_bytes

NO_OUTPUT = "(no output)"

Content = list[dict[str, Any]]


IMAGE_BYTES = 3_750_000
"""Bedrock's limit (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html>)."""


@dataclass(frozen=True)
class Image:
    """A picture that a tool returns, alone or in a list beside texts."""

    data: bytes
    format: Literal["png", "jpeg", "gif", "webp"] = "png"


class Unsendable(Exception):
    """The result has no form in JSON."""


def content(result: Any) -> Content:
    """A result as content blocks; raises Unsendable for one that has no form in JSON.

    A dict becomes `json`, a str `text`, nothing `(no output)`, anything else its JSON in `text`, and so does a dict over
    TOOL_RESULT_LIMIT bytes, cut there. An Image becomes an `image`, a list with one in it the blocks of its members.
    """
    if isinstance(result, Image):
        return [_image(result)]
    if isinstance(result, (list, tuple)) and any(isinstance(member, Image) for member in result):
        return [block for member in result for block in content(member)]
    if result is None or isinstance(result, str):
        return text(result or "")
    try:
        cleaned = clean_json(result, default=to_jsonable_python)
    except (TypeError, ValueError, RecursionError) as error:
        raise Unsendable(f"a {type(result).__name__} was returned") from error
    encoded = json.dumps(cleaned, ensure_ascii=False, allow_nan=False)
    if isinstance(result, dict) and _size(encoded) <= settings.TOOL_RESULT_LIMIT:
        return [{"json": cleaned}]
    return text(encoded)


def text(value: str) -> Content:
    """One text block; over TOOL_RESULT_LIMIT bytes it is cut, and its last line says so."""
    beginning, is_cut = cut_bytes(value, settings.TOOL_RESULT_LIMIT)
    if is_cut:
        return [{"text": f"{beginning}\n[cut: {_size(beginning):,} of {_size(value):,} bytes]"}]
    return [{"text": beginning if beginning.strip() else NO_OUTPUT}]


def _image(image: Image) -> dict[str, Any]:
    if not 0 < len(image.data) <= IMAGE_BYTES:
        raise Unsendable(f"a picture of {len(image.data):,} bytes was returned, of at most {IMAGE_BYTES:,}")
    encoded = base64.b64encode(image.data).decode()
    return {"image": {"format": image.format, "source": {"bytes": encoded}}}


def _size(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode(errors="replace"))
