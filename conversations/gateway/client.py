"""A round on the wire: a Converse request in, ConverseStream events out, through boto3.

Two things are taken from botocore, by its own event hooks. The request's body goes out as the JSON that it is, so
that botocore's model, older than the service, cannot refuse, change or drop a part of it. And answers are read by
us: botocore loses the text of gateways' errors, reads their bodies however long they are, and trips over what it
does not expect.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import lru_cache
from threading import Lock
from typing import Any

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from conversations.errors import CallInterrupted, GatewayError, InvalidRequest, StreamCut
from conversations.gateway import errors
from conversations.gateway.connection import LINE, Line
from conversations.gateway.frames import Decoder, Frame, FrameError
from conversations.gateway.options import Options
from conversations.gateway.session import make_client

logger = logging.getLogger(__name__)

PIECE = 64 * 1024
ERROR_LIMIT = 64 * 1024

Event = tuple[str, dict[str, Any]]


class Call:
    """One attempt at one round."""

    def __init__(
        self,
        client: Any,
        options: Options,
        model: str,
        body: Mapping[str, Any],
        labels: Mapping[str, str],
    ) -> None:
        self.request_id = ""
        """Bedrock's id of the request, or else Kong's; known once the answer's headers are there."""
        self.request_sha256 = ""
        """Of the HTTP body, in hex; known once it is about to be sent."""
        self._client, self._options = client, options
        self._model, self._body, self._labels = model, body, labels
        self._line = Line(options.timeout)
        self._passed_over = 0
        self._response: Any = None

    def interrupt(self) -> None:
        """End the call from another thread, at whatever moment: `events` raises CallInterrupted at once."""
        self._line.cut()

    def events(self) -> Iterator[Event]:
        """Send the request and give the events as they come, names unknown to us too.

        Returns when the stream has ended, with or without a `messageStop`; raises GatewayError, though not
        for what fails after a `messageStop`: the answer is complete.
        """
        complete = False
        try:
            for event in self._exchange():
                yield event
                if event[0] == "messageStop":
                    complete = True
                    self._line.hurry(self._options.ending)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is told as ours)
            failure = self._failure(error)
            if not complete or isinstance(failure, CallInterrupted):
                raise failure from (None if failure is error else error)
            logger.info("request %s failed once its answer was complete: %s", self.request_id, failure.code)
        finally:
            self._close()

    def _exchange(self) -> Iterator[Event]:
        for frame in self._frames():
            if frame.kind in ("exception", "error"):
                raise errors.from_frame(frame)
            payload = _object(frame.payload)
            if payload is None:
                self._passed_over += 1
            else:
                yield frame.name, payload

    def _frames(self) -> Iterator[Frame]:
        self._line.check()
        response = copy_context().run(self._send)
        decoder = Decoder()
        try:
            for piece in _pieces(response):
                for frame in decoder.feed(piece):
                    self._line.check()
                    yield frame
        except FrameError:
            if decoder.begun:
                raise
        self._line.check()
        if not decoder.begun:
            raise errors.not_a_stream(response.status, decoder.rest)
        if decoder.pending:
            raise StreamCut("the stream ended inside a frame")

    def _send(self) -> Any:
        """Make the request, in a context in which the hooks and the connection find this call."""
        _CALL.set(self)
        LINE.set(self._line)
        self._client.converse_stream(modelId=self._model)
        return self._response

    def _fill(self, params: dict[str, Any]) -> None:
        params["body"] = _encoded(self._body)
        params["headers"]["Content-Type"] = "application/json"

    def _deliver(self, request: Any) -> Any:
        """Send the request in botocore's place, and let on no answer but a good one."""
        # Last of all: none of our headers is signed, and an Authorization of ours replaces boto3's.
        request.headers.update(self._options.headers_for(self._labels))
        self.request_sha256 = hashlib.sha256(request.body).hexdigest()
        answer = self._client._endpoint.http_session.send(request)
        self._response = answer.raw
        self.request_id = errors.request_id(answer.headers)
        if answer.status_code >= 300:
            said = self._error_body()
            raise errors.from_answer(answer.status_code, answer.headers, said, len(request.body))
        return answer

    def _error_body(self) -> bytes:
        """What an error's body says, as far as it comes: it may be cut or without an end, the status counts."""
        body = b""
        deadline = time.monotonic() + self._options.ending
        self._line.hurry(self._options.ending)
        with suppress(HTTPError, OSError):
            for piece in _pieces(self._response):
                body += piece
                if len(body) > ERROR_LIMIT or time.monotonic() > deadline:
                    break
        return body

    def _failure(self, error: Exception) -> GatewayError:
        if self._line.is_cut:
            return CallInterrupted(request_id=self.request_id)
        failure = errors.from_failure(error)
        failure.request_id = failure.request_id or self.request_id
        failure.detail = self._options.redacted(failure.detail)
        return failure

    def _close(self) -> None:
        """Close the connection, unless it was read to the end and is back in the pool."""
        if self._response:
            self._response.close()
        self._line.release()
        if self._passed_over:
            logger.warning(
                "request %s: %d events that are no JSON object", self.request_id, self._passed_over
            )


class Gateway:
    """The gateway that the options name, for any number of calls at a time; costly to make: one a process."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._client = make_client(options)
        for moment, hook in _HOOKS.items():
            self._client.meta.events.register(f"{moment}.bedrock-runtime.ConverseStream", hook)

    @classmethod
    def from_settings(cls) -> "Gateway":
        """The gateway of Django's settings; raises ConfigurationError."""
        return cls(Options.from_settings())

    def call(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Call:
        """A round to be: `body` is Converse's JSON (bytes as base64), `labels` user, conversation, turn."""
        return Call(self._client, self._options, model, body, labels)

    def close(self) -> None:
        """Close the connections that are kept for the next calls."""
        self._client.close()


def get_gateway() -> Gateway:
    """This process's gateway, made anew when the settings have changed; raises ConfigurationError."""
    with _making:
        return _gateway(Options.from_settings())


_making = Lock()


@lru_cache(maxsize=1)
def _gateway(options: Options) -> Gateway:
    return Gateway(options)


_CALL: ContextVar[Call] = ContextVar("call")
_HOOKS = {
    "before-call": lambda params, **_: _CALL.get()._fill(params),
    "before-send": lambda request, **_: _CALL.get()._deliver(request),
}


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"the request is no JSON: {error}") from error


def _object(payload: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(payload.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _pieces(response: BaseHTTPResponse) -> Iterator[bytes]:
    """The body as it comes: `stream` would hold back what is not chunked until it has 64 KiB."""
    if response.chunked:
        return response.stream()
    return iter(lambda: response.read1(PIECE), b"")
