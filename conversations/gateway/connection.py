"""One HTTP/1.1 connection to the gateway: a request goes out, the bytes of its response come in."""

import asyncio
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

UNREAD_LIMIT = 128 * 1024
"""Bytes of a response that may wait to be read.

A stream whose reader is slow takes at most twice as much memory, and what one read of the socket brings.
"""
HEAD_LIMIT = 64 * 1024
SEND_CHECK_EVERY = 1.0
"""Seconds between two looks at a request that is not sent yet."""


Sink = Callable[[bytes], bool]
"""Takes the next bytes of a body, on the loop; returns whether it takes more."""


class Response:
    """A response as it comes in, by the callbacks of httptools."""

    def __init__(self) -> None:
        self.status = 0
        """0 until the headers are complete."""
        self.headers: dict[str, str] = {}
        """With names in lower case."""
        self.body = bytearray()
        """The part of the body that has come and was not read."""
        self.is_complete = False
        self.keeps_connection = False
        self._head_room = HEAD_LIMIT
        self._awaits_chunk = False
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Takes the next bytes; raises HttpParserError."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            raise HttpParserError("another protocol begins") from None
        if not self.status:
            self._head_room -= len(data)
            if self._head_room < 0:
                raise HttpParserError("the headers have no end")

    def finish(self) -> None:
        """Ends with the connection; raises ConnectionError if the response is cut by that.

        A chunk's size that nothing follows may be the last one's, cut short. A body without chunks may be shorter than its Content-Length,
        as botocore allows too: its `messageStop` says whether an answer is complete.
        """
        if not self.status:
            raise ConnectionError("the connection was closed without an answer")
        if "chunked" in self.headers.get("transfer-encoding", "").lower() and not self._awaits_chunk:
            raise ConnectionError("the connection was closed in the middle of the answer")
        self.is_complete = True

    def on_message_begin(self) -> None:
        """Refuses a second response."""
        if self.is_complete:
            raise ValueError("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Stores a header; those that follow the body are of no use."""
        if not self.status:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Stores the status."""
        status = self._parser.get_status_code()
        if status < 200:  # another head follows
            self.headers.clear()
        else:
            self.status = status

    def on_chunk_header(self) -> None:
        """Stores that a chunk's size has come."""
        self._awaits_chunk = True

    def on_body(self, data: bytes) -> None:
        """Adds to the body."""
        self._awaits_chunk = False
        self.body += data

    def on_message_complete(self) -> None:
        """Ends the response, of which `100 Continue` is no part."""
        if self.status:
            self.is_complete = True
            self.keeps_connection = self._parser.should_keep_alive()


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time. Only its loop may call its methods."""

    def __init__(self, timeout: float) -> None:
        self.response = Response()
        self._loop = asyncio.get_running_loop()
        self._timeout = self._limit = timeout
        self._transport: asyncio.Transport
        self._is_open = self._is_paused = False
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._sink: Sink | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._unsent = 0

    async def send(self, request: bytes) -> None:
        """Sends a request and waits for the response's headers; raises OSError or HttpParserError."""
        if not self._is_open:
            raise self._failure or ConnectionError("the connection was closed without an answer")
        self.response = response = Response()
        self._transport.write(request)
        self.set_timeout(self._timeout)
        while not response.status:
            await self._news()

    async def read_body(self, sink: Sink) -> bool:
        """Passes the body to `sink` as it comes, without waking a task for it.

        Returns True at the body's end and False if the sink takes no more for now; raises what `send` and the sink raise.
        """
        if not self._drain(sink):
            return False
        self._sink = sink
        try:
            while self._passes_on and not self.response.is_complete:
                await self._news()
            if self._failure:
                raise self._failure
            return self._passes_on
        finally:
            self._sink = None

    @property
    def _passes_on(self) -> bool:
        return self._sink is not None

    def _drain(self, sink: Sink) -> bool:
        """Passes on the bytes that wait, and pauses reading if the sink takes no more."""
        body = bytes(self.response.body)
        self.response.body.clear()
        goes_on = sink(body) if body else True
        if goes_on is self._is_paused and self._is_open:
            (self._resume if goes_on else self._pause)()
        return goes_on

    def _pause(self) -> None:
        self._is_paused = True
        self._transport.pause_reading()

    def _resume(self) -> None:
        self._is_paused = False
        self._last = self._loop.time()
        self._transport.resume_reading()

    def set_timeout(self, seconds: float) -> None:
        """Limits the time between two bytes from now on."""
        self._limit, self._last = min(seconds, self._timeout), self._loop.time()
        self._watch()

    def free(self) -> bool:
        """Ends the work on the response; returns whether another request may be sent."""
        is_reusable = self._is_open and self.response.is_complete and self.response.keeps_connection
        if not is_reusable or self._is_paused or self._transport.get_write_buffer_size():
            self.abort()
        self._cancel_timer()
        return self._is_open

    def abort(self) -> None:
        """Closes at once, whatever is under way."""
        self._end(ConnectionError("the connection was given up"))

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it yet."""
        return self._is_open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins."""
        self._transport, self._is_open = cast(asyncio.Transport, transport), True

    def data_received(self, data: bytes) -> None:
        """Parses the next bytes; a response without a request ends the connection."""
        self._last = self._loop.time()
        failure: HttpParserError | None = None
        try:
            self.response.feed(data)
        except HttpParserError as error:
            failure = error
        if self._sink:
            self._pass_on(self._sink)
        if failure:
            self._end(failure)
        elif len(self.response.body) > UNREAD_LIMIT and not self._is_paused:
            self._pause()
        if not self._passes_on or self.response.is_complete:
            self._wake()

    def _pass_on(self, sink: Sink) -> None:
        """Passes the body on within the transport's call; the task that waits gets its failure."""
        try:
            if not self._drain(sink):
                self._sink = None
        except Exception as error:  # noqa: BLE001 (read_body raises it)
            self._failure = error
            self._end(error)

    def eof_received(self) -> None:
        """Ends at once: asyncio would first send the end of a request that nobody will answer."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends."""
        self._end(exc)

    def _end(self, failure: Exception | None) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._cancel_timer()
        self._transport.abort()
        if not self.response.is_complete:
            self._failure = self._failure or failure or self._cut()
        self._wake()

    def _cut(self) -> Exception | None:
        try:
            self.response.finish()
        except ConnectionError as error:
            return error
        return None

    async def _news(self) -> None:
        if self._failure:
            raise self._failure
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter and not waiter.done():
            waiter.set_result(None)

    def _watch(self) -> None:
        """Ends the connection at its timeout, or looks again when that may be: no byte has to set a timer."""
        self._cancel_timer()
        unsent, now = self._transport.get_write_buffer_size(), self._loop.time()
        if self._is_paused or unsent < self._unsent:
            self._last = now
        self._unsent = unsent
        remaining = self._last + self._limit - now
        if remaining <= 0:
            self._end(TimeoutError(f"nothing came for {self._limit:g} s"))
        elif self._is_open:
            self._timer = self._loop.call_later(
                min(remaining, SEND_CHECK_EVERY) if unsent else remaining, self._watch
            )

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
