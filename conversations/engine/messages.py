"""A user's message on its way in: checked, perhaps a repetition of an earlier one, and accepted."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from conversations.errors import Refused
from conversations.models import Turn
from conversations.protocol.converse.content import Block
from conversations.protocol.text import clean_text

LONGEST_TEXT = 100_000
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
    """A stored message's turn. `new` is False for a message that was stored before.

    `opening` is known if the turn runs.
    """

    turn: Turn
    new: bool
    opening: Opening | None = None

    @property
    def queued(self) -> bool:
        """Whether the turn waits for another to end, or for a process to take it."""
        return self.turn.status == Turn.Status.QUEUED


@dataclass(frozen=True)
class Repetition:
    """How a message repeats or replaces an earlier one.

    `turn` is the stored turn that it repeats, if there is one; `answers` names what answers its tools and its rounds. The new turn follows
    on the same one as the turn `beside`, or else on the end of the shown branch.
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


def canonical(message_id: object) -> UUID:
    """A message's id; raises Refused for anything else."""
    try:
        if isinstance(message_id, str) and len(message_id) == UUID_LENGTH:
            return UUID(message_id)
    except ValueError:
        pass
    raise Refused("A message needs an id that is a UUID.")


def checked(text: object) -> str:
    """A message's text; raises Refused for a blank and a too long one."""
    if not isinstance(text, str) or not text.strip():
        raise Refused("The message is empty.")
    if len(text) > LONGEST_TEXT:
        raise Refused(f"The message is too long: {len(text):,} characters of at most {LONGEST_TEXT:,}.")
    return clean_text(text)
