"""Markdown as it streams: finished blocks are printed once, and only the last block is redrawn."""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich import markdown
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.syntax import Syntax

from conversations.management.terminal import printable

LONGEST_BLOCK = 4_000
"""Characters from which on the beginning of an unfinished block is printed for good."""

LOOKED_AT = 6_000
"""Characters that are parsed at a time, so that a long text takes no longer than its parts."""

Cut = tuple[str, str, int]
"""A part, the text with which the rest has to begin, and the length of the part in the text."""

PARSER = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").enable("table")
"""CommonMark without HTML, which is shown as the text that it is."""


class Printable:
    """Something that rich renders, without blank lines around it and without control characters."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self._renderable, options.update(height=None), pad=False)
        filled = [number for number, line in enumerate(lines) if any(part.text.strip() for part in line)]
        for line in lines[filled[0] : filled[-1] + 1] if filled else ():
            yield from (Segment(printable(part.text), part.style) for part in line if not part.control)
            yield Segment.line()


class Heading(markdown.Heading):
    """A heading, at the left like everything else."""

    LEVEL_ALIGN: ClassVar = {}


class Code(markdown.CodeBlock):
    """Code in the terminal's own colours, on its own background."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip("\n")
        yield Syntax(
            code,
            self.lexer_name,
            theme="ansi_dark",
            background_color="default",
            word_wrap=True,
            padding=(0, 2),
        )


class Markdown(markdown.Markdown):
    """An answer. Addresses are shown and lead nowhere: a terminal's links would hide them."""

    elements: ClassVar = markdown.Markdown.elements | {
        "heading_open": Heading,
        "fence": Code,
        "code_block": Code,
    }

    def __init__(self, text: str) -> None:
        super().__init__("", code_theme="ansi_dark", hyperlinks=False)
        self.parsed = PARSER.parse(text)


class Part(NamedTuple):
    """Markdown that is printed for good. `goes_on` says that the next part belongs to the same block."""

    text: str
    goes_on: bool


class Stream:
    """A growing Markdown text. The meaning of `rest` may still change."""

    def __init__(self) -> None:
        self.rest = ""

    def add(self, text: str) -> None:
        """Takes more text."""
        self.rest += text.replace("\r", "")

    def next_part(self) -> Part | None:
        """Removes a finished part from the front and returns it; None if there is none."""
        head = self.rest[:LOOKED_AT]
        blocks = [token for token in PARSER.parse(head) if token.level == 0 and token.map]
        if not blocks:
            return None
        if (line := _first_line(blocks[-1])) > _first_line(blocks[0]):
            text = "\n".join(head.split("\n")[:line])
            self.rest = self.rest[len(text) + 1 :]
            return Part(text, goes_on=False)
        if len(self.rest) <= LONGEST_BLOCK:
            return None
        text, opening, length = CUTS.get(blocks[-1].type, _cut_text)(head, blocks[-1])
        self.rest = opening + self.rest[length:].lstrip("\n")
        return Part(text, goes_on=True)

    def end(self) -> list[Part]:
        """All that is left, in parts that are quick to render."""
        parts: list[Part] = []
        while part := self.next_part():
            parts.append(part)
        rest, self.rest = self.rest, ""
        return [*parts, Part(rest, goes_on=False)] if rest.strip() else parts


def _first_line(block: Token) -> int:
    return block.map[0] if block.map else 0


def _length(text: str) -> int:
    """The length at which a long text is best cut: behind a line, or else behind a word."""
    return next((at for at in (text.rfind(c, 1, LONGEST_BLOCK) for c in "\n ") if at > 0), LONGEST_BLOCK)


def _cut_text(text: str, block: Token) -> Cut:
    length = _length(text)
    return text[:length], "", length


def _cut_fence(text: str, block: Token) -> Cut:
    """Closes the code in its middle, and opens it again."""
    opening = text.lstrip("\n").split("\n", 1)[0] + "\n"
    length = _length(text)
    if length <= len(opening):
        return _cut_text(text, block)
    return f"{text[:length]}\n{block.markup}", opening, length


def _cut_table(text: str, block: Token) -> Cut:
    """Repeats the table's head."""
    head = "\n".join(text.lstrip("\n").split("\n", 2)[:2]) + "\n"
    length = _length(text)
    return text[:length], head if length > 2 * len(head) else "", length


CUTS: dict[str, Callable[[str, Token], Cut]] = {"fence": _cut_fence, "table_open": _cut_table}
