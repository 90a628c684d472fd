"""Tool use ids and tool names that Bedrock accepts.

It takes `[a-zA-Z0-9_.:-]{1,64}` for a tool use, `[a-zA-Z0-9_-]{1,64}` for a tool.
"""

import re
from collections.abc import Container

LONGEST = 64


def legal_id(tool_use_id: str) -> str:
    """The tool use id with `_` for each character that Bedrock refuses; blank stays blank."""
    return re.sub(r"[^a-zA-Z0-9_.:-]", "_", tool_use_id.strip())[:LONGEST]


def legal_name(name: str) -> str:
    """The tool's name with `_` for each character that Bedrock refuses."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name.strip())[:LONGEST] or "unnamed"


def unused_id(tool_use_id: str, used: Container[str]) -> str:
    """The id if it is not used yet, else the first of `id_2`, `id_3`, ... that is not."""
    number, candidate = 1, tool_use_id
    while candidate in used:
        number += 1
        suffix = f"_{number}"
        candidate = tool_use_id[: LONGEST - len(suffix)] + suffix
    return candidate
