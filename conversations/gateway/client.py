"""A round on the wire: a Converse request in, ConverseStream events out.

The request's body is sent as it is, so that botocore's model, which is older than the service, cannot refuse, change or drop a part of
it. Responses are read by our own code: botocore loses the text of gateways' errors, reads their bodies however long they are, and fails
on anything unexpected.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Any, Protocol

from httptools import HttpParserError

from conversations.errors import GatewayError, StreamCut
from conversations.gateway import errors
from conversations.gateway.connection import Connection, Response
from conversations.gateway.frames import Decoder, FrameError
from conversations.gateway.options import Options
from conversations.gateway.pool import Pool, Pools
from conversations.gateway.session import Request, Signer, make_tls
from conversations.protocol.converse.stream import DAMAGED, LOST, StreamEvent

logger = logging.getLogger(__name__)

ERROR_LIMIT = 64 * 1024

Receive = Callable[[str, dict[str, Any]], None]


class FlowControl(Protocol):
    """The receiver's queue: while it is full, no more of the stream is read."""

    @property
    def is_full(self) -> bool:
        """Whether it takes no more for now."""

    async def wait_for_room(self) -> None:
        """Waits until it takes more."""


class Call:
    """One attempt at a round: a request and its response."""

    def __init__(self, options: Options, pools: Pools, request: Request) -> None:
        self.request_id = ""
        """Bedrock's id of the request, or else Kong's; known once the response's headers are there."""
        self.request_sha256 = request.sha256
        """Of the HTTP body, in hex."""
        self._options, self._pools, self._request = options, pools, request
        self._pool: Pool
        self._connection: Connection | None = None
        self._response = Response()
        self._decoder = Decoder()
        self._damaged = 0
        self._is_complete = False
        self._receiver_error: Exception | None = None

    async def stream(self, receive: Receive, flow: FlowControl) -> None:
        """Sends the request and passes the events to `receive` as they come, whatever their names.

        `receive` is called on the loop and must not wait; while `flow` is full, nothing more is read. Returns when the
        stream has ended, with or without a `messageStop`. Raises what `receive` raises, and GatewayError, but not for a
        failure after a `messageStop`: the answer is complete. Cancelling the task closes the connection at once.
        """
        try:
            await self._read(await self._ask(), receive, flow)
        except Exception as error:
            if error is self._receiver_error:
                raise
            failure = self._failure(error)
            if not self._is_complete:
                raise failure from (None if failure is error else error)
            logger.info("request %s failed once its answer was complete: %s", self.request_id, failure.code)
        finally:
            self._close()

    async def _read(self, connection: Connection, receive: Receive, flow: FlowControl) -> None:
        def take(data: bytes) -> bool:
            for event in self._events(connection, data):
                try:
                    receive(*event)
                except Exception as error:
                    self._receiver_error = error
                    raise
            return not flow.is_full

        while not await connection.read_body(take):
            await flow.wait_for_room()
        self._check_end()

    async def _ask(self) -> Connection:
        """Sends the request and returns the connection of a good response; raises the error of a bad one."""
        self._pool = self._pools.here()
        connection = await self._send(await self._pool.take())
        response = self._response
        self.request_id = errors.request_id(response.headers)
        if response.status >= 300:
            body = await self._error_body(connection)
            raise errors.from_response(response.status, response.headers, body, self._request.size)
        return connection

    async def _send(self, connection: Connection) -> Connection:
        self._connection = connection
        try:
            await connection.send(self._request.data)
        finally:
            self._response = connection.response
        return connection

    def _events(self, connection: Connection, data: bytes) -> Iterator[StreamEvent]:
        for frame in self._decoder.feed(data):
            if frame.kind in ("exception", "error"):
                raise errors.from_frame(frame)
            payload = _members(frame.payload)
            self._damaged += DAMAGED in payload
            if frame.name == "messageStop" and payload != LOST:
                self._is_complete = True
                connection.set_timeout(self._options.ending)
            yield frame.name, payload

    def _check_end(self) -> None:
        if not self._decoder.has_begun:
            raise errors.not_a_stream(self._response.status, self._decoder.rest)
        if self._decoder.has_rest:
            raise StreamCut("the stream ended inside a frame")

    async def _error_body(self, connection: Connection) -> bytes:
        """The body of an error, as much as comes: the status is enough, so it may be cut or endless."""
        body = bytearray()

        def take(data: bytes) -> bool:
            body.extend(data)
            return len(body) <= ERROR_LIMIT

        with suppress(HttpParserError, OSError):
            async with asyncio.timeout(self._options.ending):
                await connection.read_body(take)
        return bytes(body)

    def _failure(self, error: Exception) -> GatewayError:
        if isinstance(error, FrameError) and not self._decoder.has_begun:
            failure = errors.not_a_stream(self._response.status, self._decoder.rest)
        else:
            failure = errors.from_failure(error, is_answered=bool(self._response.status))
        failure.request_id = failure.request_id or self.request_id
        failure.detail = self._options.redacted(failure.detail)
        failure.words = self._options.redacted(failure.words)
        return failure

    def _close(self) -> None:
        """Gives the connection back to the pool, which closes it unless another request may follow."""
        if self._connection:
            self._pool.put_back(self._connection)
            self._connection = None
        if self._damaged:
            logger.warning(
                "request %s: %d events that are no JSON object or not UTF-8", self.request_id, self._damaged
            )
            self._damaged = 0


class Gateway:
    """The gateway of the options, for any number of calls at a time. It is costly: a process has one."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._signer = Signer(options)
        self._pools = Pools(options, make_tls(options))

    @classmethod
    def from_settings(cls) -> "Gateway":
        """The gateway of Django's settings; raises ConfigurationError."""
        return cls(Options.from_settings())

    def call(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Call:
        """A round's call: `body` is Converse's JSON (bytes as base64), `labels` are user, conversation, turn.

        Encodes and signs the request, which takes time and belongs into a thread; raises InvalidRequest.
        """
        return Call(self._options, self._pools, self._signer.request(model, body, labels))

    def close(self) -> None:
        """Closes the connections that wait for their next calls."""
        self._pools.close()


def get_gateway() -> Gateway:
    """This process's gateway, made anew when the settings have changed; raises ConfigurationError."""
    with _lock:
        return _gateway(Options.from_settings())


_lock = Lock()


@lru_cache(maxsize=1)
def _gateway(options: Options) -> Gateway:
    return Gateway(options)


def _members(payload: bytes) -> dict[str, Any]:
    """The members of a frame's JSON object, with a mark of damage for anything else."""
    mark: dict[str, Any] = {}
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text, mark = payload.decode(errors="replace"), LOST
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    return value | mark if isinstance(value, dict) else LOST
