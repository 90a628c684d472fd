"""Thoughts in a stream of text: the parts between `<think>` and `</think>`.

One begins where the text does, directly behind another, or with a paragraph that is no code: prose about tags has none.
"""

import re
from collections.abc import Iterator

OPENING = re.compile(r"<(think|thinking)>", re.IGNORECASE)
TAGS = ("<think>", "<thinking>")
FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
PARAGRAPH = re.compile(r"\n[ \t\r]*\n {0,3}\Z")

Part = tuple[bool, str]
"""Whether it is a thought, and its text."""


class Thoughts:
    """Splits a text that comes bit by bit into thoughts and answers."""

    def __init__(self) -> None:
        self._rest = ""
        self._before: list[str] = []
        self._close = ""

    def feed(self, text: str) -> Iterator[Part]:
        """The parts that no later text can change."""
        self._rest += text
        while tag := self._tag():
            yield from self._take(tag.start())
            self._rest = self._rest[tag.end() - tag.start() :]
            self._close = "" if self._close else f"</{tag[1]}>"
            self._before.clear()
        yield from self._take(len(self._rest) - self._tail_length())

    def end(self) -> Iterator[Part]:
        """The last part, held back until now as it might have become a tag."""
        yield from self._take(len(self._rest))

    def _take(self, length: int) -> Iterator[Part]:
        part, self._rest = self._rest[:length], self._rest[length:]
        if part and not self._close:
            self._before.append(part)
        if part:
            yield bool(self._close), part

    def _tag(self) -> re.Match[str] | None:
        """The next tag that counts."""
        if self._close:
            return re.search(self._close, self._rest, re.IGNORECASE)
        tags = OPENING.finditer(self._rest)
        return next((tag for tag in tags if self._may_open(self._rest[: tag.start()])), None)

    def _may_open(self, text: str) -> bool:
        before = "".join([*self._before, text])
        is_first = not before.strip()
        return is_first or bool(PARAGRAPH.search(before) and len(FENCE.findall(before)) % 2 == 0)

    def _tail_length(self) -> int:
        """How many characters at the end may be the beginning of a tag."""
        at = self._rest.rfind("<")
        tail = self._rest[at:].lower() if at >= 0 else ""
        tags = (self._close.lower(),) if self._close else TAGS
        return len(tail) if tail and any(tag.startswith(tail) and tag != tail for tag in tags) else 0
