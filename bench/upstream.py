"""An upstream behind the embedded gateway: what the gateway adds to the first token, and to a delta."""

import argparse
import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .machine import cores, now, pin
from .processes import running
from .report import Figure, Report, Tell, figures_report
from .sample import milliseconds

ADDED = 5
"""Milliseconds that the gateway may add to the first token."""

WARM_UP = 20
MODEL = "m"
BODY = json.dumps({"messages": [{"role": "user", "content": [{"text": "Hello?"}]}]})
CHAT = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Hello?"}], "stream": True})
END = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
DELTA = b'data: {"choices": [{"index": 0, "delta": {"content": "turkeys "}, "finish_reason": null}]}\n\n'

Ask = Callable[[http.client.HTTPConnection], http.client.HTTPResponse]


class Server(ThreadingHTTPServer):
    """A server of chat completions that sends so many deltas at once."""

    daemon_threads = True
    deltas = 1


class Answering(BaseHTTPRequestHandler):
    """Its answers, a chunk a delta."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        """Answers every request."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for data in (*[DELTA] * self.server.deltas, END):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--turns", type=int, default=300, help="that are timed (300)")
    parser.add_argument("--deltas", type=int, default=5_000, help="of a long answer (5,000)")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Asks the upstream itself and through the gateway; all is well if the first token is not much later."""
    spread = cores()
    pin(spread.load)
    with chat_server() as server:
        port = server.server_address[1]
        with embedded_gateway(f"http://127.0.0.1:{port}/v1", spread.tested) as gateway:
            tell(f"{options.turns} answers of one delta each way, and one of {options.deltas}")
            direct, behind = ways(port, gateway, options.turns)
            server.deltas = options.deltas
            long = (
                [whole(port, direct_request) for _ in range(5)],
                [whole(gateway, converse) for _ in range(5)],
            )
    added = milliseconds(behind, 50) - milliseconds(direct, 50)
    figures = [
        Figure("first token, the upstream itself, p50", milliseconds(direct, 50), "ms"),
        Figure("first token, through the gateway, p50", milliseconds(behind, 50), "ms"),
        Figure("first token, through the gateway, p99", milliseconds(behind, 99), "ms"),
        Figure("added to the first token, p50", round(added, 2), "ms", ADDED),
        *(
            Figure(f"a delta of a long answer, {way}", min(times) / options.deltas, "us")
            for way, times in zip(("the upstream itself", "through the gateway"), long, strict=True)
        ),
    ]
    return figures_report(figures, spread.note, turns=options.turns, deltas=options.deltas)


@contextmanager
def chat_server() -> Iterator[Server]:
    """The upstream, in a thread."""
    with Server(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def embedded_gateway(url: str, core: int) -> Iterator[int]:
    """The port of a gateway with that upstream, in a process of its own."""
    with running("manage.py", "demo_gateway", "--port", "0", "--upstream", url, core=core) as process:
        match = re.search(r":(\d+) ", process.line())
        if match is None:
            raise RuntimeError("the gateway did not start")
        yield int(match[1])


def ways(port: int, gateway: int, turns: int) -> tuple[list[int], list[int]]:
    """The times to the first token in us, sorted: of the upstream, and through the gateway."""
    times: list[list[int]] = [[], []]
    with closing(http.client.HTTPConnection("127.0.0.1", gateway)) as kept:
        for _ in range(WARM_UP + turns):
            with closing(http.client.HTTPConnection("127.0.0.1", port)) as fresh:
                times[0].append(first(fresh, direct_request))
            times[1].append(first(kept, converse))
    direct, behind = (sorted(one[WARM_UP:]) for one in times)
    return direct, behind


def first(connection: http.client.HTTPConnection, ask: Ask) -> int:
    """Microseconds from asking to the first bytes of the answer's body, which is then read to its end."""
    start = now()
    response = ask(connection)
    response.read1(1)
    took = now() - start
    response.read()
    return took


def whole(port: int, ask: Ask) -> int:
    """Microseconds for an answer, whole."""
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        start = now()
        ask(connection).read()
        return now() - start


def direct_request(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    """The answer of the upstream itself."""
    connection.request("POST", "/v1/chat/completions", CHAT)
    return connection.getresponse()


def converse(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    """The answer of the gateway."""
    connection.request("POST", f"/model/{MODEL}/converse-stream", BODY)
    return connection.getresponse()
