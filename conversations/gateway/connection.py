"""One HTTP/1.1 connection to the gateway: a request goes out, the bytes of its answer come in."""

import asyncio
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

UNREAD_LIMIT = 128 * 1024
"""Bytes of an answer that may wait to be read; with as many that are being read, and one read of the socket,
all that a stream whose reader is slow takes up."""
HEAD_LIMIT = 64 * 1024
OFTEN = 1.0
"""Seconds between two looks at how a request gets on that is not sent yet."""


Sink = Callable[[bytes], bool]
"""Takes a piece of a body, on the loop; whether it takes more."""


class Answer:
    """An answer as it comes in, by the callbacks of httptools."""

    def __init__(self) -> None:
        self.status = 0
        """0 until the headers are complete."""
        self.headers: dict[str, str] = {}
        """With names in lower case."""
        self.body = bytearray()
        """What has come of the body and was not read."""
        self.complete = False
        self.keeps_connection = False
        self._head_room = HEAD_LIMIT
        self._awaits_chunk = False
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take the next bytes in; raises HttpParserError."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            raise HttpParserError("another protocol begins") from None
        if not self.status:
            self._head_room -= len(data)
            if self._head_room < 0:
                raise HttpParserError("the headers have no end")

    def finish(self) -> None:
        """End with the connection; raises ConnectionError where this cuts the answer.

        A chunk's size that nothing follows may be the last one's, cut short. A body that has no chunks may be
        shorter than it said to be, as for botocore: whether an answer is complete is for its `messageStop` to say.
        """
        if not self.status:
            raise ConnectionError("the connection was closed without an answer")
        if "chunked" in self.headers.get("transfer-encoding", "").lower() and not self._awaits_chunk:
            raise ConnectionError("the connection was closed in the middle of the answer")
        self.complete = True

    def on_message_begin(self) -> None:
        """Refuse what nobody asked for."""
        if self.complete:
            raise ValueError("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header; those that follow the body are of no use."""
        if not self.status:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Store the status."""
        status = self._parser.get_status_code()
        if status < 200:  # another head follows
            self.headers.clear()
        else:
            self.status = status

    def on_chunk_header(self) -> None:
        """Remember that a chunk's size has come."""
        self._awaits_chunk = True

    def on_body(self, data: bytes) -> None:
        """Add to the body."""
        self._awaits_chunk = False
        self.body += data

    def on_message_complete(self) -> None:
        """End, for `100 Continue` too, which is no answer yet."""
        if self.status:
            self.complete = True
            self.keeps_connection = self._parser.should_keep_alive()


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time. Its methods are its loop's alone."""

    def __init__(self, timeout: float) -> None:
        self.answer = Answer()
        self._loop = asyncio.get_running_loop()
        self._timeout = self._limit = timeout
        self._transport: asyncio.Transport
        self._open = self._paused = False
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._sink: Sink | None = None
        self._goes_on = True
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._unsent = 0

    async def send(self, request: bytes) -> None:
        """Send a request and wait for the headers of its answer; raises OSError or HttpParserError."""
        if not self._open:
            raise self._failure or ConnectionError("the connection was closed without an answer")
        self.answer = answer = Answer()
        self._transport.write(request)
        self.hurry(self._timeout)
        while not answer.status:
            await self._news()

    async def pour(self, sink: Sink) -> bool:
        """Hand the body to `sink` as it comes, without waking a task for it; False if the sink takes no more for now.

        Returns True at the body's end; raises as `send`, and what the sink raises.
        """
        self._goes_on = self._take(sink)
        self._sink = sink
        try:
            while self._goes_on and not self.answer.complete:
                await self._news()
        finally:
            self._sink = None
        if self._failure:
            raise self._failure
        return self._goes_on

    def _take(self, sink: Sink) -> bool:
        body = bytes(self.answer.body)
        self.answer.body.clear()
        if self._paused and self._open:
            self._paused = False
            self._last = self._loop.time()
            self._transport.resume_reading()
        return sink(body) if body else True

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this between two bytes from now on."""
        self._limit, self._last = min(seconds, self._timeout), self._loop.time()
        self._watch()

    def free(self) -> bool:
        """Have done with the answer; whether another request may be sent."""
        reusable = self._open and self.answer.complete and self.answer.keeps_connection
        if not reusable or self._paused or self._transport.get_write_buffer_size():
            self.abort()
        self._cancel_timer()
        return self._open

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._end(ConnectionError("the connection was given up"))

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it yet."""
        return self._open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport, self._open = cast(asyncio.Transport, transport), True

    def data_received(self, data: bytes) -> None:
        """Parse what has come; an answer that nobody asked for ends the connection."""
        self._last = self._loop.time()
        broken: HttpParserError | None = None
        try:
            self.answer.feed(data)
        except HttpParserError as error:
            broken = error
        if self._sink:
            self._pass_on(self._sink)
        if broken:
            self._end(broken)
        elif len(self.answer.body) > UNREAD_LIMIT and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        if self._sink is None or self.answer.complete:
            self._wake()

    def _pass_on(self, sink: Sink) -> None:
        """Hand over what has come while nobody else may: this is called by the transport, which hears of no failure."""
        try:
            self._goes_on = self._take(sink)
        except Exception as error:  # noqa: BLE001 (for whoever waits)
            self._failure = error
            self._end(error)
        if not self._goes_on:
            self._sink = None

    def eof_received(self) -> None:
        """End at once: asyncio would first send what is left of a request that nobody will answer."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._end(exc)

    def _end(self, failure: Exception | None) -> None:
        if not self._open:
            return
        self._open = False
        self._cancel_timer()
        self._transport.abort()
        if not self.answer.complete:
            self._failure = self._failure or failure or self._cut()
        self._wake()

    def _cut(self) -> Exception | None:
        try:
            self.answer.finish()
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
        """End the wait if it is over, or else look again when it may be: not for each byte that comes."""
        self._cancel_timer()
        unsent, now = self._transport.get_write_buffer_size(), self._loop.time()
        if self._paused or unsent < self._unsent:
            self._last = now
        self._unsent = unsent
        rest = self._last + self._limit - now
        if rest <= 0:
            self._end(TimeoutError(f"nothing came for {self._limit:g} s"))
        elif self._open:
            self._timer = self._loop.call_later(min(rest, OFTEN) if unsent else rest, self._watch)

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
