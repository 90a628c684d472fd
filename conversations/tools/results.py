"""What a tool returned, as the content of a Converse `toolResult`: clean, never blank, within the limit."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from pydantic_core import to_jsonable_python

from conversations.protocol.text import clean_json, cut_bytes

NO_OUTPUT = "(no output)"

Content = list[dict[str, Any]]


IMAGE_BYTES = 3_750_000
"""What Bedrock takes (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html)."""


@dataclass(frozen=True)
class Image:
    """A picture that a tool returns, alone or in a list beside texts."""

    data: bytes
    format: Literal["png", "jpeg", "gif", "webp"] = "png"


class Unsendable(Exception):
    """The result has no form in JSON."""


def content(result: Any) -> Content:
    """A dict as `json`, a str as `text`, nothing as `(no output)`, anything else as its JSON in `text`, and
    so is a dict over TOOL_RESULT_LIMIT bytes, cut there. An Image is an `image`, and a list with one in it a block
    for each of its members. Raises Unsendable."""
    if isinstance(result, Image):
        return [_image(result)]
    if isinstance(result, (list, tuple)) and any(isinstance(each, Image) for each in result):
        return [block for each in result for block in content(each)]
    if result is None or isinstance(result, str):
        return text(result or "")
    try:
        cleaned = clean_json(result, default=to_jsonable_python)
    except (TypeError, ValueError, RecursionError) as error:
        raise Unsendable(f"a {type(result).__name__} was returned") from error
    written = json.dumps(cleaned, ensure_ascii=False, allow_nan=False)
    if isinstance(result, dict) and _size(written) <= settings.TOOL_RESULT_LIMIT:
        return [{"json": cleaned}]
    return text(written)


def text(said: str) -> Content:
    """One text block; over TOOL_RESULT_LIMIT bytes it is cut and says so in a last line."""
    shown, is_cut = cut_bytes(said, settings.TOOL_RESULT_LIMIT)
    if is_cut:
        return [{"text": f"{shown}\n[cut: {_size(shown):,} of {_size(said):,} bytes]"}]
    return [{"text": shown if shown.strip() else NO_OUTPUT}]


def _image(image: Image) -> dict[str, Any]:
    if not 0 < len(image.data) <= IMAGE_BYTES:
        raise Unsendable(f"a picture of {len(image.data):,} bytes was returned, of at most {IMAGE_BYTES:,}")
    written = base64.b64encode(image.data).decode()
    return {"image": {"format": image.format, "source": {"bytes": written}}}


def _size(said: str) -> int:
    return len(said) if said.isascii() else len(said.encode(errors="replace"))
