"""JSON as HTML: every object and array can be folded, long values are cut, and the page's text is the JSON itself."""

import json
import re
from collections.abc import Iterator
from typing import Any

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from conversations.protocol.text import BIDI

ROOM = 20_000
"""Characters of a value that are shown."""

LINE = 72
COPY = SafeString('<button type="button" class="copy" data-copy hidden>Copy</button>')
DEEPEST = 24
OPEN = 3
"""Levels that stand open at first."""

UNREADABLE = re.compile(f"{BIDI.pattern}|[\ud800-\udfff\u2028\u2029]")


class Shown:
    """A value's HTML, and how much was left out of it."""

    def __init__(self, value: Any, room: int = ROOM) -> None:
        self.left_out, self._room = 0, room
        self.html = mark_safe("".join(self._value(value)))  # noqa: S308 (each piece is escaped)

    def _value(self, value: Any, depth: int = 0, before: str = "", after: str = "") -> Iterator[str]:
        line = _line(value, depth)
        if line is None:
            yield from self._container(value, depth, before, after)
        else:
            yield f'<div class="line">{before}{self._cut(line)}{after}</div>'

    def _container(self, value: Any, depth: int, before: str, after: str) -> Iterator[str]:
        begin, end, parts = _parts(value)
        is_open = " open" if depth < OPEN else ""
        yield f'<details{is_open}><summary data-holds="{len(parts):,}">{before}{begin}</summary><div class="in">'
        for at, (name, part) in enumerate(parts, 1):
            if self._room <= 0:
                self.left_out += 1
                yield f'<div class="line more">… {len(parts) - at + 1:,} more</div>'
                break
            yield from self._value(part, depth + 1, name, "," if at < len(parts) else "")
        yield f"</div>{end}{after}</details>"

    def _cut(self, line: str) -> str:
        most = max(LINE, self._room)
        self._room -= min(len(line), most)
        if len(line) <= most:
            return _coloured(line)
        self.left_out += 1
        return f"{_text(line[:most])}… {len(line) - most:,} more characters"


def folded(value: Any, whole: str = "") -> SafeString:
    """The value with a button that copies it; where it is cut, with a link to the address `whole` instead."""
    shown = Shown(value)
    copy = COPY
    if shown.left_out:
        copy = format_html('<a class="copy" href="{}">All of it</a>', whole) if whole else SafeString("")
    return format_html('<div class="json" dir="ltr">{}<div class="tree">{}</div></div>', copy, shown.html)


def prose(text: str) -> SafeString:
    """Text as it is, in lines."""
    cut = "" if len(text) <= ROOM else f"… {len(text) - ROOM:,} more characters"
    return format_html(
        '<div class="prose" dir="auto">{}{}</div>', text[:ROOM].encode("utf-8", "replace").decode(), cut
    )


def lines(rows: Iterator[tuple[str, str]]) -> SafeString:
    """Lines of text, each in a class of its own."""
    return format_html(
        '<div class="diff" dir="ltr">{}</div>', format_html_join("", '<div class="{}">{}</div>', rows)
    )


def written(value: Any) -> str:
    """JSON in one line, in which characters that cannot be seen, or reorder others, are escapes."""
    text = json.dumps(value, ensure_ascii=False)
    return UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _line(value: Any, depth: int) -> str | None:
    """The value in one line; None for one that is better folded."""
    is_leaf = not value or not isinstance(value, dict | list)
    if is_leaf or depth >= DEEPEST:
        return written(value)
    line = written(value) if len(value) <= LINE // 3 else ""
    return line if 0 < len(line) <= LINE else None


def _parts(value: Any) -> tuple[str, str, list[tuple[str, Any]]]:
    if isinstance(value, list):
        return "[", "]", [("", part) for part in value]
    return "{", "}", [(f"<b>{_text(written(name))}</b>: ", part) for name, part in value.items()]


TOKEN = re.compile(r'("(?:\\.|[^"\\])*")(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b')


def _coloured(line: str) -> str:
    """The JSON with its strings, names, numbers and words told apart."""
    told, end = [], 0
    for found in TOKEN.finditer(line):
        tag = "b" if found[2] else "q" if found[1] else "i"
        told += [
            _text(line[end : found.start()]),
            f"<{tag}>{_text(found[1] or found[0])}</{tag}>{found[2] or ''}",
        ]
        end = found.end()
    return "".join([*told, _text(line[end:])])


def _text(text: str) -> str:
    return str(escape(text))
