"""The demo gateway's HTTP/1.1: a thread a connection, and Kong's headers round Bedrock's answers."""

import hashlib
import json
import logging
import math
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from socketserver import TCPServer
from typing import Any
from urllib.parse import unquote

from urllib3.util import wait_for_read

from conversations.demo_gateway import failures, phrases, shapes
from conversations.demo_gateway.cache import PromptCache
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.refusals import refusal
from conversations.demo_gateway.reply import Failure, Reply, new_id, tokens
from conversations.demo_gateway.streams import pieces, upstream_frames
from conversations.upstream import Answer, Refused, StreamFailure, Upstream

logger = logging.getLogger(__name__)

KONG = "kong/3.10.0"
JSON = {"Content-Type": "application/json"}
EVENT_STREAM = {"Content-Type": "application/vnd.amazon.eventstream"}
ROUTE = re.compile(r"/model/([^/]+)/(converse|converse-stream)$")
UNKNOWN_MODEL = "The provided model identifier is invalid."
BODY_LIMIT = 32 * 1024 * 1024
WATCH_INTERVAL = 0.1
"""Seconds after which a caller's hang-up ends the request to the upstream."""


class Exchange(BaseHTTPRequestHandler):
    """The requests of a connection and their answers. A ConnectionError ends it in the middle of one."""

    server: "DemoGateway"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answers a Converse or ConverseStream request."""
        started = time.monotonic()
        try:
            self._answer(self._body(), started)
        except ConnectionError:
            self.close_connection = True
        except Exception:
            logger.exception("demo gateway: an answer failed")
            self.close_connection = True

    def do_GET(self) -> None:
        """Refuses: there is nothing to get. A body, if there is one, stays unread."""
        self.close_connection = True
        self._fail(failures.NO_ROUTE)

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_GET  # noqa: N815 (http.server's names)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's name)
        """Logs nothing: requests are private."""

    @property
    def _is_whole(self) -> bool:
        return self.path.endswith("/converse")

    def _body(self) -> bytes:
        """The request's body; empty if its length is missing or too large."""
        length = self.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) <= BODY_LIMIT:
            return self.rfile.read(int(length))
        self.close_connection = True
        return b""

    def _read(self, body: bytes) -> Conversation | Failure:
        """The request, or why it is not one."""
        route = ROUTE.search(self.path.partition("?")[0])
        if not route:
            return failures.NO_ROUTE
        try:
            request = json.loads(body)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            return failures.BAD_JSON
        model = unquote(route[1])
        message = self._refusal(model, request)
        return failures.invalid(message) if message else Conversation(model, request)

    def _refusal(self, model: str, request: dict[str, Any]) -> str | None:
        if self.server.upstream:
            return shapes.refusal(request)  # what its model does not take, an upstream says itself
        return UNKNOWN_MODEL if model.startswith("invalid") else refusal(request)

    def _answer(self, body: bytes, started: float) -> None:
        request = self._read(body)
        if isinstance(request, Failure):
            self._fail(request)
        elif self.server.upstream:
            self._hand_on(Answer(self.server.upstream, request.model, request.body, new_id), request.model)
        else:
            answer = phrases.answer(request, lambda: self.server.was_tried(body))
            if self._is_whole and isinstance(answer, Reply):
                answer = failures.unstreamed(answer)
            if isinstance(answer, Failure):
                self._fail(answer)
            else:
                random = Random(body)  # noqa: S311 (where a stream is cut, the same each time)
                self._reply(answer, request, started, random)

    def _hand_on(self, answer: Answer, model: str) -> None:
        """Answers with what the upstream answers, while another thread waits for the caller to hang up."""
        done = threading.Event()
        watch = threading.Thread(target=_watch, args=(self.connection, answer, done), daemon=True)
        watch.start()
        try:
            random = Random()  # noqa: S311 (how long the padding of a frame is)
            body = answer.whole() if self._is_whole else upstream_frames(answer.batches(), random)
            self._succeed(body, model)
        except Refused as refused:
            if answer.is_ended:
                raise ConnectionAbortedError from None
            self._fail(failures.from_upstream(refused))
        except StreamFailure as failure:
            self._fail(failures.bedrock(failure.name, failure.message))
        except BaseException:
            answer.end()
            raise
        finally:
            done.set()
            watch.join()
            answer.close()

    def _reply(self, reply: Reply, request: Conversation, started: float, random: Random) -> None:
        usage = self.server.cache.usage(request.model, request.body)
        usage["outputTokens"] = sum(map(tokens, reply.blocks))
        usage["totalTokens"] = sum(usage.values())
        trace = {"trace": reply.trace} if reply.trace else {}
        metadata = {"usage": {**usage, "serverToolUsage": {}}, **trace}
        if not self._is_whole:
            return self._succeed(self._timed_pieces(reply, metadata, random), request.model)
        output = {"message": {"role": "assistant", "content": reply.blocks}}
        metrics = {"latencyMs": round((time.monotonic() - started) * 1000)}
        answer = {"output": output, "stopReason": reply.stop, "metrics": metrics, **metadata}
        return self._succeed(answer, request.model)

    def _timed_pieces(self, reply: Reply, metadata: Mapping[str, Any], random: Random) -> Iterator[bytes]:
        """The pieces of a reply, each at its time."""
        for wait, piece in pieces(reply, metadata, random):
            self._wait(wait)
            yield piece
        if reply.ending == "dropped":
            raise ConnectionAbortedError

    def _wait(self, seconds: float) -> None:
        """Waits at the gateway's pace; ends as soon as the caller hangs up."""
        started, timeout = time.monotonic(), None if math.isinf(seconds) else seconds * self.server.pace
        if _hangs_up(self.connection, timeout):
            raise ConnectionAbortedError
        if timeout:  # the next request may be there already
            time.sleep(max(0.0, started + timeout - time.monotonic()))

    def _fail(self, failure: Failure) -> None:
        if failure.instead:
            self._wait(math.inf if failure.instead == "silence" else 0)
            raise ConnectionAbortedError
        request_id = uuid.uuid4().hex
        headers = {"Server": KONG, "X-Kong-Response-Latency": "1"} if failure.is_kongs else _bedrock_headers()
        headers |= {"X-Kong-Request-Id": request_id, **JSON, **failure.headers}
        self._send(failure.status, headers, failure.written(request_id))

    def _succeed(self, answer: dict[str, Any] | Iterator[bytes], model: str) -> None:
        """Sends an answer of Converse, or the bytes of ConverseStream as they come."""
        name = re.sub(r"[^!-~]", "?", model)
        headers = _bedrock_headers() | {
            "X-Kong-Request-Id": uuid.uuid4().hex,
            "X-Kong-LLM-Model": f"bedrock/{name}",
        }
        if isinstance(answer, dict):
            self._send(200, headers | JSON, json.dumps(answer).encode())
        else:
            self._send(200, headers | EVENT_STREAM, answer)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes | Iterator[bytes]) -> None:
        self.send_response_only(status)
        for name, value in {"Date": formatdate(usegmt=True), **headers}.items():
            self.send_header(name, value)
        if isinstance(body, bytes):
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.writelines([body] if isinstance(body, bytes) else _chunks(body))


def _bedrock_headers() -> dict[str, str]:
    """The headers that Bedrock's answers have by the time they come through the gateway."""
    times = {"X-Kong-Upstream-Latency": "12", "X-Kong-Proxy-Latency": "2"}
    return {"x-amzn-RequestId": str(uuid.uuid4()), "Via": f"1.1 {KONG}", **times}


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield from (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    yield b"0\r\n\r\n"


def _hangs_up(caller: socket.socket, seconds: float | None) -> bool:
    """Whether a caller hangs up within that time, by a reset too."""
    with suppress(OSError):
        return wait_for_read(caller, seconds) and not caller.recv(1, socket.MSG_PEEK)
    return True


def _watch(caller: socket.socket, answer: Answer, done: threading.Event) -> None:
    """Ends an upstream's answer when the caller hangs up."""
    while not done.wait(WATCH_INTERVAL) and not answer.is_ended:
        if _hangs_up(caller, 0):
            answer.end()


class DemoGateway(ThreadingHTTPServer):
    """A running demo gateway: its pace, connections, cache, and requests that failed once.

    With an upstream it answers nothing itself, but hands on its requests.
    """

    request_queue_size = 128

    def __init__(self, port: int, pace: float, upstream: Upstream | None) -> None:
        super().__init__(("127.0.0.1", port), Exchange)
        self.pace, self.upstream = pace, upstream
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.cache = PromptCache()
        self._connections: set[socket.socket] = set()
        self._tried: set[bytes] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.1,), name="demo-gateway", daemon=True).start()

    def server_bind(self) -> None:
        """Binds without the reverse name look-up of the standard library's server, which can take seconds."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Notes the connection, so that close() reaches it."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets the connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints no traceback: a caller may hang up."""
        logger.debug("demo gateway: a connection broke")

    @property
    def connections(self) -> int:
        """The number of callers; one that hangs up is gone at once, in the middle of its answer too."""
        return len(self._connections)

    def was_tried(self, body: bytes) -> bool:
        """Whether this body was here before: every second time."""
        digest = hashlib.sha256(body).digest()
        with self._lock:
            self._tried ^= {digest}
            return digest not in self._tried

    def close(self) -> None:
        """Stops listening and hangs up on every caller."""
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
