"""A call's arguments in one line, as `cards/summary.js` has them too."""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import regex

from conversations.protocol.text import clean_text, visible

LONGEST = 20_000
"""Characters of JSON from which on it is not parsed."""

LINE, VALUE = 120, 60
"""Graphemes of the line, and of a value in it."""

HIDDEN = "••••"
"""What stands for a secret."""

_BLANKS = re.compile(r"[ \t\r\n]+")
_PASSWORD = re.compile("://[^/ @]+@")
_HUMP = re.compile("([a-z])([A-Z])")
_NAMES = (
    "pass(?:word|wd|phrase|code)?|pwd|secrets?|token|pin|otp|authorization|cookies?|credentials?"
    "|(?:api|private|access|secret)[^a-z]?keys?"
)
_SECRET = re.compile(f"(?:^|[^a-z])(?:{_NAMES})(?:[^a-z]|$)")
_WRITTEN = re.compile(f"(?:{_NAMES})[\"']?[ \\t\\r\\n]*[:=]", re.IGNORECASE | re.ASCII)
_CLUSTER = regex.compile(r"\X")


class _Object(list[tuple[str, Any]]):
    """An object's entries in order, including those whose key comes twice."""


def summary(text: str) -> str:
    """The line `name: value, name: value`; for a text that is no JSON object, its beginning.

    Plain values come before lists and objects. Secrets are left out.
    """
    value = _parsed(text)
    if not isinstance(value, _Object):
        return _visible_text(_cut(_as_it_is(text[:LONGEST]), LINE))
    entries = sorted(value, key=lambda entry: isinstance(entry[1], list) and bool(entry[1]))
    return _visible_text(_cut(", ".join(f"{name}: {_word(name, part)}" for name, part in entries), LINE))


def _parsed(text: str) -> Any:
    """The value of the JSON text, with numbers as they were written; None for any other text."""
    if len(text) > LONGEST:
        return None
    try:
        return json.loads(
            text, object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _as_it_is(text: str) -> str:
    """A broken or unfinished text, without what follows the name of a secret."""
    name = _WRITTEN.search(text)
    return f"{text[: name.end()]} {HIDDEN}" if name else text


def _visible_text(text: str) -> str:
    return visible(clean_text(text))


def _word(name: str, value: Any) -> str:
    if _SECRET.search(_HUMP.sub(r"\1_\2", name).lower()):
        return HIDDEN
    return _cut(_gist(value) if isinstance(value, list) and value else _line(value), VALUE)


def _gist(entries: list[Any]) -> str:
    is_object = isinstance(entries, _Object)
    if not is_object and not any(isinstance(entry, list) and entry for entry in entries):
        return f"[{', '.join(map(_line, entries))}]"
    number, word = len(entries), "value" if is_object else "item"
    return f"{number} {word}{'' if number == 1 else 's'}"


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else _literal(value)
    return _PASSWORD.sub(f"://{HIDDEN}@", _BLANKS.sub(" ", text))


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return "{}" if isinstance(value, _Object) else "[]"
    return json.dumps(value)


def _cut(text: str, most: int) -> str:
    """The beginning of a text in so many graphemes, with an ellipsis if there is more."""
    if len(text) <= most:
        return text
    starts = list(_starts(text, most))
    return f"{text[: starts[-2]]}…" if len(starts) > most else text


def _starts(text: str, most: int) -> Iterator[int]:
    for number, cluster in enumerate(_CLUSTER.finditer(text)):
        if number > most:
            return
        yield cluster.start()
