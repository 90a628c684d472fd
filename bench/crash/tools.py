"""Tools whose effects can be counted: an execution is a line of a file, which outlives the process."""

import os
import time
from pathlib import Path

from conversations.tools import tool
from conversations.tools.execution import idempotency_key

from .failpoints import EFFECTS

PAUSE = 0.1
"""Seconds before the effect, and again after it."""


@tool
def charge(order: str) -> dict[str, str]:
    """Charge an order, which must happen once at most."""
    return leave_trace("charge", order)


@tool(idempotent=True)
def look_up(order: str) -> dict[str, str]:
    """Look an order up, which may happen again."""
    return leave_trace("look_up", order)


def leave_trace(name: str, order: str) -> dict[str, str]:
    """Take a while, with the effect in its middle."""
    time.sleep(PAUSE)
    with Path(os.environ[EFFECTS]).open("a") as file:
        file.write(f"{name}\t{order}\t{idempotency_key()}\n")
    time.sleep(PAUSE)
    return {"order": order, "done": name}


@tool(approval=True)
def refund(order: str) -> dict[str, str]:
    """Refund an order, which a person has to let through."""
    return leave_trace("refund", order)


@tool(approval=True)
def ship(order: str) -> dict[str, str]:
    """Ship an order, which a person has to let through, too."""
    return leave_trace("ship", order)
