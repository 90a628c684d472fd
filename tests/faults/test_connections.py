"""A gateway that cannot be reached: refused, no such name, no such certificate, another protocol."""

import socket
import ssl
import threading

import pytest
from pytest_django.fixtures import Settings

from conversations.errors import GatewayUnreachable
from tests.conditions import until
from tests.faults.scene import Scene, retries
from tests.gateway.wire import Answer, End, WireServer, server_without_tls

pytestmark = pytest.mark.django_db(transaction=True)


def unreachable(scene: Scene, settings: Settings, url: str, *words: str) -> None:
    """Checks the error of a turn at this address, and that the chat goes on once the address is right."""
    good, settings.GATEWAY_URL = settings.GATEWAY_URL, url
    message = scene.check_failed(scene.ask(), "gateway_unreachable")["message"]
    assert message.startswith(GatewayUnreachable.__doc__ or "-")
    assert any(word in message for word in words), message
    assert [retry["attempt"] for retry in retries(scene.events())] == [2]
    settings.GATEWAY_URL = good
    scene.check_alive()


def test_a_port_where_nobody_listens_is_told_as_that(scene: Scene, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    unreachable(scene, settings, f"http://127.0.0.1:{port}", "(Connection refused)")


def test_a_name_that_nobody_has_is_told_as_that(scene: Scene, settings: Settings) -> None:
    unreachable(
        scene, settings, "http://gateway.invalid", "not known", "name resolution", "address associated"
    )


def test_a_gateway_that_does_not_speak_tls_is_told_with_its_setting(scene: Scene, settings: Settings) -> None:
    with server_without_tls() as url:
        unreachable(scene, settings, url, "GATEWAY_URL may have to begin with http:")


def test_a_certificate_that_nobody_trusts_is_told_before_anything_is_sent(
    scene: Scene, settings: Settings, tls: ssl.SSLContext
) -> None:
    with WireServer([], tls) as server:
        unreachable(
            scene,
            settings,
            server.url,
            "its certificate is not trusted: self-signed certificate; AWS_CA_BUNDLE",
        )
        assert server.requests == []


@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
def test_a_connection_that_is_closed_without_an_answer_is_tried_again(scene: Scene, end: End) -> None:
    scene.check_failed(scene.ask(Answer((), end)), "gateway_unreachable")
    assert scene.calls() == 2
    scene.check_alive()


def test_a_stop_while_the_resolver_hangs_ends_the_turn(
    scene: Scene, settings: Settings, deaf_resolver: threading.Event
) -> None:
    good, settings.GATEWAY_URL = settings.GATEWAY_URL, "http://gateway.example"
    turn = scene.begin()
    until(deaf_resolver.is_set)
    scene.stop()
    scene.check_stopped(turn, "")
    settings.GATEWAY_URL = good
