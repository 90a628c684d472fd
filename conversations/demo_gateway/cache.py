"""The demo gateway's prompt cache: requests up to their cache points, for five minutes."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

SECONDS = 300
CAPACITY = 10_000
"""The number of prefixes that are kept; the oldest go first."""


class PromptCache:
    """The prefixes that were read, under their SHA-256, with the time.

    Unlike Bedrock's it keeps short ones too, so that a small conversation shows what caching is.
    """

    def __init__(self) -> None:
        self._prefixes: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def usage(self, model: str, body: Mapping[str, Any]) -> dict[str, int]:
        """The tokens of a request: new ones, and those read from and written to the cache."""
        points, total = _points(model, body)
        if not points:
            return {"inputTokens": total}
        now, end = time.monotonic(), max(points.values())
        with self._lock:
            times = {digest: self._prefixes.pop(digest, -SECONDS) for digest in points}
            read = max((points[digest] for digest, used in times.items() if used + SECONDS > now), default=0)
            self._prefixes |= dict.fromkeys(points, now)
            while len(self._prefixes) > CAPACITY:
                del self._prefixes[next(iter(self._prefixes))]
        return {
            "inputTokens": total - end,
            "cacheReadInputTokens": read,
            "cacheWriteInputTokens": end - read,
        }


def _points(model: str, body: Mapping[str, Any]) -> tuple[dict[bytes, int], int]:
    """The prefixes that end at a cache point with their tokens, and the tokens of all."""
    prefix, size, points = hashlib.sha256(model.encode()), 0, {}
    for part in _parts(body):
        if "cachePoint" in part:
            points[prefix.digest()] = size // 4 + 1
        else:
            words = json.dumps(part, ensure_ascii=False)
            prefix.update(words.encode("utf-8", "replace"))
            size += len(words)
    return points, size // 4 + 1


def _parts(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a model reads, in its order."""
    yield from (body.get("toolConfig") or {}).get("tools", ())
    yield from body.get("system") or ()
    for message in body.get("messages") or ():
        yield {"role": message["role"]}
        yield from message["content"]
