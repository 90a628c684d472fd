"""Frames of wrong shapes and odd requests are answered, and a turn works after them."""

import json
import os
import random
import socket
import struct
from itertools import product
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Turn
from conversations.sockets import inbound
from tests.servers import Browser, on_each_server, serving, site
from tests.sockets.pages import Page, page_of
from tests.turns import QUESTION, conversation_of
from tests.whole.odd import NASTY, Frames, Odd, masked
from tests.whole.routes import ROUTES, filled

BATCHES, AT_ONCE = 10, 200
SOCKETS = 10
SEED = int(os.environ.get("FUZZ_SEED", "0")) or random.randrange(2**32)


async def refusals(page: Page, frames: list[Odd], number: int) -> int:
    """The number of these frames that are refused; one more, which has to be, marks their end."""
    for frame in frames:
        await page.communicator.send_input(
            {"type": "websocket.receive", "text": frame.text, "bytes": frame.data}
        )
    last = f"last of {number}"
    await page.send({"type": "message", "id": last, "text": "hello"})
    count = 0
    while (refusal := await page.receive())["value"]["id"] != last:
        assert refusal["name"] == "turntable.refused", refusal
        assert refusal["value"]["code"] in {"invalid_request", "not_yet"}, refusal
        count += 1
    await page.send({"type": "ack", "seq": 0})
    return count


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("number", range(SOCKETS))
async def test_frames_of_every_wrong_shape_are_answered_and_a_turn_works_afterwards(
    user: User, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("BURST", "WAITING"):
        monkeypatch.setattr(inbound, limit, 2**40)
    monkeypatch.setattr("conversations.sockets.cursor.NOTICES_LIMIT", 2**20)
    print(f"FUZZ_SEED={SEED}")
    source, conversation = Frames(SEED + number), await sync_to_async(conversation_of)(user)
    async with page_of(user, conversation, "?after=0") as page:
        for batch in range(BATCHES):
            frames = [source.frame() for _ in range(AT_ONCE)]
            count = await refusals(page, frames, batch)
            due = sum(frame.refused is True for frame in frames)
            perhaps = sum(frame.refused is None for frame in frames)
            assert due <= count <= due + perhaps
        assert not await Turn.objects.aexists()
        await page.ask(QUESTION)
        assert (await page.until_end())[-1]["outcome"] == {"type": "success"}


# -- requests

QUERIES = ["", "?before=%00", "?before=" + "x" * 5000, "?page=-1", "?page=1e9", "?page=%ff", "?q=%ed%a0%80&q=%00", "?q=" + "%25" * 500,
           "?token=%00", "?next=//evil.example", "?" + "&".join(f"a{n}=1" for n in range(50)), "?format=%00"]  # fmt: skip
BODIES = [(b"", "text/plain"), (b"\0\xff", "application/x-www-form-urlencoded"), (b"{", "application/json"),
          (b"message=%ed%a0%80%00&model=%00&title=%00", "application/x-www-form-urlencoded"),
          (b"--x\r\nContent-Disposition: form-data; name=\"message\"; filename=\"\0\"\r\n\r\n", "multipart/form-data; boundary=x"),
          (b"x", "multipart/form-data"), (b"username=%00&password=%00", "application/x-www-form-urlencoded; charset=nonsense")]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("path", ROUTES)
def test_requests_that_no_browser_sends_are_answered(user: User, path: str) -> None:
    own = conversation_of(user)
    client = Client(raise_request_exception=False)
    for is_signed_in in (True, False):
        if is_signed_in:
            client.force_login(user)
        for query in QUERIES:
            assert client.get(filled(path, own.pk) + query).status_code < 500, query
        for query, (body, kind) in product(QUERIES[:3], BODIES):
            answer = client.generic("POST", filled(path, own.pk) + query, body, kind)
            assert answer.status_code < 500, (query, body)
        client.logout()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "nasty", [*NASTY, "a/b", "%2e%2e/", "0" * 36, "6B95A221-5126-4DEB-8A77-A4104E145DAB"]
)
def test_an_address_of_any_shape_is_answered(user: User, nasty: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    for path in ROUTES:
        address = filled(path, quote(nasty, errors="replace"))
        assert client.get(address).status_code < 500, address


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "Cookie",
        "Referer",
        "User-Agent",
        "Accept",
        "X-Forwarded-For",
        "Origin",
        "Range",
        "If-Modified-Since",
    ],
)
def test_a_header_of_any_shape_is_answered(user: User, name: str) -> None:
    client = Client(raise_request_exception=False)
    for nasty in [*NASTY, "bytes=9-1", "sessionid=\0; csrftoken=" + "x" * 5000]:
        value = nasty.encode("utf-8", "replace").decode("latin-1")
        for path in ("/", "/accounts/login/", "/static/conversations/lib/base.css"):
            assert client.get(path, headers={name: value}).status_code < 500, (path, nasty)


# -- bytes


def handshake(address: str, cookie: str) -> bytes:
    url = urlsplit(address)
    return (
        f"GET /ws{url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nOrigin: http://{url.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\nCookie: {cookie}\r\n\r\n"
    ).encode()


BROKEN = [
    masked(0x81, b"\xff\xfe"), masked(0x83, b"x"), masked(0xF1, b"x"), masked(0x80, b"x"), masked(0x01, b"{") + masked(0x81, b"{}"),
    b"\x81\x02{}", masked(0x89, b"x" * 200), masked(0x88, b"\x03"), masked(0x88, b"\x00\x01"), masked(0x88, struct.pack("!H", 1012)),
    masked(0x81, b"x", b"\xff" + b"\xff" * 8), masked(0x81, b"x", b"\xff" + struct.pack("!Q", 2**20 + 1)), masked(0x81, b"", b"\x81"),
    b"\0" * 500, b"GET / HTTP/1.1\r\n\r\n",
]  # fmt: skip
RAW = [
    b"\0\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
    b"POST /conversations/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]  # fmt: skip


@on_each_server
def test_bytes_that_are_no_protocol_leave_the_server_alive(tmp_path: Path, kind: str) -> None:
    with serving(site(tmp_path), kind=kind) as server:
        reader = Browser()
        address = reader.open(server.url + server.path).url
        for request in [*RAW, *(handshake(address, reader.cookie) + broken for broken in BROKEN)]:
            with socket.create_connection((urlsplit(address).hostname, urlsplit(address).port)) as client:
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                assert b" 500 " not in client.recv(100)
        assert server.process.poll() is None
        with reader.connect(address) as page:
            page.send(json.dumps({"type": "message", "id": str(uuid4()), "text": QUESTION}))
            while "RUN_FINISHED" not in str(page.recv(timeout=30)):
                pass
