"""Names that a model may call for the names that servers give to their tools."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

LONGEST = 64
_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")
_DIGITS = 8


def names_of(server: str, tools: Iterable[str]) -> dict[str, str]:
    """A name of at most 64 plain characters for each tool, `server__tool` where that is one.

    A name that is too long, or another tool's as well, ends with a part of the hash of its whole.
    """
    whole = {tool: f"{server}__{tool}" for tool in tools}
    plain = {tool: _FOREIGN.sub("_", name) for tool, name in whole.items()}
    uses = Counter(plain.values())
    return {
        tool: name
        if len(name) <= LONGEST and (uses[name] == 1 or name == whole[tool])
        else _hashed(name, whole[tool])
        for tool, name in plain.items()
    }


def _hashed(name: str, whole: str) -> str:
    digest = hashlib.sha256(whole.encode(errors="replace")).hexdigest()[:_DIGITS]
    return f"{name[: LONGEST - _DIGITS - 1]}_{digest}"
