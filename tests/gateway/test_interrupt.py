"""A call that is cancelled ends within half a second in every phase; the server sees it go."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conditions import until
from tests.gateway.calls import Aside, Reader, Wire, here, listen, outcome_of, talking_to
from tests.gateway.wire import EVENT_STREAM, PATIENCE, Answer, End, answer_frames, head

pytestmark = pytest.mark.usefixtures("each_loop")

FRAMES = answer_frames("Hello", " world")
SOON = 0.5


@pytest.fixture(params=["a new connection", "a kept connection"])
def started(wire: Wire, request: pytest.FixtureRequest) -> Iterator[Callable[[Answer], Aside]]:
    """Starts a call that is answered so."""

    def start(answer: Answer) -> Aside:
        if request.param == "a kept connection":
            assert wire.outcome(Answer.stream(*FRAMES)).error is None
        wire.server.play(answer)
        return Aside(wire.call())

    wire.gateway.close()
    yield start
    wire.gateway.close()


def test_a_call_is_interrupted_while_it_waits_for_the_headers(
    wire: Wire, started: Callable[[Answer], Aside]
) -> None:
    aside = started(Answer.silence())
    request = wire.server.wait()
    assert aside.interrupt() < SOON
    assert request.hung_up.wait(SOON)


SILENT = {
    "chunked": Answer.stream(*FRAMES[:3], terminated=False, end=End.STALL),
    "with a length": Answer((head(200, {**EVENT_STREAM, "Content-Length": "9999"}), *FRAMES[:3]), End.STALL),
    "until the end": Answer((head(200, {**EVENT_STREAM, "Connection": "close"}), *FRAMES[:3]), End.STALL),
    "in a frame": Answer.stream(*FRAMES[:3], FRAMES[3][:30], terminated=False, end=End.STALL),
    "after the answer": Answer.stream(*FRAMES[:5], terminated=False, end=End.STALL),
}


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT.keys())
def test_a_call_is_interrupted_in_a_silent_stream(
    wire: Wire, started: Callable[[Answer], Aside], answer: Answer
) -> None:
    aside = started(answer)
    until(lambda: len(aside.events) >= 3)
    assert aside.interrupt() < SOON
    assert [name for name, _ in aside.events[:3]] == [
        "messageStart",
        "contentBlockDelta",
        "contentBlockDelta",
    ]
    assert aside.call.request_id == "request-1"
    assert wire.server.requests[0].hung_up.wait(SOON)


def test_a_call_is_interrupted_in_the_body_of_an_error(
    wire: Wire, started: Callable[[Answer], Aside]
) -> None:
    aside = started(Answer((head(429, {"Content-Length": "9999"}), b"slow down"), End.STALL))
    request = wire.server.wait()
    until(lambda: aside.call._response.status == 429)
    assert aside.interrupt() < SOON
    assert request.hung_up.wait(SOON)


@pytest.mark.parametrize("frames", [FRAMES[:3], [b"".join(FRAMES[:3])]], ids=["one by one", "together"])
def test_a_call_is_interrupted_while_there_is_no_room_for_more(wire: Wire, frames: list[bytes]) -> None:
    wire.server.play(Answer.stream(*frames, terminated=False, end=End.STALL))
    aside = Aside(wire.call(), most=1)
    until(lambda: aside.events)
    assert aside.interrupt() < SOON
    assert wire.server.requests[0].hung_up.wait(SOON)


def test_a_call_is_interrupted_before_it_began(wire: Wire) -> None:
    async def stopped() -> bool:
        task = asyncio.create_task(listen(call, Reader([])))
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    wire.server.play(Answer.stream(*FRAMES))
    call = wire.call()
    assert here().run(stopped())
    assert wire.server.requests == []


def test_a_call_is_interrupted_while_the_name_is_looked_up(deaf_resolver: threading.Event) -> None:
    with talking_to("http://gateway.example") as gateway:
        aside = Aside(gateway.call("m", {}, {}))
        assert deaf_resolver.wait(PATIENCE)
        assert aside.interrupt() < SOON


CONNECTIONS = Path("/proc/net/tcp")


def connecting(port: int) -> int:
    """The number of connections to this port that it has not answered yet."""
    rows = [line.split() for line in CONNECTIONS.read_text().splitlines()[1:]]
    return sum(row[3] == "02" and int(row[2].partition(":")[2], 16) == port for row in rows)


@pytest.mark.skipif(not CONNECTIONS.exists(), reason="nothing to watch the connection with")
def test_a_call_is_interrupted_while_it_connects(deaf_port: int) -> None:
    before = connecting(deaf_port)
    with talking_to(f"http://127.0.0.1:{deaf_port}") as gateway:
        aside = Aside(gateway.call("m", {}, {}))
        until(lambda: connecting(deaf_port) == before + 1)
        assert aside.interrupt() < SOON
        until(lambda: connecting(deaf_port) == before)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server_socket:
        server_socket.settimeout(PATIENCE)
        yield server_socket


def test_a_call_is_interrupted_in_the_handshake_of_tls(listener: socket.socket) -> None:
    with talking_to(f"https://127.0.0.1:{listener.getsockname()[1]}") as gateway:
        aside = Aside(gateway.call("m", {}, {}))
        server, _ = listener.accept()
        with server:
            assert server.recv(100_000)
            assert aside.interrupt() < SOON
            server.settimeout(SOON)
            assert server.recv(100_000) == b""


def drained(server: socket.socket) -> int:
    """The bytes that come until the other side closes or resets the connection."""
    size = 0
    with suppress(ConnectionResetError):
        while piece := server.recv(1_000_000):
            size += len(piece)
    return size


def test_a_call_is_interrupted_while_a_large_request_is_sent(listener: socket.socket) -> None:
    with talking_to(f"http://127.0.0.1:{listener.getsockname()[1]}") as gateway:
        aside = Aside(gateway.call("m", {"messages": ["x" * 20_000_000]}, {}))
        server, _ = listener.accept()
        with server:
            assert server.recv(10)
            assert aside.interrupt() < SOON
            assert drained(server) < 20_000_000


def test_a_stop_that_comes_too_late_hits_nobody(wire: Wire) -> None:
    stalled = Answer.stream(*FRAMES[:3], terminated=False, end=End.STALL)
    wire.server.play(Answer.stream(*FRAMES), stalled)
    first = Aside(wire.call())
    assert len(first.result().events) == 6
    second = Aside(wire.call())
    until(lambda: len(second.events) == 3)
    assert len({request.connection for request in wire.server.requests}) == 1
    first.cancel()
    assert not second.is_over
    assert second.interrupt() < SOON


def test_the_next_call_is_not_harmed(wire: Wire) -> None:
    wire.server.play(SILENT["chunked"], Answer.stream(*FRAMES))
    aside = Aside(wire.call())
    until(lambda: len(aside.events) == 3)
    aside.interrupt()
    assert outcome_of(wire.call()).error is None
