"""The connection to an upstream: one for each request, which another thread may end at any moment."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from conversations.errors import ConfigurationError
from conversations.upstream import dialect, refusals
from conversations.upstream.refusals import Refused

CONNECT_TIMEOUT = 5.0
ERROR_LIMIT = 64 * 1024
WHOLE_LIMIT = 32 * 1024 * 1024
PIECE = 64 * 1024
PATH = "/chat/completions"
BAD_URL = (
    "UPSTREAM_URL must be an http or https URL without user and query, such as http://localhost:11434/v1."
)
SHORTEST_SECRET = 4
RESET = struct.pack("ii", 1, 0)
"""The linger of a socket that is reset when it is closed."""


class Upstream:
    """A server of chat completions: its base URL, its key, and its model if there is just one."""

    def __init__(self, url: str, key: str = "", model: str = "") -> None:
        url = url.strip().rstrip("/").removesuffix(PATH)
        try:
            parts = urlsplit(url)
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_url = False
        if not is_url or parts.username is not None or parts.query or parts.fragment:
            raise ConfigurationError(BAD_URL)
        self.address, self.path = f"{parts.scheme}://{parts.netloc}", f"{parts.path}{PATH}"
        self.lessons: set[str] = set()
        """The changes of dialect.CHANGES that its refusals have asked for."""
        self._host, self._port, self._key, self._model = parts.hostname or "", parts.port, key.strip(), model
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each request."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "User-Agent": "turntable",
        }
        return headers | ({"Authorization": f"Bearer {self._key}"} if self._key else {})

    def model_for(self, model: str) -> str:
        """The model to request: the upstream's only one, or else this one."""
        return self._model or model

    def redacted(self, text: str) -> str:
        """The text without the key, which a refusal may repeat."""
        return text.replace(self._key, "[redacted]") if len(self._key) >= SHORTEST_SECRET else text

    def connection(self) -> HTTPConnection:
        """A new connection, which is not open yet."""
        if self._tls:
            return HTTPSConnection(self._host, self._port, timeout=CONNECT_TIMEOUT, ssl_context=self._tls)
        return HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT)


class Call:
    """A request and its response."""

    def __init__(self, upstream: Upstream) -> None:
        self.is_ended = False
        """Whether end() was called: any later failure is due to that."""
        self._upstream = upstream
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._response: BaseHTTPResponse | None = None

    def send(self, request: dict[str, Any]) -> Iterator[bytes]:
        """Sends the request; returns the bytes of a good response's events, raises Refused for a bad one."""
        while True:
            adapted = dialect.adapted(request, self._upstream.lessons)
            response = self._post(json.dumps(adapted).encode())
            is_good = 200 <= response.status < 300
            pieces = self._pieces(response)
            start = next(pieces, b"") if is_good else b""
            if is_good and not _is_whole(response, start):
                return chain((start,), pieces)
            body = start + _body(pieces, WHOLE_LIMIT if is_good else ERROR_LIMIT)
            if is_good and b'"choices"' in body:
                return iter([b"data: %b\n\n" % b" ".join(body.splitlines())])
            lesson = dialect.lesson(response.status, body.decode(errors="replace"), adapted)
            if not lesson:
                raise self._redacted(refusals.from_response(response.status, response.headers, body))
            self._upstream.lessons.add(lesson)

    def _pieces(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        """The body as it comes, until its end or that of the connection."""
        with suppress(HTTPError, OSError):
            while data := response.read1(PIECE):
                yield data

    def end(self) -> None:
        """Ends the connection at once, from any thread: the upstream stops writing what nobody reads.

        It is reset, since a server that waits for room to write would not hear of a mere end.
        """
        with self._lock:
            self.is_ended = True
            if self._socket:
                with suppress(OSError):
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes the connection if one is open; another may follow."""
        with self._lock:
            if self._response:
                self._response.close()
            if self._socket:
                self._socket.close()
            self._response = self._socket = None

    def _post(self, body: bytes) -> BaseHTTPResponse:
        self.close()
        connection = self._upstream.connection()
        try:
            connection.connect()
            self._keep_socket(connection)
            connection.request(
                "POST", self._upstream.path, body, self._upstream.headers, preload_content=False
            )
            self._response = connection.getresponse()
            return self._response
        except (HTTPError, OSError, ValueError) as error:
            raise Refused(502, f"The upstream cannot be reached: {_reason(error)}.") from error

    def _keep_socket(self, connection: HTTPConnection) -> None:
        """Keeps the socket for end(). It has no timeout: the caller ends a wait that is too long."""
        with self._lock:
            self._socket = connection.sock
            if self.is_ended or self._socket is None:
                raise ConnectionError("the caller has gone")
            connection.timeout = None
            self._socket.settimeout(None)

    def _redacted(self, refused: Refused) -> Refused:
        return Refused(refused.status, self._upstream.redacted(refused.message), refused.headers)


def _reason(error: Exception) -> str:
    """The reason in words, without the addresses and the lines of OpenSSL's source that libraries add."""
    inner = error.__cause__ or error.__context__ or error
    if isinstance(inner, TimeoutError):
        return "it did not take the connection in time"
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted, {inner.verify_message}"
    if isinstance(inner, ssl.SSLError):
        return f"TLS failed, {(inner.reason or '').replace('_', ' ').lower()}"
    words = getattr(inner, "strerror", None) or type(inner).__name__
    return str(words).rstrip(".").lower()


def _body(pieces: Iterator[bytes], limit: int) -> bytes:
    """The body as it comes, and not much more of it than the limit."""
    body = bytearray()
    for data in pieces:
        body += data
        if len(body) > limit:
            break
    return bytes(body)


def _is_whole(response: BaseHTTPResponse, start: bytes) -> bool:
    """Whether a response is no stream, by its type and its beginning."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("application/json", "text/html") and start.lstrip()[:1] in (b"{", b"<")
