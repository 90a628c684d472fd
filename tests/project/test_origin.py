from uuid import uuid4

import pytest
from channels.testing import WebsocketCommunicator
from django.test import override_settings

from project.asgi import application
from project.origin import is_same_origin


def headers(host: str | None, origin: str | None) -> list[tuple[bytes, bytes]]:
    pairs = [("host", host), ("origin", origin)]
    return [(name.encode(), value.encode("latin-1")) for name, value in pairs if value is not None]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("localhost:8080", "http://localhost:8080"),
        ("LOCALHOST:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("localhost", "https://localhost"),
        ("localhost:80", "http://localhost"),
        ("localhost:443", "https://localhost"),
        ("localhost", "https://localhost:443"),
    ],
)
def test_a_page_of_the_same_host_and_port_may_connect(host: str, origin: str) -> None:
    assert is_same_origin(headers(host, origin))


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8080", None),
        (None, "http://localhost:8080"),
        ("localhost:8080", ""),
        ("localhost:8080", "null"),
        ("localhost:8080", "localhost:8080"),
        ("localhost:8080", "http://localhost:8081"),
        ("localhost:8080", "http://127.0.0.1:8080"),
        ("localhost:8080", "http://evil.example"),
        ("localhost:8080", "http://localhost:8080.evil.example"),
        ("localhost:8080", "http://evil.example@localhost:8080"),
        ("localhost:8080", "http://localhost:8080/"),
        ("localhost:8080", "ws://localhost:8080"),
        ("localhost:8080", "file://localhost:8080"),
        ("localhost:8080", "http://localhost:port"),
        ("localhost:8080", "http://[localhost:8080"),
        ("localhost", "https://localhost:80"),
        ("localhost:80", "https://localhost"),
        ("localhost:8080", "http://localhost:8080\n"),
        ("", "http://"),
    ],
)
def test_any_other_origin_is_refused(host: str | None, origin: str | None) -> None:
    assert not is_same_origin(headers(host, origin))


def test_a_header_that_comes_twice_is_refused() -> None:
    good = headers("localhost:8080", "http://localhost:8080")
    assert not is_same_origin([*good, *headers(None, "http://evil.example")])
    assert not is_same_origin([*good, *headers("evil.example", None)])


def test_a_host_that_is_not_allowed_is_refused_though_the_page_is_of_the_same() -> None:
    rebound = headers("evil.example:8080", "http://evil.example:8080")
    assert not is_same_origin(rebound)
    with override_settings(ALLOWED_HOSTS=["evil.example"]):
        assert is_same_origin(rebound)


async def connects(path: str, *pair: str) -> tuple[bool, int | None]:
    return await WebsocketCommunicator(application, path, headers=headers(*pair)).connect()


async def test_a_foreign_page_is_refused_at_the_handshake() -> None:
    connected, _ = await connects(f"/ws/conversations/{uuid4()}/", "localhost", "http://evil.example")
    assert not connected


async def test_an_address_that_is_no_websockets_is_refused_at_the_handshake() -> None:
    connected, _ = await connects("/ws/nothing/", "localhost", "http://localhost")
    assert not connected


@pytest.mark.django_db(transaction=True)
async def test_a_page_of_ours_is_let_in_and_told_that_it_has_no_session() -> None:
    path = f"/ws/conversations/{uuid4()}/"
    socket = WebsocketCommunicator(application, path, headers=headers("localhost", "http://localhost"))
    assert (await socket.connect())[0]
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4401}
