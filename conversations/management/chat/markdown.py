"""Markdown as it streams: what is finished is printed once, and only the last block is drawn anew."""

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
"""Characters of a block that is not finished, of which the beginning is printed for good then."""

PARSER = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").enable("table")
"""CommonMark without HTML, which is shown as the text that it is."""


class Printable:
    """What it wraps, without blank lines round it, and without what a terminal may take for a command."""

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
    """Code in the terminal's own colours, on its own ground."""

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
    """Markdown that is printed for good; `goes_on` says that what follows belongs to the same block."""

    text: str
    goes_on: bool


class Stream:
    """A growing Markdown text, of which `rest` may still come to mean something else."""

    def __init__(self) -> None:
        self.rest = ""

    def add(self, text: str) -> None:
        """Takes what has come."""
        self.rest += text.replace("\r", "")

    def next_part(self) -> Part | None:
        """Removes what is finished from the front and returns it; None where nothing is."""
        blocks = [token for token in PARSER.parse(self.rest) if token.level == 0 and token.map]
        if not blocks:
            return None
        if blocks[-1].map and (line := blocks[-1].map[0]) > _first_line(blocks):
            lines = self.rest.split("\n")
            self.rest = "\n".join(lines[line:])
            return Part("\n".join(lines[:line]), goes_on=False)
        if len(self.rest) <= LONGEST_BLOCK:
            return None
        part, self.rest = CUTS.get(blocks[-1].type, _cut_text)(self.rest, blocks[-1])
        return Part(part, goes_on=True)

    def end(self) -> list[Part]:
        """All that is left, in parts that do not take long."""
        parts: list[Part] = []
        while part := self.next_part():
            parts.append(part)
        rest, self.rest = self.rest, ""
        return [*parts, Part(rest, goes_on=False)] if rest.strip() else parts


def _first_line(blocks: list[Token]) -> int:
    return blocks[0].map[0] if blocks[0].map else 0


def _place(text: str) -> int:
    """Where a long text is best cut: behind a line, else behind a word."""
    return next((at for at in (text.rfind(c, 1, LONGEST_BLOCK) for c in "\n ") if at > 0), LONGEST_BLOCK)


def _cut_text(text: str, block: Token) -> tuple[str, str]:
    at = _place(text)
    return text[:at], text[at:].lstrip("\n")


def _cut_fence(text: str, block: Token) -> tuple[str, str]:
    """Closes the code in its middle, and opens it again."""
    opening = text.lstrip("\n").split("\n", 1)[0]
    code, rest = _cut_text(text, block)
    if len(code) <= len(opening) + 1:
        return code, rest
    return f"{code}\n{block.markup}", f"{opening}\n{rest}"


def _cut_table(text: str, block: Token) -> tuple[str, str]:
    """Repeats the table's head."""
    head = "\n".join(text.lstrip("\n").split("\n", 2)[:2])
    rows, rest = _cut_text(text, block)
    return (rows, f"{head}\n{rest}") if len(rows) > len(head) + 1 else (rows, rest)


CUTS: dict[str, Callable[[str, Token], tuple[str, str]]] = {"fence": _cut_fence, "table_open": _cut_table}
