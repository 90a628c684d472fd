"""The files of a user's message, as a page lists them."""

from dataclasses import dataclass
from math import floor
from typing import Any

from django.urls import reverse

from conversations.protocol.text import visible

KILOBYTE = 1024


@dataclass(frozen=True)
class File:
    """An attached file, from the facts that the record has of it."""

    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name, with what cannot be seen made visible."""
        return visible(self.facts["name"])

    @property
    def address(self) -> str:
        """Where it can be fetched."""
        return reverse("conversations:attachment", args=[self.facts["id"]])

    @property
    def about(self) -> str:
        """Its format and its size."""
        return f"{self.facts['format'].upper()}, {size_in_words(self.facts['size'])}"

    @property
    def is_picture(self) -> bool:
        """Whether there is a thumbnail."""
        return bool(self.facts["kind"] == "image")


def files_of(message: dict[str, Any]) -> tuple[File, ...]:
    """The files that a message was sent with."""
    return tuple(map(File, message["metadata"].get("attachments", ())))


def size_in_words(size: int) -> str:
    """A number of bytes for people, as the page's script writes it too."""
    if size < KILOBYTE:
        return f"{size} bytes"
    if size < 10 * KILOBYTE:
        return f"{_rounded(size / KILOBYTE)} KB"
    if size < KILOBYTE**2:
        return f"{floor(size / KILOBYTE + 0.5)} KB"
    return f"{_rounded(size / KILOBYTE**2)} MB"


def _rounded(number: float) -> str:
    """The number with one digit behind the point; a half is rounded up, as scripts do it."""
    return f"{floor(number * 10 + 0.5) / 10:.1f}"
