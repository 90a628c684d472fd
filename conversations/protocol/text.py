"""Cleans text and JSON from outside, so that every database, socket and model takes them.

PostgreSQL refuses NUL in text and in jsonb, and lone surrogates and NaN in jsonb; SQLite takes them all, and
UTF-8 has no surrogates at all. So none of them is stored, on any database.
"""

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import regex

DEPTH = 32
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_EXCERPT_LENGTH = 200

BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that reorder the text around them (<https://trojansource.codes>)."""

_CLUSTER = regex.compile(r"\X")

Path = tuple[int, ...]

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""A surrogate as JSON escapes it."""


def clean_text(text: str) -> str:
    """The text with NUL and lone surrogates as U+FFFD, and each surrogate pair as the character it means."""
    text = str.__str__(text).replace("\0", REPLACEMENT)
    if _is_encodable(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_json(value: Any, *, default: Callable[[Any], Any] | None = None) -> Any:
    """A copy in JSON's own types, its strings and keys cleaned.

    Tuples become lists and bytes base64. Numbers that no double can hold (NaN, infinities, integers beyond 1.8e308) become None.
    Objects and arrays nested over 32 levels deep become the beginning of their JSON text. `default` turns any other object into one
    of these.

    Raises TypeError for an object that is none of these, ValueError for one that contains itself.
    """
    return _Cleaning(default).value(value, ())


def parse_json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that the text holds, cleaned; {} for blank text, None for anything else.

    Numbers that no double can hold and nesting over 32 count as anything else.
    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite_float, parse_int=_finite_int)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or _is_deeper(value, DEPTH):
        return None
    cleaned: dict[str, Any] = clean_json(value)
    return cleaned


def is_whole(text: str) -> bool:
    """Whether each half of a surrogate pair has its other half in the text."""
    if _is_encodable(text):
        return True
    return _is_encodable(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass"))


def is_whole_json(text: str) -> bool:
    """Whether the text is whole, and also the strings that it holds where it is JSON."""
    if not (_SURROGATE.search(text) and is_whole(text)):
        return is_whole(text)
    try:
        return _is_encodable(json.dumps(json.loads(text), ensure_ascii=False))
    except (ValueError, RecursionError):
        return True


def cut_bytes(text: str, limit: int) -> tuple[str, bool]:
    """The longest beginning of the cleaned text within `limit` bytes of UTF-8, and whether that is a cut."""
    # A character takes a byte at least, so characters beyond these cannot fit.
    data = clean_text(text[: max(limit, 0) + 1]).encode()
    if len(data) <= max(limit, 0):
        return data.decode(), False
    return data[: max(limit, 0)].decode(errors="ignore"), True


def beginning(text: str, most: int) -> str:
    """The beginning of a text for a person, at most `most` characters long.

    No family, flag or accented letter is cut apart, unless it is longer than `most` itself.
    """
    if len(text) <= most:
        return text
    *_, last = _CLUSTER.finditer(text[: most + 1])
    return text[: last.start() or most]


@dataclass(frozen=True)
class _Cleaning:
    default: Callable[[Any], Any] | None

    def value(self, value: Any, path: Path) -> Any:
        """The value, cleaned; `path` holds the ids of the containers around it."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return clean_text(value)
        if isinstance(value, int | float):
            return _number(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return base64.b64encode(value).decode()
        if isinstance(value, Mapping | list | tuple):
            return self.container(value, path)
        if self.default is None:
            raise TypeError(f"{type(value).__name__} has no form in JSON")
        return self.value(self.default(value), path)

    def container(self, value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], path: Path) -> Any:
        if id(value) in path:
            raise ValueError(f"a {type(value).__name__} that contains itself has no form in JSON")
        if len(path) >= DEPTH:
            return _json_excerpt(value)
        inside = (*path, id(value))
        if isinstance(value, Mapping):
            return {self.key(key): self.value(item, inside) for key, item in value.items()}
        return [self.value(item, inside) for item in value]

    def key(self, key: Any) -> str:
        name = self.value(key, ())
        return name if isinstance(name, str) else json.dumps(name)


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(value: float) -> float | None:
    try:
        if not math.isfinite(value):
            return None
    except OverflowError:
        return None
    return int(value) if isinstance(value, int) else float(value)


def _json_excerpt(value: Any) -> str:
    """The first characters of a value's JSON text; what follows, however deep, is never encoded."""
    parts, length = [], 0
    with suppress(TypeError, ValueError, RecursionError):
        for part in json.JSONEncoder(default=str).iterencode(value):
            parts.append(part)
            length += len(part)
            if length > _EXCERPT_LENGTH:
                break
    text = "".join(parts)
    return text if length <= _EXCERPT_LENGTH else f"{text[:_EXCERPT_LENGTH]}..."


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite_float(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("no double can hold the number")
    return value


def _finite_int(number: str) -> int:
    _finite_float(number)
    return int(number)


def _is_deeper(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if not depth:
        return True
    items = value.values() if isinstance(value, dict) else value
    return any(_is_deeper(item, depth - 1) for item in items)


def visible(text: str) -> str:
    """The text with each character that reorders it replaced by its number, `[U+202E]`."""
    return BIDI.sub(lambda match: f"[U+{ord(match[0]):X}]", text)
