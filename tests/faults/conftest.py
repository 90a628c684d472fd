"""Turns through the whole engine, against a gateway that does whatever a test tells it to."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings
from tenacity import wait_none

from conversations import engine
from tests.faults.scene import Scene
from tests.gateway.conftest import certificate, deaf_resolver, tls
from tests.gateway.wire import WireServer
from tests.turns import conversation_of

__all__ = ["certificate", "deaf_resolver", "tls"]


@pytest.fixture(scope="session")
def standing_server() -> Iterator[WireServer]:
    with WireServer([]) as server:
        yield server


@pytest.fixture
def scene(
    user: User, standing_server: WireServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    """A conversation with that gateway. A round has two attempts, without a wait unless asked for."""
    settings.GATEWAY_URL, settings.GATEWAY_RETRIES, settings.GATEWAY_TIMEOUT = standing_server.url, 2, 10
    settings.USER_TURNS_PER_MINUTE = 0
    monkeypatch.setattr("conversations.engine.rounds.WAIT", wait_none())
    standing_server.play()
    yield Scene(conversation_of(user), standing_server)
    assert engine.WORKER.wait(5), "a turn is left running"
