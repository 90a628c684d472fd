"""A user's message as it comes in: its values checked, what it repeats, and what is stored of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from conversations.errors import Refused
from conversations.models import Turn
from conversations.protocol.converse.content import Block
from conversations.protocol.text import clean_text

LONGEST_TEXT = 100_000
MOST_FILES = 100
NO_FILE = "A file of this message is not attached here any more. Remove it, then attach it again."
UUID_LENGTH = 36


@dataclass(frozen=True)
class Opening:
    """What a turn begins with: the user's message, the conversation's title and its last `seq`."""

    message_id: UUID
    content: list[Block]
    title: str
    seq: int
    has_calls: bool = True
    """Whether a tool may have been called in the conversation."""


@dataclass(frozen=True)
class Accepted:
    """A stored message's turn. A message that was stored before is not new, and has no opening."""

    turn: Turn
    is_new: bool
    opening: Opening | None = None

    @property
    def is_queued(self) -> bool:
        """Whether the turn waits for another to end, or for a process to take it."""
        return self.turn.status == Turn.Status.QUEUED


@dataclass(frozen=True)
class Repetition:
    """How a message repeats or replaces an earlier one.

    `turn` is the stored turn that a rerun repeats. `answers` becomes `Turn.rerun`: what answers the tools and rounds of the new turn.
    The new turn has the same parent as the turn `beside`; without that it follows the end of the shown branch.
    """

    turn: Turn | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    beside: Turn | None = None


@dataclass(frozen=True)
class NewMessage:
    """A user's message to be stored, with a `model` other than the conversation's if one is named."""

    id: UUID
    text: str
    model: str | None = None
    repetition: Repetition | None = None
    files: tuple[UUID, ...] = ()
    """The ids of the files that it is sent with."""

    is_model_free: bool = False
    """Whether its files may be such as the model does not take, since an earlier message has them."""


def valid_id(message_id: object) -> UUID:
    """A message's id; raises Refused for anything else."""
    try:
        if isinstance(message_id, str) and len(message_id) == UUID_LENGTH:
            return UUID(message_id)
    except ValueError:
        pass
    raise Refused("A message needs an id that is a UUID.")


def valid_file_ids(ids: object) -> tuple[UUID, ...]:
    """The ids of a message's files, once each; raises Refused for anything else."""
    if ids is None:
        return ()
    if not isinstance(ids, list | tuple) or len(ids) > MOST_FILES:
        raise Refused(f"A message's attachments are a list of at most {MOST_FILES} ids.")
    try:
        return tuple(dict.fromkeys(UUID(str(pk)) for pk in ids))
    except ValueError:
        raise Refused(NO_FILE) from None


def valid_text(text: object, files: Sequence[UUID] = ()) -> str:
    """A message's text; raises Refused for a too long one, and for a blank one without files."""
    if text is None and files:
        return ""
    if not isinstance(text, str) or not (text.strip() or files):
        raise Refused("The message is empty.")
    if len(text) > LONGEST_TEXT:
        raise Refused(f"The message is too long: {len(text):,} characters of at most {LONGEST_TEXT:,}.")
    return clean_text(text)
