"""What tests of tool calls share."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a tool waits for that would not end by itself; opened when the test is over."""
    opened = threading.Event()
    yield opened
    opened.set()
    for thread in threading.enumerate():
        if thread.name.startswith("tool "):
            thread.join(5)
