"""JSON and text as HTML. Objects and arrays can be folded, and long values are cut."""

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


class _Json:
    """A value's HTML, whose text is the JSON itself, and how many parts were left out of it."""

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


def json_html(value: Any, whole: str = "") -> SafeString:
    """The value as HTML with a button that copies it, or with a link to `whole` where it is cut."""
    markup = _Json(value)
    copy = COPY
    if markup.left_out:
        copy = format_html('<a class="copy" href="{}">All of it</a>', whole) if whole else SafeString("")
    return format_html('<div class="json" dir="ltr">{}<div class="tree">{}</div></div>', copy, markup.html)


def prose(text: str) -> SafeString:
    """Text as it is, in lines, cut where it is long."""
    cut = "" if len(text) <= ROOM else f"… {len(text) - ROOM:,} more characters"
    return format_html(
        '<div class="prose" dir="auto">{}{}</div>', text[:ROOM].encode("utf-8", "replace").decode(), cut
    )


def diff_lines(rows: Iterator[tuple[str, str]]) -> SafeString:
    """Lines of a difference, from pairs of a CSS class and a text."""
    return format_html(
        '<div class="diff" dir="ltr">{}</div>', format_html_join("", '<div class="{}">{}</div>', rows)
    )


def one_line(value: Any) -> str:
    """JSON in one line. Characters that are unseen or reorder others are escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return UNREADABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _line(value: Any, depth: int) -> str | None:
    """The value in one line, None if it is better folded."""
    is_leaf = not value or not isinstance(value, dict | list)
    if is_leaf or depth >= DEEPEST:
        return one_line(value)
    line = one_line(value) if len(value) <= LINE // 3 else ""
    return line if 0 < len(line) <= LINE else None


def _parts(value: Any) -> tuple[str, str, list[tuple[str, Any]]]:
    if isinstance(value, list):
        return "[", "]", [("", part) for part in value]
    return "{", "}", [(f"<b>{_text(one_line(name))}</b>: ", part) for name, part in value.items()]


TOKEN = re.compile(r'("(?:\\.|[^"\\])*")(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b')


def _coloured(line: str) -> str:
    """The JSON with its names, strings, and other values in elements of their own."""
    html, end = [], 0
    for match in TOKEN.finditer(line):
        tag = "b" if match[2] else "q" if match[1] else "i"
        html += [
            _text(line[end : match.start()]),
            f"<{tag}>{_text(match[1] or match[0])}</{tag}>{match[2] or ''}",
        ]
        end = match.end()
    return "".join([*html, _text(line[end:])])


def _text(text: str) -> str:
    return str(escape(text))
