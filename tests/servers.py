"""Commands as an operator runs them: in processes of their own, on a site of its own."""

import http.cookiejar
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from bench import nursery
from bench.nursery import Command
from conversations import demo_gateway as demo

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = (
    "GATEWAY_",
    "AWS_",
    "MAX_",
    "USER_",
    "TOOL_",
    "DATABASE_",
    "REDIS_",
    "SECRET_",
    "DEBUG",
    "ALLOWED_",
    "APPROVAL_",
    "PRICE_",
    "TITLE_",
    "UPSTREAM_",
    "AGUI_",
    "MCP_",
)
NO_PROC = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is told by /proc, which is Linux's"
)
NO_UVICORN = pytest.mark.skipif(
    find_spec("uvicorn") is None, reason="uvicorn is not installed: requirements-uvicorn.txt names it"
)
SERVER_KINDS = pytest.mark.parametrize("kind", ["daphne", pytest.param("uvicorn", marks=NO_UVICORN)])


def on_each_server(test: Callable[..., None]) -> Callable[..., None]:
    """Runs a test with each web server that there is, as a process of its own."""
    return pytest.mark.processes(SERVER_KINDS(test))


def site(folder: Path, **variables: str) -> dict[str, str]:
    """An environment whose site lives in the folder, with the machine's own settings left out."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    own = {"DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}", "SECRET_KEY": "one for the tests " * 3}
    return inherited | {"DJANGO_SETTINGS_MODULE": "project.settings"} | own | variables


def manage(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    return nursery.run(environment, *arguments, timeout=180)


def manage_anew(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The same in a new interpreter, which takes longer."""
    return subprocess.run(
        command_line(*arguments), env=environment, capture_output=True, text=True, timeout=180, check=False
    )


def command_line(*arguments: str) -> list[str]:
    """A command as an operator types it."""
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


@cache
def _migrated() -> tuple[TemporaryDirectory[str], Path]:
    """A database with all tables and no rows, one a process of the tests; the folder lives as long."""
    folder = TemporaryDirectory(prefix="turntable-tests-")
    environment = site(Path(folder.name))
    assert manage(environment, "migrate", "--verbosity", "0").returncode == 0
    return folder, Path(folder.name, "db.sqlite3")


def migrated(environment: dict[str, str]) -> dict[str, str]:
    """The same environment, whose SQLite file has its tables from now on.

    To copy them is much faster than `migrate`.
    """
    database = Path(urlsplit(environment["DATABASE_URL"]).path.replace("/", "", 1))
    if not database.exists():
        shutil.copyfile(_migrated()[1], database)
    return environment


class Server:
    """A running `manage.py serve` that answers at `url`, and the path that it printed."""

    def __init__(self, process: "Command | subprocess.Popen[str]") -> None:
        self.process = process
        greeting = self.next_line()
        match = re.fullmatch(r"Turntable is at (http://[^/]+)(/\S*)\n", greeting)
        assert match, greeting
        self.url, self.path = match.groups()

    def next_line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    @property
    def peak(self) -> int:
        """The most memory that it has ever had, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024

    def stop(self, number: int, patience: float) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(timeout=patience)


@contextmanager
def serving(environment: dict[str, str], *arguments: str, kind: str = "daphne") -> Iterator[Server]:
    """A server on a free port and a migrated database, killed at the end if it still runs."""
    with serving_as_is(migrated(environment), *arguments, kind=kind) as server:
        yield server


@contextmanager
def serving_as_is(environment: dict[str, str], *arguments: str, kind: str = "daphne") -> Iterator[Server]:
    """A server on a free port and whatever database there is, killed at the end if it still runs."""
    command = ("serve", "--port", "0", "--server", kind, *arguments)
    with Command.piped(environment, *command) as process:
        yield Server(process)


@contextmanager
def serving_anew(environment: dict[str, str], kind: str = "daphne") -> Iterator[Server]:
    """A server in a new interpreter, as an operator starts it."""
    command = command_line("serve", "--port", "0", "--server", kind)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


class Page(NamedTuple):
    """The answer to a request after its redirects."""

    status: int
    url: str
    text: str


class Browser:
    """A client that keeps cookies and follows redirects."""

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._jar = cookies.cookiejar

    def open(self, url: str, method: str = "GET", data: bytes | None = None) -> Page:
        """The page at the address, even if it is an error."""
        try:
            answer = self._opener.open(urllib.request.Request(url, data, method=method))
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Page(answer.status, answer.url, answer.read().decode())

    def post(self, url: str, **form: str) -> Page:
        """The page that a form leads to."""
        tokens = [cookie.value for cookie in self._jar if cookie.name == "csrftoken"]
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": tokens[0], **form}).encode()
        return self.open(url, "POST", data)

    @property
    def cookie(self) -> str:
        """The `Cookie` header that it sends."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)

    def connect(self, page: str) -> ClientConnection:
        """The websocket of a conversation's page, as the page itself opens it."""
        url = urlsplit(page)
        return connect(
            f"ws://{url.netloc}/ws{url.path}?{url.query}",
            origin=Origin(f"{url.scheme}://{url.netloc}"),
            additional_headers={"Cookie": self.cookie},
        )


class SlowTurn(NamedTuple):
    """A server in the middle of an answer, the page that reads it, its browser, and the page's address.

    The gateway is the test's own, which may let the rest of the answer come at once.
    """

    server: Server
    page: ClientConnection
    browser: Browser
    address: str
    gateway: demo.DemoGateway


@contextmanager
def slow_turn(folder: Path, kind: str) -> Iterator[SlowTurn]:
    """A server in the middle of an answer, which takes some ten seconds."""
    gateway = demo.start()
    try:
        with serving(site(folder, GATEWAY_URL=gateway.url), kind=kind) as server:
            reader = Browser()
            address = reader.open(server.url + server.path).url
            with reader.connect(address) as page:
                page.send(json.dumps({"type": "message", "id": str(uuid4()), "text": "show slow"}))
                while '"role":"assistant"' not in str(page.recv(timeout=30)).replace(" ", ""):
                    pass
                yield SlowTurn(server, page, reader, address, gateway)
    finally:
        gateway.close()
