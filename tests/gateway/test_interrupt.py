"""Interrupting a call from another thread: in every phase it ends within half a second, and the server sees it go."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conversations.errors import CallInterrupted
from tests.gateway.talking import Aside, Wire, heard, talking, talking_to, until
from tests.gateway.wire import EVENT_STREAM, PATIENCE, Answer, End, answer_frames, head

FRAMES = answer_frames("Hello", " world")
SOON = 0.5


@pytest.fixture(params=["a new connection", "a kept connection"])
def started(wire: Wire, request: pytest.FixtureRequest) -> Iterator[Callable[[Answer], Aside]]:
    """Starts a call that is answered so."""

    def start(answer: Answer) -> Aside:
        if request.param == "a kept connection":
            assert wire.hear(Answer.stream(*FRAMES)).error is None
        wire.server.play(answer)
        return Aside(wire.call())

    wire.gateway.close()
    yield start
    wire.gateway.close()


def test_waiting_for_the_headers(wire: Wire, started: Callable[[Answer], Aside]) -> None:
    aside = started(Answer.silence())
    request = wire.server.wait()
    result, seconds = aside.interrupted()
    assert type(result.error) is CallInterrupted
    assert seconds < SOON
    assert request.hung_up.wait(SOON)


SILENT = {
    "chunked": Answer.stream(*FRAMES[:3], terminated=False, end=End.STALL),
    "with a length": Answer((head(200, {**EVENT_STREAM, "Content-Length": "9999"}), *FRAMES[:3]), End.STALL),
    "until the end": Answer((head(200, {**EVENT_STREAM, "Connection": "close"}), *FRAMES[:3]), End.STALL),
    "in a frame": Answer.stream(*FRAMES[:3], FRAMES[3][:30], terminated=False, end=End.STALL),
    "after the answer": Answer.stream(*FRAMES[:5], terminated=False, end=End.STALL),
}


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT.keys())
def test_in_a_silent_stream(wire: Wire, started: Callable[[Answer], Aside], answer: Answer) -> None:
    aside = started(answer)
    until(lambda: len(aside.events) >= 3)
    result, seconds = aside.interrupted()
    assert result.names[:3] == ["messageStart", "contentBlockDelta", "contentBlockDelta"]
    assert type(result.error) is CallInterrupted
    assert result.error.request_id == "request-1"
    assert seconds < SOON
    assert wire.server.requests[0].hung_up.wait(SOON)


def test_between_two_events_that_came_together(wire: Wire) -> None:
    wire.server.play(Answer.stream(b"".join(FRAMES)))
    call = wire.call()
    events = call.events()
    next(events)
    call.interrupt()
    with pytest.raises(CallInterrupted):
        next(events)


def test_before_it_began(wire: Wire) -> None:
    wire.server.play(Answer.stream(*FRAMES))
    call = wire.call()
    call.interrupt()
    assert type(heard(call).error) is CallInterrupted
    assert wire.server.requests == []


@pytest.mark.parametrize("kept", [False, True], ids=["a new connection", "a kept connection"])
def test_just_before_the_request_is_sent(*, kept: bool) -> None:
    class Labels(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            call.interrupt()
            return default

    with talking(Answer.stream(*FRAMES), headers=(("X-User", "{user}"),)) as wire:
        if kept:
            assert heard(wire.call()).error is None
        call = wire.gateway.call("m", {}, Labels())
        assert type(heard(call).error) is CallInterrupted
        assert len(wire.server.requests) == kept


def test_while_the_name_is_looked_up(deaf_resolver: threading.Event) -> None:
    with talking_to("http://gateway.example") as gateway:
        aside = Aside(gateway.call("m", {}, {}))
        assert deaf_resolver.wait(PATIENCE)
        result, seconds = aside.interrupted()
    assert type(result.error) is CallInterrupted
    assert seconds < SOON


def connecting(sock: socket.socket | None) -> bool:
    """Whether the other side has not answered yet: tcpi_state is TCP_SYN_SENT."""
    return sock is not None and sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x02"


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="no TCP_INFO to watch the connection with")
def test_while_connecting(deaf_port: int) -> None:
    with talking_to(f"http://127.0.0.1:{deaf_port}") as gateway:
        aside = Aside(gateway.call("m", {}, {}))
        until(lambda: connecting(aside.call._line._socket))
        result, seconds = aside.interrupted()
    assert type(result.error) is CallInterrupted
    assert seconds < SOON


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(PATIENCE)
        yield made


def test_in_the_handshake_of_tls(listener: socket.socket) -> None:
    with talking_to(f"https://127.0.0.1:{listener.getsockname()[1]}") as gateway:
        aside = Aside(gateway.call("m", {}, {}))
        server, _ = listener.accept()
        with server:
            assert server.recv(100_000)
            result, seconds = aside.interrupted()
            server.settimeout(SOON)
            assert server.recv(100_000) == b""
    assert type(result.error) is CallInterrupted
    assert seconds < SOON


def test_while_a_large_request_is_sent(listener: socket.socket) -> None:
    with talking_to(f"http://127.0.0.1:{listener.getsockname()[1]}") as gateway:
        aside = Aside(gateway.call("m", {"messages": ["x" * 20_000_000]}, {}))
        server, _ = listener.accept()
        with server:
            assert server.recv(10)
            result, seconds = aside.interrupted()
    assert type(result.error) is CallInterrupted
    assert seconds < SOON


def test_an_interrupt_that_comes_too_late_hits_nobody(wire: Wire) -> None:
    stalled = Answer.stream(*FRAMES[:3], terminated=False, end=End.STALL)
    wire.server.play(Answer.stream(*FRAMES), stalled)
    first = wire.call()
    assert heard(first).error is None
    second = Aside(wire.call())
    until(lambda: len(second.events) == 3)
    assert {request.connection for request in wire.server.requests} == {wire.server.requests[0].connection}
    first.interrupt()
    assert second.heard is None
    assert type(second.interrupted()[0].error) is CallInterrupted


def test_a_connection_is_let_go_before_another_call_may_have_it() -> None:
    with talking(Answer.plain(b"".join(FRAMES), missing=0)) as wire:
        call = wire.call()
        events = call.events()
        next(events)
        assert call._line._socket is None
        events.close()  # type: ignore[attr-defined]


def test_the_next_call_is_not_harmed(wire: Wire) -> None:
    wire.server.play(SILENT["chunked"], Answer.stream(*FRAMES))
    aside = Aside(wire.call())
    until(lambda: len(aside.events) == 3)
    aside.interrupted()
    assert heard(wire.call()).error is None
