"""What an answer used, as Converse counts it."""

from collections.abc import Mapping
from typing import Any

from conversations.protocol.converse.usage import count


def converse_usage(usage: Any) -> dict[str, int]:
    """The usage; tokens read from a cache stand beside the others. Zeros where a server reports none."""
    usage = usage if isinstance(usage, Mapping) else {}
    read, written = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    details = usage.get("prompt_tokens_details")
    cached = min(read, count(details.get("cached_tokens"))) if isinstance(details, Mapping) else 0
    counts = {"inputTokens": read - cached, "outputTokens": written, "totalTokens": read + written}
    return counts | ({"cacheReadInputTokens": cached} if cached else {})
