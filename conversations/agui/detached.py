"""Streams that hold no thread: Django's handler ends before the first event is sent."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

from .streams import Stream

DETACHED = "turntable.detached"
"""The scope's key of the holder in which a view leaves its stream."""

ROOM = "turntable.room"
"""The scope's key of a function that waits for a slow reader, where the server's `send` does not."""

READ_TIMEOUT = 60.0
"""Seconds after which a reader who takes nothing is given up."""

Message = Any
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class Detached:
    """The holder of a response's stream, which its view fills."""

    stream: Stream | None = None


class DetachedStreams:
    """An application that sends its views' streams after Django's handler has ended, without a thread."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answers a request."""
        detached, has_begun = Detached(), False

        async def send_beginning(message: Message) -> None:
            nonlocal has_begun
            if detached.stream is None or message["type"] == "http.response.start":
                has_begun = has_begun or detached.stream is not None
                await send(message)

        await self.application({**scope, DETACHED: detached}, receive, send_beginning)
        if detached.stream is None:
            return
        if not has_begun:
            detached.stream.lose()
            return
        await _send_all(detached.stream, receive, send, scope.get(ROOM))


async def _send_all(stream: Stream, receive: Receive, send: Send, room: Any) -> None:
    lost = asyncio.ensure_future(_until_lost(receive))
    sending = asyncio.ensure_future(_send_chunks(stream.chunks(), send, room))
    try:
        await asyncio.wait({lost, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        lost.cancel()
        sending.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await sending


async def _until_lost(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_chunks(chunks: AsyncGenerator[bytes, None], send: Send, room: Any) -> None:
    async with aclosing(chunks):
        async for chunk in chunks:
            await _send_chunk(chunk, send, room)
    await send({"type": "http.response.body"})


async def _send_chunk(chunk: bytes, send: Send, room: Any) -> None:
    async with asyncio.timeout(READ_TIMEOUT):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if room is not None:
            await room()


async def nothing() -> AsyncIterator[bytes]:
    """The body of a response whose stream is sent later."""
    chunks: tuple[bytes, ...] = ()
    for chunk in chunks:
        yield chunk


def body_of(scope: dict[str, Any], stream: Stream) -> AsyncIterator[bytes]:
    """A response's body: the stream's chunks, or nothing if the stream could be left to be sent later."""
    detached = scope.get(DETACHED)
    if not isinstance(detached, Detached):
        return stream.chunks()
    detached.stream = stream
    return nothing()
