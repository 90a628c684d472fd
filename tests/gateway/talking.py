"""Calls to a scripted server, and what is heard of them."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import pytest

from conversations.errors import GatewayError
from conversations.gateway import Call, Gateway
from conversations.gateway.options import Options
from tests.gateway.wire import PATIENCE, Answer, WireServer

MODEL = "cohere.command-r-v1:0"
BODY = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
Event = tuple[str, dict[str, Any]]


class Heard(NamedTuple):
    """The events of a call, and what ended it early."""

    events: list[Event]
    error: GatewayError | None

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


class Wire(NamedTuple):
    """A server, and a gateway client set to it."""

    server: WireServer
    gateway: Gateway

    def call(self, body: dict[str, Any] | None = None, **labels: str) -> Call:
        return self.gateway.call(MODEL, body or BODY, labels)

    def hear(self, *answers: Answer, body: dict[str, Any] | None = None) -> Heard:
        """The server answers so; this is what comes of one call."""
        self.server.play(*answers)
        return heard(self.call(body))

    def fail(self, *answers: Answer) -> GatewayError:
        error = self.hear(*answers).error
        assert error is not None
        return error


@contextmanager
def talking(
    *answers: Answer, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", **options: Any
) -> Iterator[Wire]:
    """A server with this script, and a gateway client set to it with these options."""
    server = WireServer(answers, tls, host)
    with server, talking_to(server.url + options.pop("path", ""), **options) as gateway:
        yield Wire(server, gateway)


@contextmanager
def talking_to(url: str, **options: Any) -> Iterator[Gateway]:
    """A gateway client set to this address."""
    with closing(Gateway(Options(url=url, **{"timeout": PATIENCE, **options}))) as gateway:
        yield gateway


def heard(call: Call) -> Heard:
    events: list[Event] = []
    try:
        events.extend(call.events())
    except GatewayError as error:
        return Heard(events, error)
    return Heard(events, None)


class Aside:
    """A call on a thread of its own."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.heard: Heard | None = None
        self.events: list[Event] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for event in self.call.events():
                self.events.append(event)
        except GatewayError as error:
            self.heard = Heard(self.events, error)
        else:
            self.heard = Heard(self.events, None)

    def interrupted(self) -> tuple[Heard, float]:
        """What was heard, and the seconds from the interrupt to the end."""
        began = time.monotonic()
        self.call.interrupt()
        result = self.result()
        return result, time.monotonic() - began

    def result(self) -> Heard:
        self._thread.join(PATIENCE)
        assert self.heard is not None, "the call did not end"
        return self.heard


def until(condition: Callable[[], object]) -> None:
    """Wait for it, for as long as a test may."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("waited in vain")
        time.sleep(0.005)
