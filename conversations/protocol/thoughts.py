"""Thoughts in a model's text, in `<thinking>` or `<think>`, and the answer without them.

The text is stored as it came. The pages have the same rules (static/conversations/text/thoughts.js): a thought begins at the beginning of
a text or directly after another thought. Anywhere else it has to begin a paragraph and to end a line, since prose about tags has them in
the middle of sentences. A tag in code begins no thought.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_ANY_CASE = re.ASCII | re.IGNORECASE
_TAG = re.compile(r"<think(?:ing)?>", _ANY_CASE)
_AT_BEGINNING = re.compile(r"(?:[ \t\r]*\n)* {0,3}<(think|thinking)>", _ANY_CASE)
_IN_LINE = re.compile(r" {0,3}<(think|thinking)>", _ANY_CASE)
_INDENT = re.compile(r" {0,3}")
_BLANK = re.compile(r"[ \t\r]*")
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*\Z)|~{3,})")
_CODE = re.compile(r"(?<!`)(`+)(?!`)([^\n]*?[^`])\1(?!`)")
_BEHIND = re.compile(r"\A(?:[ \t\r]*\n)+|\A[ \t]+")
_MARKUP = re.compile("`|~~~")
_LONGEST_LINE = 2_000
"""Characters of the longest line in which code is looked for."""

_NEAR = 2_000
"""Characters after a closing tag in which the end of code around it is looked for."""

_TAGS = ("<think>", "<thinking>")
_SPACE = " \t\r\n"


class TextPart(NamedTuple):
    """A part of a text. Every second part is a thought; the parts around thoughts may be blank."""

    text: str
    is_thought: bool
    is_open: bool

    @property
    def has_content(self) -> bool:
        """Whether there is anything to show of it; a thought is shown as soon as it has begun."""
        return (bool(self.text) or self.is_open) if self.is_thought else bool(self.text.strip())


class _Thought(NamedTuple):
    """The offsets of a thought, and the name of its tag; `body_end` is -1 where it has no closing tag."""

    start: int
    body: int
    tag: str
    body_end: int
    end: int


def parts_of(text: str, *, is_open: bool = False) -> list[TextPart]:
    """The parts of a text. `is_open` says that more may come: a thought without an end goes on."""
    parts: list[TextPart] = []
    start = 0
    while _TAG.search(text, start) and (thought := _next(text, start, is_open)):
        parts.append(TextPart(_answer(text[start : thought.start], parts).rstrip(_SPACE), False, False))
        has_end = thought.body_end >= 0
        body = text[thought.body : thought.body_end if has_end else len(text)]
        if is_open and not has_end:
            body = _without_tail(body, (f"</{thought.tag}>",))
        parts.append(TextPart(body.strip(_SPACE), True, is_open and not has_end))
        if not has_end:
            return parts
        start = thought.end
    answer = _without_opening(text[start:]) if is_open else text[start:]
    return [*parts, TextPart(_answer(answer, parts), False, is_open)]


def answer_in(text: str, *, is_open: bool = False) -> str:
    """The text without its thoughts."""
    parts = parts_of(text, is_open=is_open)
    return "\n\n".join(part.text for part in parts if part.text and not part.is_thought)


def thoughts_in(text: str) -> list[str]:
    """The thoughts of the text that are not blank."""
    return [part.text for part in parts_of(text) if part.text and part.is_thought]


def _answer(text: str, parts: list[TextPart]) -> str:
    return _BEHIND.sub("", text, count=1) if parts else text


def _next(text: str, start: int, is_open: bool) -> _Thought | None:
    """The next thought, which begins at `start` or later."""
    if opening := _AT_BEGINNING.match(text, start):
        return _thought(text, start, opening.end(), opening[1])
    return _in_later_line(text, start, is_open)


def _thought(text: str, start: int, body: int, tag: str) -> _Thought:
    body_end = _closing(text, body, tag)
    end = len(text) if body_end < 0 else body_end + len(f"</{tag}>")
    return _Thought(start, body, tag.lower(), body_end, end)


def _in_later_line(text: str, start: int, is_open: bool) -> _Thought | None:
    searched = {"think": 0, "thinking": 0}
    fence, is_after_blank = "", False
    for at, line in _lines(text, start):
        opening = _IN_LINE.match(line) if is_after_blank and not fence else None
        if opening and at >= searched[opening[1].lower()]:
            thought = _thought(text, at, at + opening.end(), opening[1])
            is_whole_line = _BLANK.fullmatch(text, thought.end, _line_end(text, thought.end))
            if is_open if thought.body_end < 0 else is_whole_line:
                return thought
            searched[thought.tag] = thought.end
        fence = _fence_after(line, fence)
        is_after_blank = bool(_BLANK.fullmatch(line))
    return None


def _closing(text: str, start: int, tag: str) -> int:
    """The offset of the tag that ends a thought, -1 without one. A fence without an end is no code."""
    close = re.compile(f"</{tag}>", _ANY_CASE)
    first = close.search(text, start)
    if not first or not _MARKUP.search(text, start, first.start()):
        return first.start() if first else -1
    fence = ""
    for at, line in _lines(text[start : first.end() + _NEAR], 0):
        if not fence and (match := close.search(_without_code(line))):
            return start + at + match.start()
        fence = _fence_after(line, fence)
    return first.start() if fence else -1


def _lines(text: str, at: int) -> Iterator[tuple[int, str]]:
    """The lines from an offset on, each with its own offset."""
    while at <= len(text):
        end = _line_end(text, at)
        yield at, text[at:end]
        at = end + 1


def _without_code(line: str) -> str:
    return line if len(line) > _LONGEST_LINE else _CODE.sub(lambda code: " " * len(code[0]), line)


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after a line, "" for none; `fence` is the one before the line."""
    if not fence:
        opening = _FENCE.match(line)
        return opening[1] if opening else ""
    run = line.lstrip(" \t>").rstrip(" \t\r")
    return "" if len(run) >= len(fence) and run == fence[0] * len(run) else fence


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _without_tail(text: str, tags: tuple[str, ...]) -> str:
    """The text without a part of a tag at its end, whose other part may still come."""
    at = text.rfind("<")
    tail = text[at:].lower()
    return text[:at] if at >= 0 and any(tag != tail and tag.startswith(tail) for tag in tags) else text


def _without_opening(text: str) -> str:
    shorter = _without_tail(text, _TAGS)
    if shorter == text:
        return text
    *_, before, indent = ["", *shorter.split("\n")]
    return shorter if _INDENT.fullmatch(indent) and _BLANK.fullmatch(before) else text
