"""The inspection of an uploaded file: its format, its clean name, its copies.

It takes time and memory, but no database.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO

from conversations.protocol.converse.attached import LARGEST
from conversations.protocol.text import beginning, clean_text

from . import pictures
from .problems import Empty, TooLarge
from .sniffing import CHUNK, ENDINGS, PICTURES, format_of

NAME_LENGTH = 200
UNSEEN = frozenset(
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Invisible characters that change how a name reads, such as those that turn its direction."""


@dataclass(frozen=True)
class Inspection:
    """The facts of a file that is taken."""

    name: str
    format: str
    size: int
    sha256: str
    width: int | None = None
    height: int | None = None
    copies: dict[str, bytes] = field(default_factory=dict, repr=False)
    """The copies of a picture, by the endings of their names."""

    @property
    def kind(self) -> str:
        """The name of its block in Converse."""
        return "image" if self.format in PICTURES else "document"


def inspect(file: IO[bytes], name: str) -> Inspection:
    """Inspects a file; raises NotTaken."""
    size = file.seek(0, 2)
    if size == 0:
        raise Empty
    if size > LARGEST:
        raise TooLarge
    name = clean_name(name)
    format_ = format_of(file, name)
    name = name or f"file.{ENDINGS[format_][0]}"
    sha256 = _sha256(file)
    if format_ not in PICTURES:
        return Inspection(name, format_, size, sha256)
    width, height, for_model, thumbnail = pictures.read(file, format_)
    copies = {".model": for_model, ".thumbnail": thumbnail}
    return Inspection(name, format_, size, sha256, width, height, copies)


def clean_name(name: str) -> str:
    """A file's name without folders and invisible characters: 200 letters, its ending kept."""
    last = PureWindowsPath(PurePosixPath(clean_text(name).replace("\0", "")).name).name
    visible = "".join(" " if letter.isspace() else letter for letter in last if _is_visible(letter))
    words = " ".join(visible.split()).strip(". ")
    if len(words) <= NAME_LENGTH:
        return words
    ending = PurePosixPath(words).suffix[:20]
    return beginning(words, NAME_LENGTH - len(ending)) + ending


def _is_visible(letter: str) -> bool:
    return letter.isspace() or (letter not in UNSEEN and letter.isprintable() and letter != "\ufffd")


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
