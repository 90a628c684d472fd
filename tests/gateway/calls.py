"""Calls to a scripted server, and their outcomes."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from functools import cache
from typing import Any, NamedTuple, TypeVar

import pytest

from conversations.errors import GatewayError
from conversations.gateway import Call, Gateway
from conversations.gateway.options import Options
from tests.gateway.wire import PATIENCE, Answer, WireServer

MODEL = "cohere.command-r-v1:0"
BODY = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
Event = tuple[str, dict[str, Any]]
Result = TypeVar("Result")


class LoopThread:
    """A loop in a thread of its own for all calls: connections live as long as their loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        threading.Thread(target=loop.run_forever, name="calls", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE * 2)


@cache
def loop_thread(kind: str) -> LoopThread:
    return LoopThread(LOOPS[kind]())


def uvloops() -> asyncio.AbstractEventLoop:
    uvloop = pytest.importorskip("uvloop")
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloops,
}
KINDS = ["asyncio"]
"""The kind of loop that calls run on is the last one: a fixture may append another."""


def here() -> LoopThread:
    return loop_thread(KINDS[-1])


class Outcome(NamedTuple):
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

    def outcome(self, *answers: Answer, body: dict[str, Any] | None = None) -> Outcome:
        """The outcome of one call that the server answers like this."""
        self.server.play(*answers)
        try:
            call = self.call(body)
        except GatewayError as error:
            return Outcome([], error)
        return outcome_of(call)

    def fail(self, *answers: Answer) -> GatewayError:
        error = self.outcome(*answers).error
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


def outcome_of(call: Call) -> Outcome:
    return here().run(listen(call, Reader([])))


class Reader:
    """Takes a call's events; after `most` of them it is full until `go_on`. 0 means no limit."""

    def __init__(self, events: list[Event], most: int = 0) -> None:
        self.events = events
        self._most, self._goes_on = most, asyncio.Event()

    def receive(self, name: str, payload: dict[str, Any]) -> None:
        self.events.append((name, payload))

    @property
    def is_full(self) -> bool:
        return 0 < self._most <= len(self.events) and not self._goes_on.is_set()

    async def wait_for_room(self) -> None:
        await self._goes_on.wait()

    def go_on(self) -> None:
        here().loop.call_soon_threadsafe(self._goes_on.set)


async def listen(call: Call, reader: Reader) -> Outcome:
    try:
        await call.stream(reader.receive, reader)
    except GatewayError as error:
        return Outcome(reader.events, error)
    return Outcome(reader.events, None)


class Aside:
    """A call that is a task."""

    def __init__(self, call: Call, most: int = 0) -> None:
        self.call = call
        self.events: list[Event] = []
        self.reader = Reader(self.events, most)
        self._on = here()
        self._over = threading.Event()
        self._task = self._on.run(self._start())

    async def _start(self) -> asyncio.Task[Outcome]:
        task = asyncio.create_task(listen(self.call, self.reader))
        task.add_done_callback(lambda _: self._over.set())
        return task

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def cancel(self) -> None:
        self._on.loop.call_soon_threadsafe(self._task.cancel)

    def interrupt(self) -> float:
        """Cancels the task, which must end as cancelled, and returns the seconds that this takes."""
        began = time.monotonic()
        self.cancel()
        assert self._over.wait(PATIENCE), "the call did not end"
        assert self._task.cancelled()
        return time.monotonic() - began

    def result(self) -> Outcome:
        assert self._over.wait(PATIENCE), "the call did not end"
        return self._task.result()
