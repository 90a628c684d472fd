"""The title of a conversation from the first words of a message, as a person would cut it."""

import re

from .text import beginning

LENGTH = 60
"""Characters of a title at most."""

MESSAGE_LENGTH = 10_000
"""Characters of a message in which its title is looked for."""

PROSE_LENGTH = 1_000
"""Characters of those, without code, that are read."""

NEARBY = 20
"""Characters that a title may lose so that no word is cut."""

_FENCE = re.compile(
    r"^ {0,3}(`{3,}|~{3,})[^\n]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_IMAGE_OR_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_LINE_MARKS = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?|\d{1,9}[.)][ \t]+)+", re.MULTILINE
)
_RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$", re.MULTILINE)
_PAIRS = re.compile(r"(\*\*\*|\*\*|~~|`+(?!`)|(?<!\w)__|(?<![\w*])[*_](?![\s*]))(?=\S)(.+?)(?<=\S)\1(?!\w)")
_SENTENCE = re.compile(r"(?<=[.!?])\s")


def title_of(text: str) -> str:
    """The first words without the marks of Markdown; code only where there is nothing else."""
    text = text[:MESSAGE_LENGTH]
    prose = _plain(_FENCE.sub("\n", text))
    line = prose or _plain(_FENCE.sub(r"\2", text)) or " ".join(text.split())
    return line if len(line) <= LENGTH else _cut(line)


def _plain(text: str) -> str:
    text = _LINE_MARKS.sub("", _RULE.sub("", text.strip()[:PROSE_LENGTH]))
    text = _IMAGE_OR_LINK.sub(r"\1", text)
    for _ in range(2):  # bold inside of emphasis
        text = _PAIRS.sub(r"\2", text)
    return " ".join(text.split())


def _cut(line: str) -> str:
    """The beginning of a line: its first sentence if that is enough, else whole words and an ellipsis."""
    sentence = _SENTENCE.split(line, maxsplit=1)[0]
    if LENGTH // 3 <= len(sentence) <= LENGTH:
        return sentence
    start = beginning(line, LENGTH - 1)
    end = len(start) if line[len(start)].isspace() else start.rfind(" ")
    if end >= LENGTH - NEARBY:
        start = start[:end]
    return start.rstrip(" ,;:.-(") + "…"
