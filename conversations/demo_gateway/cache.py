"""The demo gateway's prompt cache: requests up to their cache points, for five minutes."""

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

SECONDS = 300
MOST = 10_000
"""Prefixes that are kept at most; the oldest go first."""


class PromptCache:
    """The prefixes that were read, under their SHA-256.

    Unlike Bedrock's it keeps short ones too, so that a small conversation shows what caching is.
    """

    def __init__(self) -> None:
        self._prefixes: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def usage(self, model: str, body: Mapping[str, Any]) -> dict[str, int]:
        """The tokens of a request: new ones, and those read from and written to the cache."""
        points, total = _points(model, body)
        if not points:
            return {"inputTokens": total}
        with self._lock:
            read = max((size for digest, size in points.items() if self._is_fresh(digest)), default=0)
            self._keep(points)
        end = max(points.values())
        return {
            "inputTokens": total - end,
            "cacheReadInputTokens": read,
            "cacheWriteInputTokens": end - read,
        }

    def _is_fresh(self, digest: bytes) -> bool:
        return self._prefixes.get(digest, -SECONDS) + SECONDS > time.monotonic()

    def _keep(self, digests: Mapping[bytes, int]) -> None:
        for digest in digests:
            self._prefixes[digest] = time.monotonic()
            self._prefixes.move_to_end(digest)
        while len(self._prefixes) > MOST:
            self._prefixes.popitem(last=False)


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
