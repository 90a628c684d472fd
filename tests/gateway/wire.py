"""A scripted HTTP server on a raw socket: a script is bytes, pauses and cuts.

with WireServer([Answer.error(429, {"message": "slow down"}), Answer.stream(*frames)]) as server:
    ...  # server.url, server.requests
"""

import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count
from typing import Any, BinaryIO, Self

from conversations.gateway.frames import encode

PATIENCE = 10
Part = bytes | threading.Event
Headers = Mapping[str, str]
EVENT_STREAM = {"Content-Type": "application/vnd.amazon.eventstream", "x-amzn-RequestId": "request-1"}


class End(Enum):
    """What becomes of the connection after an answer."""

    KEEP = auto()  # the next request may come over it
    CLOSE = auto()  # FIN
    RESET = auto()  # RST
    STALL = auto()  # nothing more, until the client hangs up


@dataclass(frozen=True)
class Answer:
    """Bytes to send one after the other; at an Event the server waits until the test has set it."""

    parts: tuple[Part, ...]
    end: End = End.KEEP

    @classmethod
    def stream(
        cls,
        *frames: Part,
        headers: Headers = EVENT_STREAM,
        end: End = End.KEEP,
        terminated: bool = True,
        size: int = 0,
    ) -> Self:
        """A chunked 200: a chunk a frame, or of `size` bytes. Unterminated: without the last."""
        if size:
            whole = b"".join(frame for frame in frames if isinstance(frame, bytes))
            frames = tuple(whole[at : at + size] for at in range(0, len(whole), size))
        chunks = tuple(_chunk(frame) if isinstance(frame, bytes) else frame for frame in frames)
        last = (b"0\r\n\r\n",) if terminated else ()
        return cls((head(200, {**headers, "Transfer-Encoding": "chunked"}), *chunks, *last), end)

    @classmethod
    def plain(cls, *parts: Part, headers: Headers = EVENT_STREAM, missing: int | None = None) -> Self:
        """A 200 that ends with the connection, or that says to be `missing` bytes longer than it is."""
        length = sum(len(part) for part in parts if isinstance(part, bytes))
        framing = {"Connection": "close"} if missing is None else {"Content-Length": str(length + missing)}
        return cls((head(200, {**headers, **framing}), *parts), End.CLOSE)

    @classmethod
    def error(cls, status: int, body: object = b"", headers: Headers | None = None) -> Self:
        """Any status with a body, which is sent as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        all_headers = {
            "Content-Type": "application/json",
            **(headers or {}),
            "Content-Length": str(len(data)),
        }
        return cls((head(status, all_headers) + data,))

    @classmethod
    def silence(cls) -> Self:
        """Nothing at all."""
        return cls((), End.STALL)


@dataclass
class Request:
    """A request as it came: header names in lower case, `connection` numbered by the order of connecting."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set once the client has closed the connection."""


class WireServer:
    """Plays the answers in order, the last one again and again."""

    def __init__(
        self,
        answers: Iterable[Answer | Callable[[Request], Answer]],
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.requests: list[Request] = []
        self.arrived = threading.Semaphore(0)
        self._answers, self._tls = list(answers), tls
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._numbers = count(1)
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port = self._listener.getsockname()[1]
        url_host = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if tls else 'http'}://{url_host}:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def play(self, *answers: Answer | Callable[[Request], Answer]) -> None:
        """Begin a new script, with no requests behind it."""
        with self._lock:
            self._answers, self.requests, self.arrived = list(answers), [], threading.Semaphore(0)

    def wait(self) -> Request:
        """The next request that has come in whole and was not waited for yet."""
        assert self.arrived.acquire(timeout=PATIENCE), "no request came"
        return self.requests[-1]

    def _start(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                self._start(self._serve, connection, next(self._numbers))

    def _serve(self, connection: socket.socket, number: int) -> None:
        served: list[Request] = []
        with suppress(OSError), connection:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._connections.append(connection)
            with connection, connection.makefile("rb") as reader:
                while request := _read(reader, number):
                    served.append(request)
                    if not _play(self._next(request), connection):
                        break
        for request in served:
            request.hung_up.set()

    def _next(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        self.arrived.release()
        return answer if isinstance(answer, Answer) else answer(request)


def head(status: int, headers: Headers) -> bytes:
    """An answer's status line and headers."""
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def answer_frames(*texts: str, usage: bool = True) -> list[bytes]:
    """The frames of a complete answer of one text block."""
    payloads: list[tuple[str, dict[str, Any]]] = [
        ("messageStart", {"role": "assistant", "p": "abc"}),
        *(("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in texts),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
    ]
    tokens = {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, "metrics": {"latencyMs": 4}}
    return [encode(name, payload) for name, payload in payloads + [("metadata", tokens)] * usage]


def flipped(frame: bytes, at: int) -> bytes:
    """The frame with one bit of the byte there turned over."""
    damaged = bytearray(frame)
    damaged[at] ^= 1
    return bytes(damaged)


def chunks(*frames: bytes) -> bytes:
    """A chunk for each frame."""
    return b"".join(map(_chunk, frames))


def raw(*parts: bytes) -> Answer:
    """A 200 that says to be chunked, with just these bytes, and then a FIN."""
    return Answer((head(200, {**EVENT_STREAM, "Transfer-Encoding": "chunked"}), *parts), End.CLOSE)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _read(reader: BinaryIO, number: int) -> Request | None:
    line = reader.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    while (header := reader.readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line[1], headers, reader.read(int(headers.get("content-length", 0))), number)


def _play(answer: Answer, connection: socket.socket) -> bool:
    """Whether the next request may come over this connection."""
    for part in answer.parts:
        if isinstance(part, bytes):
            connection.sendall(part)
        else:
            assert part.wait(PATIENCE), "the test never let the answer go on"
    if answer.end is End.STALL:
        while connection.recv(4096):
            pass
    if answer.end is End.RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return answer.end is End.KEEP


class _Plain(socketserver.BaseRequestHandler):
    """What a web server without TLS answers to one that speaks it."""

    def handle(self) -> None:
        self.request.recv(65536)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def server_without_tls() -> Iterator[str]:
    """An https address at which a server speaks plain HTTP."""
    with socketserver.TCPServer(("127.0.0.1", 0), _Plain) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
