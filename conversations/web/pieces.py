"""A long text in pieces, of which a browser lays out only those in sight."""

from collections.abc import Iterator

LONGEST = 4_000
"""Characters of a piece."""


def pieces(text: str) -> list[str]:
    """The pieces of a long text in order, each cut behind a line, else a word, else wherever it must be; none of a short one."""
    return list(_pieces(text)) if len(text) > LONGEST else []


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > LONGEST:
        most = start + LONGEST
        end = text.rfind("\n", start, most) + 1 or text.rfind(" ", start, most) + 1 or most
        yield text[start:end]
        start = end
    yield text[start:]
