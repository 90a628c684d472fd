"""A hub of the tests' own, and what listens to it."""

import pytest

from conversations.journal.hub import Hub
from tests.listeners import ONE, Listener


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def listener(hub: Hub) -> Listener:
    listener = Listener()
    hub.subscribe(ONE, listener)
    return listener
