"""A gate that tools wait at."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """A gate for tools that would not end by themselves; it opens when the test is over."""
    gate = threading.Event()
    yield gate
    gate.set()
    for thread in threading.enumerate():
        if thread.name.startswith("tool "):
            thread.join(5)
