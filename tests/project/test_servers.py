"""Both web servers on the wire, and the cost of a client that acknowledges and never reads."""

import json
import re
import signal
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.servers import (
    NO_PROC,
    NO_UVICORN,
    Browser,
    Server,
    manage,
    migrated,
    on_each_server,
    serving,
    serving_anew,
    site,
)
from tests.whole.odd import masked

pytestmark = pytest.mark.processes

MIB = 1024 * 1024
EVENTS, EVENT_BYTES = 60_000, 1024
ACKS = 280
"""Acknowledgements of 256 KiB: for more than is sent, yet no flood where nothing is open."""

ENOUGH = 100
"""Of them, on a busy machine: a client that answers no ping is closed after a while."""


@contextmanager
def raw_socket(reader: Browser, address: str, query: str = "") -> Iterator[tuple[socket.socket, str]]:
    """A connection on which a websocket was opened as a browser opens it, and the server's answer."""
    url = urlsplit(address)
    lines = [
        f"GET /ws{url.path}{query} HTTP/1.1",
        f"Host: {url.netloc}",
        f"Origin: http://{url.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {'A' * 22}==",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        f"Cookie: {reader.cookie}",
    ]
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.settimeout(20)
        client.connect((url.hostname, url.port))
        client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += client.recv(1)
        yield client, answer.decode()


class Visit(NamedTuple):
    """A server, its owner's browser, and the address of a conversation."""

    server: Server
    reader: Browser
    address: str


@pytest.fixture(scope="module", params=["daphne", pytest.param("uvicorn", marks=NO_UVICORN)])
def visit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """Each web server, for all tests that leave it as it was."""
    with serving(site(tmp_path_factory.mktemp("site")), kind=request.param) as server:
        reader = Browser()
        yield Visit(server, reader, reader.open(server.url + server.path).url)


def test_a_websocket_is_opened_without_compression_and_under_our_name(visit: Visit) -> None:
    with raw_socket(visit.reader, visit.address) as (_, answer):
        assert answer.startswith("HTTP/1.1 101 ")
        assert re.findall(r"^server: *(.*?)\r$", answer, re.MULTILINE | re.IGNORECASE) == ["turntable"]
        assert "permessage-deflate" not in answer


@on_each_server
def test_without_uvloop_it_serves_on_a_loop_of_asyncio(tmp_path: Path, kind: str) -> None:
    (tmp_path / "uvloop.py").write_text("raise ImportError")
    with serving_anew(migrated(site(tmp_path, PYTHONPATH=str(tmp_path))), kind=kind) as server:
        assert Browser().open(f"{server.url}/healthz").text == '{"status": "ok"}'


def test_daphnes_reactor_and_our_loops_are_uvloops(tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    assert manage(site(tmp_path), "shell", "--no-imports", "-c", LOOPS).stdout == "uvloop uvloop\n"


LOOPS = """
from project.daphne_server import reactor
from project.server import new_loop
print(*(type(loop).__module__ for loop in (reactor._asyncioEventloop, new_loop())))
"""


def answer_to(page: ClientConnection, frame: str) -> dict[str, Any]:
    """The frame that the server answers with."""
    page.send(frame)
    answer: dict[str, Any] = json.loads(page.recv(timeout=20))
    return answer


def test_a_frame_of_1_mib_is_answered_and_a_larger_one_closes_the_socket(visit: Visit) -> None:
    with visit.reader.connect(visit.address) as page:
        assert json.loads(page.recv(timeout=20))["type"] == "MESSAGES_SNAPSHOT"
        assert answer_to(page, "x" * MIB)["name"] == "turntable.refused"
        with pytest.raises(ConnectionClosed):
            answer_to(page, "x" * (MIB + 1))
    with visit.reader.connect(visit.address) as page:
        page.recv(timeout=20)


def test_a_conversation_that_is_not_there_closes_with_4404(visit: Visit) -> None:
    with (
        visit.reader.connect(f"{visit.server.url}/conversations/{uuid4()}/") as page,
        pytest.raises(ConnectionClosed) as closed,
    ):
        page.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


def test_a_page_of_another_origin_is_refused_with_403(visit: Visit) -> None:
    url = urlsplit(visit.address)
    with socket.create_connection((url.hostname, url.port), timeout=20) as client:
        client.sendall(
            f"GET /ws{url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nOrigin: https://evil.example\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {'A' * 22}==\r\nCookie: {visit.reader.cookie}\r\n\r\n".encode()
        )
        assert client.recv(100).startswith(b"HTTP/1.1 403 ")


# -- a client that acknowledges and never reads

TURN = """
from uuid import UUID
from conversations.models import Conversation, Turn
conversation = Conversation.objects.get(pk=UUID("{conversation}"))
turn = Turn.objects.create(
    conversation=conversation, number=1, user=conversation.owner, status="completed", model=conversation.model
)
print(turn.pk)
"""


def store_long_record(folder: Path, conversation: str) -> None:
    """60 MiB of events of a turn that has ended."""
    turn = manage(site(folder), "shell", "--no-imports", "-c", TURN.format(conversation=conversation))
    keys = UUID(conversation).hex, UUID(turn.stdout.strip()).hex
    data = json.dumps({"type": "CUSTOM", "name": "filler", "value": "x" * EVENT_BYTES})
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database, database:
        database.executemany(
            "INSERT INTO conversations_event (conversation_id, turn_id, seq, data, parts) VALUES (?, ?, ?, ?, '')",
            ((*keys, seq, data) for seq in range(1, EVENTS + 1)),
        )


def acknowledge(client: socket.socket, reader: Browser, server: Server) -> int:
    """Acknowledges what was sent, again and again, while the server answers others; returns how often."""
    ack = masked(0x81, json.dumps({"type": "ack", "seq": EVENTS}).encode())
    for number in range(ACKS):
        try:
            client.sendall(ack)
        except ConnectionError:
            return number
        assert reader.open(f"{server.url}/healthz").status == 200
    return ACKS


def occupy_all_threads(server: Server) -> None:
    """Keeps all threads of the server busy once, as each costs memory with its connection."""
    with ThreadPoolExecutor(32) as pool:
        assert {page.status for page in pool.map(Browser().open, [f"{server.url}/healthz"] * 320)} == {200}


@NO_PROC
@NO_UVICORN
def test_a_client_that_acknowledges_and_never_reads_costs_uvicorn_little_and_nobody_else_anything(
    tmp_path: Path,
) -> None:
    with serving(site(tmp_path), kind="uvicorn") as server:
        reader = Browser()
        address = reader.open(server.url + server.path).url
        store_long_record(tmp_path, address.rstrip("/").rpartition("/")[2])
        with raw_socket(reader, address, "?after=0") as (client, _):
            client.recv(1)
        occupy_all_threads(server)
        before = server.peak
        with raw_socket(reader, address, "?after=0") as (client, _):
            assert acknowledge(client, reader, server) >= ENOUGH
            assert server.peak - before < 16
            with reader.connect(f"{address}?after={EVENTS}") as page:
                page.send(json.dumps({"type": "message", "id": str(uuid4()), "text": "hello"}))
                while "RUN_FINISHED" not in str(page.recv(timeout=20)):
                    pass
            assert server.stop(signal.SIGTERM, patience=15) == 0
