"""The context of a tool's call: its user, conversation and turn, and reports of its progress."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conversations.protocol.text import beginning, clean_text

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from conversations.models import Conversation, Turn

LONGEST_TEXT = 200
LARGEST = 2**53
"""The first whole number that JavaScript may not hold exactly."""

Value = dict[str, Any]
Report = Callable[[Value], None]


def _discard(value: Value) -> None:
    """Discards the progress of a call outside of a turn."""


@dataclass(frozen=True)
class Context:
    """The user, conversation and turn of a tool's call. Its parameter is not in the schema.

    `idempotency_key` is the same when the call is made again after a crash. Outside of a turn, as in a test of the tool, there are
    no `user`, `conversation` and `turn`.
    """

    user: "User" = None  # type: ignore[assignment]  # a tool of a turn need not ask
    conversation: "Conversation" = None  # type: ignore[assignment]
    turn: "Turn" = None  # type: ignore[assignment]
    idempotency_key: str = ""
    report: Report = field(default=_discard, repr=False)

    def progress(self, done: float, of: float | None = None, text: str = "") -> None:
        """Shows and records the call's progress. It costs little and may be called often.

        It may be called from any thread or coroutine of the tool. Of reports in quick succession only the last is shown.
        """
        numbers = {"done": _number(done), "of": _number(of)}
        words = {"text": beginning(clean_text(str(text)[: 4 * LONGEST_TEXT]), LONGEST_TEXT)}
        self.report({name: value for name, value in (numbers | words).items() if value not in (None, "")})


def _number(value: float | None) -> float | None:
    """The number as JSON and every browser take it, None for any other."""
    if value is None or (isinstance(value, int) and -LARGEST < value < LARGEST):
        return value if value is None else int(value)
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
