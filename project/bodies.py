"""A bound on the body of a request.

The rest of a larger body is read and thrown away, so that its sender comes to read the answer.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from conversations.protocol.converse.attached import LARGEST

LIMIT = LARGEST + 1024 * 1024
"""Bytes of the largest file that may be attached, and of a form around it."""

PATIENCE = 4 * LIMIT
"""Bytes that are read of a larger body at most."""

MESSAGE = f"This is too large: {LARGEST // 1024**2} MB at most."
ANSWER = json.dumps({"error": {"code": "too_large", "message": MESSAGE}}).encode()


Message = Any
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class TooLarge(Exception):
    """The body is too large. `is_all` says that all of it has come."""

    def __init__(self, *, is_all: bool) -> None:
        super().__init__()
        self.is_all = is_all


class BoundedBodies:
    """An application whose requests have bodies of at most LIMIT bytes; larger ones are answered 413."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answers a request."""
        if _length(scope) > LIMIT:
            await _refuse(receive, send)
            return
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LIMIT:
                raise TooLarge(is_all=not message.get("more_body"))
            return message

        try:
            await self.application(scope, bounded, send)
        except TooLarge as error:
            await _refuse(receive, send, is_all=error.is_all)


def _length(scope: dict[str, Any]) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


async def _refuse(receive: Receive, send: Send, *, is_all: bool = False) -> None:
    size = 0
    while size < PATIENCE and not is_all:
        message = await receive()
        size += len(message.get("body", b""))
        is_all = not message.get("more_body")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})
