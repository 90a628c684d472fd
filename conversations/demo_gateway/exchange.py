"""The demo gateway's HTTP/1.1: chunks, keep-alive, Kong's headers round Bedrock's answers."""

import json
import logging
import math
import re
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from random import Random
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from conversations.demo_gateway import failures, script, shapes
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.refusals import refusal
from conversations.demo_gateway.relay import Relay, failure_of, watched
from conversations.demo_gateway.reply import Failure, Reply, spoken, tokens
from conversations.demo_gateway.streams import pieces
from conversations.upstream import Refused

if TYPE_CHECKING:
    from conversations.demo_gateway.server import DemoGateway

logger = logging.getLogger(__name__)

KONG = "kong/3.10.0"
ROUTE = re.compile(r"/model/([^/]+)/(converse|converse-stream)$")
BODY_LIMIT = 32 * 1024 * 1024


class HungUp(Exception):
    """The caller has closed the connection, or the gateway is closing."""


class Exchange(BaseHTTPRequestHandler):
    """The requests of one connection and their answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answers a Converse or ConverseStream request."""
        started = time.monotonic()
        try:
            self._answer(self._body(), started)
        except (HungUp, ConnectionError):
            self.close_connection = True
        except Exception:
            logger.exception("demo gateway: an answer failed")
            self.close_connection = True

    def do_GET(self) -> None:
        """There is nothing to get; the body, if there is one, is not worth reading."""
        self.close_connection = True
        self._fail(failures.kong(404, failures.NO_ROUTE))

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_GET  # noqa: N815 (http.server's names)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's name)
        """Says nothing: what is asked is nobody's business."""

    @property
    def _gateway(self) -> "DemoGateway":
        return cast("DemoGateway", self.server)

    def _body(self) -> bytes:
        """The request's body; nothing if its length is not told or too large."""
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() else BODY_LIMIT + 1
        if size > BODY_LIMIT:
            self.close_connection = True
            return b""
        return self.rfile.read(size)

    def _read(self, body: bytes) -> Conversation | Failure:
        """The request, or why it is not one."""
        route = ROUTE.search(self.path.partition("?")[0])
        if not route:
            return failures.kong(404, failures.NO_ROUTE)
        try:
            request = json.loads(body)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            return failures.PLUGIN
        model = unquote(route[1])
        refused = self._refusal(model, request)
        return failures.invalid(refused) if refused else Conversation(model, request)

    def _refusal(self, model: str, request: dict[str, Any]) -> str | None:
        """What is wrong with a request. What else an upstream's model does not take, that says itself."""
        if self._gateway.upstream:
            return shapes.refused(request)
        return failures.UNKNOWN_MODEL if model.startswith("invalid") else refusal(request)

    def _answer(self, body: bytes, started: float) -> None:
        read = self._read(body)
        if isinstance(read, Failure):
            self._fail(read)
            return
        if self._gateway.upstream:
            self._hand_on(Relay(self._gateway.upstream, read, started), read.model)
            return
        answer = script.answer(read, script.fails_once(read) and self._gateway.tried(body))
        if isinstance(answer, Failure):
            self._fail(answer)
        elif self.path.endswith("/converse"):
            self._send_whole(answer, read, started)
        else:
            self._send_stream(answer, read, Random(body))  # noqa: S311 (where a stream is cut, the same each time)

    def _hand_on(self, relay: Relay, model: str) -> None:
        """Answers with what the upstream answers; a caller that hangs up ends that at once."""
        with closing(relay), watched(self.connection, relay):
            try:
                batches = relay.ask()
                if self.path.endswith("/converse"):
                    self._send_json(relay.whole(batches), model)
                else:
                    self._send_chunks(relay.frames(batches), model)
            except Refused as refused:
                if relay.is_ended:
                    raise HungUp from None
                self._fail(failure_of(refused))

    def _send_chunks(self, frames: Iterator[bytes], model: str) -> None:
        headers = {"Content-Type": "application/vnd.amazon.eventstream", "Transfer-Encoding": "chunked"}
        self._head(200, {**headers, **_named(model)})
        for data in filter(None, frames):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def _fail(self, failure: Failure) -> None:
        if failure.instead == "silence":
            self._wait(math.inf)
        if failure.instead:
            raise HungUp
        request_id = uuid.uuid4().hex
        body = failures.written(failure, request_id)
        headers = {"Content-Type": "application/json", **failure.headers, "Content-Length": str(len(body))}
        self._head(failure.status, headers, request_id, failures.ours(failure))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str], request_id: str = "", ours: bool = False) -> None:
        """Status and headers; `ours` are the gateway's own answers, which have seen no upstream."""
        self.send_response_only(status)
        kong = {"Date": formatdate(usegmt=True), "X-Kong-Request-Id": request_id or uuid.uuid4().hex}
        if ours:
            kong |= {"DemoGateway": KONG, "X-Kong-Response-Latency": "1"}
        else:
            kong |= {"x-amzn-RequestId": str(uuid.uuid4()), "X-Kong-Upstream-Latency": "12"}
            kong |= {"X-Kong-Proxy-Latency": "2", "Via": f"1.1 {KONG}"}
        for name, value in {**kong, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_whole(self, reply: Reply, conversation: Conversation, started: float) -> None:
        if reply.ending.kind != "whole":
            self._fail(failures.whole(reply.ending))
            return
        message = {"role": "assistant", "content": reply.blocks}
        metrics = {"latencyMs": round((time.monotonic() - started) * 1000)}
        answer = {"output": {"message": message}, "stopReason": reply.stop, "metrics": metrics}
        self._send_json({**answer, **self._report(conversation, reply)}, conversation.model)

    def _send_json(self, answer: dict[str, Any], model: str) -> None:
        body = json.dumps(answer).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self._head(200, {**headers, **_named(model)})
        self.wfile.write(body)

    def _send_stream(self, reply: Reply, conversation: Conversation, random: Random) -> None:
        headers = {"Content-Type": "application/vnd.amazon.eventstream", "Transfer-Encoding": "chunked"}
        self._head(200, {**headers, **_named(conversation.model)})
        for piece in pieces(reply, self._report(conversation, reply), random):
            self._wait(piece.wait)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece.data), piece.data))
        if reply.ending.kind == "dropped":
            raise HungUp
        self.wfile.write(b"0\r\n\r\n")

    def _report(self, conversation: Conversation, reply: Reply) -> dict[str, Any]:
        """Usage as it would be, four characters a token, and the trace if there is one."""
        read = self._gateway.cache.usage(conversation.model, conversation.body)
        written = sum(tokens(spoken(block)) for block in reply.blocks)
        total = sum(read.values()) + written
        usage = {**read, "outputTokens": written, "totalTokens": total, "serverToolUsage": {}}
        return {"usage": usage, **({"trace": dict(reply.trace)} if reply.trace else {})}

    def _wait(self, seconds: float) -> None:
        """Waits at the gateway's pace, listening whether the caller hangs up; raises HungUp if it does."""
        until = time.monotonic() + (seconds if math.isinf(seconds) else seconds * self._gateway.pace)
        while True:
            left = max(0.0, until - time.monotonic())
            if self._gateway.closing.is_set() or self._hung_up(min(left, 1.0)):
                raise HungUp
            if not left:
                return

    def _hung_up(self, seconds: float) -> bool:
        """Whether the caller has closed its side; looks for that many seconds."""
        self.connection.settimeout(seconds)
        try:
            if not self.connection.recv(1, socket.MSG_PEEK):
                return True
        except (TimeoutError, BlockingIOError):
            return False
        finally:
            self.connection.settimeout(None)
        self._gateway.closing.wait(seconds)  # the next request is there already
        return False


def _named(model: str) -> dict[str, str]:
    return {"X-Kong-LLM-Model": f"bedrock/{re.sub(r'[^!-~]', '?', model)}"}
