"""Ids and names that Bedrock accepts: `[a-zA-Z0-9_.:-]{1,64}` for a tool use, `[a-zA-Z0-9_-]{1,64}` for a tool."""

import re
from collections.abc import Container

LONGEST = 64


def legal_id(received: str) -> str:
    """A tool use id with what Bedrock refuses in it replaced; blank stays blank."""
    return re.sub(r"[^a-zA-Z0-9_.:-]", "_", received.strip())[:LONGEST]


def legal_name(received: str) -> str:
    """A tool's name with what Bedrock refuses in it replaced."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", received.strip())[:LONGEST] or "unnamed"


def unused_id(wanted: str, used: Container[str]) -> str:
    """The id, or where it has been used before the first of `id_2`, `id_3`, ... that has not."""
    number, candidate = 1, wanted
    while candidate in used:
        number += 1
        suffix = f"_{number}"
        candidate = wanted[: LONGEST - len(suffix)] + suffix
    return candidate
