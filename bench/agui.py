"""The first delta of a turn over AG-UI by HTTP, beside that by the page's socket."""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit
from uuid import uuid4

from .floor import load_gateway
from .load import ShortTurn, at_rest
from .machine import cores, now, pin, run
from .plan import WARM_UP, model
from .processes import ROOT
from .report import Figure, Report, Tell, figures_report
from .sample import milliseconds
from .site import Site, gateway_variables, server_options, serving
from .sockets import QUESTION, Socket, settle
from .stamps import Tally

MODEL = model(1, 50)
NOTES = """\
First: from asking to the first delta, one turn after the other; the load gateway sends it at once. Over HTTP each turn is a request, on
a connection that is kept: its token, its thread and its run are looked up anew, which a socket has behind it."""

LAST_CHUNK = b"0\r\n\r\n"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--turns", type=int, default=100, help="that are timed, each way (100)")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures both ways with every web server."""
    spread = cores()
    pin(spread.load)
    figures: list[Figure] = []
    with load_gateway(spread.load) as gateway:
        for server, arguments in server_options().items():
            tell(f"{server}: {options.turns} turns each way")
            with serving(gateway_variables(gateway, MODEL), spread.tested, *arguments) as site:
                figures += both_ways(server, site, options.turns)
    return figures_report(figures, f"{NOTES}\n{spread.note}")


def both_ways(server: str, site: Site, turns: int) -> list[Figure]:
    """The times by the socket, then those over HTTP."""
    figures: list[Figure] = []
    program = Program(site)
    for way, target, goal in (("by the socket", site, 6), ("over HTTP", program, 15)):
        run(at_rest(target, MODEL, WARM_UP))
        figures += times(f"{server}: {way}", run(at_rest(target, MODEL, turns)), goal)
    return figures


def times(way: str, turns: Sequence[ShortTurn], goal: float) -> list[Figure]:
    """The time to the first delta."""
    firsts = sorted(turn.first for turn in turns)
    return [
        Figure(f"{way}, first delta, p50", milliseconds(firsts, 50), "ms", goal),
        Figure(f"{way}, first delta, p99", milliseconds(firsts, 99), "ms"),
    ]


class Program:
    """A program with an API token of the site's owner."""

    def __init__(self, site: Site) -> None:
        self.pids, self._site = site.pids, site
        command = [sys.executable, "manage.py", "token", "owner"]
        output = subprocess.run(  # noqa: S603 (our own)
            command, cwd=ROOT, env=dict(site.environment), capture_output=True, text=True, check=True
        )
        self._token = output.stdout.split()[-1]

    async def open(self, model: str) -> Socket:
        """A connection for a new thread, with the site's default model."""
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(
            lambda: Stream(self._site.url, self._token), *self._site.address
        )
        return stream


class Stream(Socket):
    """A kept connection, on which each turn is a POST."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, "/agui/")
        host = urlsplit(url).netloc
        self._head = f"POST /agui/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        self._thread = str(uuid4())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends nothing yet."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Takes a part of the answer."""
        self.tally.take(data, now())
        self._data += data
        if self._data.endswith(LAST_CHUNK):
            settle(self.ended, is_good=b'"RUN_FINISHED"' in self._data)
            self._data = b""

    def ask(self, count: int) -> int:
        """Begins a turn of `count` deltas; returns the time, in microseconds of the monotonic clock."""
        self.tally, self.ended = Tally(count), asyncio.get_running_loop().create_future()
        message = {"id": str(uuid4()), "role": "user", "content": QUESTION}
        ids = {"threadId": self._thread, "runId": str(uuid4())}
        body = json.dumps({**ids, "messages": [message], "tools": [], "context": []}).encode()
        head = f"{self._head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        at = now()
        self.transport.write(head.encode() + body)
        return at
