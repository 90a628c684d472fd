"""Converse's `usage`: counts of tokens, each counted once."""

from collections.abc import Mapping
from typing import Any

CACHED = ("cacheReadInputTokens", "cacheWriteInputTokens")


def count(value: Any) -> int:
    """A count that any database's integer column holds, 0 for anything else."""
    return value if isinstance(value, int) and 0 <= value < 2**31 else 0


def is_reported(usage: Mapping[str, Any]) -> bool:
    """Whether a gateway has reported what a round used."""
    return "inputTokens" in usage or "outputTokens" in usage


def counts_something(usage: Mapping[str, Any]) -> bool:
    """Whether any count is above zero. Servers that do not count report zeros alone."""
    return any(map(count, usage.values()))


def least_tokens(characters: int) -> int:
    """A lower bound of a text's tokens: one for every four characters."""
    return max(1, characters // 4) if characters else 0


def counted_once(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The usage with cached tokens beside `inputTokens`, as Bedrock counts, not inside it as well.

    They are in both where `totalTokens` is below the sum of the parts.
    """
    inputs, outputs, total = (count(usage.get(f"{kind}Tokens")) for kind in ("input", "output", "total"))
    cached = sum(count(usage.get(name)) for name in CACHED)
    counted_twice = inputs + outputs + cached - total
    is_inside = total > 0 and 0 < counted_twice <= min(inputs, cached)
    return {**usage} | ({"inputTokens": inputs - counted_twice} if is_inside else {})
