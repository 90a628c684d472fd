"""Excerpts of a conversation's messages. Only the beginnings of long ones are read."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from django.db.models import TextField
from django.db.models.functions import Cast, Substr

from conversations.models import Conversation, Message
from conversations.protocol.converse.content import plain_text
from conversations.protocol.text import beginning, clean_text, visible
from conversations.protocol.thoughts import answer_in
from conversations.rerun import Change, as_marks, common_length, in_context, word_diff

BEGINNING = 120
"""Characters of a message that are shown."""

READ = 16_384
"""Characters of a message's stored content that are read."""

COMPARED = 600
"""Characters of two texts that are compared, beginning a little before their first difference."""

_TEXT = re.compile(r'(?<!"reasoningText":)\{"text":"((?:[^"\\]|\\u[0-9a-f]{4}|\\[^u])*)')


class Excerpt(NamedTuple):
    """A turn's question, cut if it is long, and the beginning of its answer."""

    question: str = ""
    answer: str = ""


def excerpts(conversation: Conversation) -> dict[UUID, Excerpt]:
    """The excerpts of a conversation's turns. An answer is the last text of a turn's rounds."""
    rows: dict[UUID, Excerpt] = {}
    for turn, role, text in _texts(conversation):
        row = rows.get(turn, Excerpt())
        if role == Message.Role.USER:
            rows[turn] = row._replace(question=text)
        elif text := answer_in(text).strip():
            rows[turn] = row._replace(answer=first_line(text))
    return rows


def _texts(conversation: Conversation) -> Iterator[tuple[UUID, str, str]]:
    stored = Substr(Cast("content", TextField()), 1, READ)
    rows = Message.objects.filter(conversation=conversation).order_by("pk")
    for turn, role, content in rows.values_list("turn", "role", stored).iterator():
        yield turn, role, text_of(content)


def text_of(content: str) -> str:
    """The text of a message's stored content, which may be cut anywhere."""
    if len(content) < READ:
        return plain_text(json.loads(content))
    return clean_text("".join(json.loads(f'"{match[1]}"') for match in _TEXT.finditer(content)))


def first_line(text: str) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text[: 4 * BEGINNING].split())
    return visible(line if len(line) <= BEGINNING else f"{beginning(line, BEGINNING)}…")


def changes(old: str, new: str) -> list[Change]:
    """The differences of a question from another, with a few words around; none if they are the same."""
    if old == new:
        return []
    start = max(0, common_length(old, new) - BEGINNING)
    start = old.rfind(" ", 0, start) + 1
    words = word_diff(*(visible(text[start : start + COMPARED]) for text in (old, new)))
    return list(as_marks(in_context(([Change("…", "…")] if start else []) + words)))
