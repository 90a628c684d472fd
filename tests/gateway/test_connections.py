"""Connections: what they hold back, when they are kept or replaced, which loop they live on."""

import asyncio
import gc
import select
import socket
import threading
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from conversations.errors import GatewayTimeout, GatewayUnreachable, InvalidRequest
from conversations.gateway import pool
from conversations.gateway.frames import encode
from tests.conditions import until
from tests.gateway.calls import (
    BODY,
    MODEL,
    Aside,
    Outcome,
    Reader,
    Wire,
    listen,
    outcome_of,
    talking,
    talking_to,
)
from tests.gateway.wire import EVENT_STREAM, PATIENCE, Answer, End, WireServer, answer_frames, chunks, head

pytestmark = pytest.mark.usefixtures("each_loop")

FRAMES = answer_frames("Hello", " world")
MEGABYTE = 1024 * 1024


@contextmanager
def one_connection() -> Iterator[tuple[str, Callable[[], socket.socket]]]:
    """An address, and a function that accepts the one connection to it and reads its short request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)

        def accept() -> socket.socket:
            connection, _ = listener.accept()
            assert connection.recv(MEGABYTE)
            return connection

        yield f"http://127.0.0.1:{listener.getsockname()[1]}", accept


def fill(connection: socket.socket, data: bytes) -> tuple[int, memoryview]:
    """Sends the same data until nobody takes it; returns how often, and the rest of the last."""
    connection.setblocking(False)
    for number in range(1, 100):
        rest = memoryview(data)
        while rest:
            if not select.select([], [connection], [], 1)[1]:
                connection.setblocking(True)
                return number, rest
            rest = rest[connection.send(rest) :]
    pytest.fail("all of it was taken")


DELTA = chunks(encode("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "x" * 10_000}}))
CHUNKED = head(200, {**EVENT_STREAM, "Transfer-Encoding": "chunked"})
LAST_CHUNK = b"0\r\n\r\n"


def test_a_sender_whose_reader_is_slow_has_to_wait_and_nothing_piles_up_or_is_lost() -> None:
    with one_connection() as (url, accept), talking_to(url) as gateway:
        aside = Aside(gateway.call("m", {}, {}), most=1)
        with accept() as connection:
            connection.sendall(CHUNKED)
            tracemalloc.start()
            times, rest = fill(connection, DELTA * 100)
            memory, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert memory < 3 * MEGABYTE, "one of which is the test's own"
            aside.reader.go_on()
            connection.sendall(bytes(rest) + LAST_CHUNK)
            assert len(aside.result().events) == times * 100


def test_silence_that_a_slow_reader_makes_is_no_timeout() -> None:
    with one_connection() as (url, accept), talking_to(url, timeout=0.5) as gateway:
        aside = Aside(gateway.call("m", {}, {}), most=1)
        with accept() as connection:
            connection.sendall(CHUNKED)
            times, rest = fill(connection, DELTA * 100)
            aside.reader.go_on()
            connection.sendall(bytes(rest) + LAST_CHUNK)
            assert len(aside.result().events) == times * 100


def test_a_request_that_is_taken_slowly_is_no_timeout() -> None:
    with one_connection() as (url, accept), talking_to(url, timeout=0.5) as gateway:
        aside = Aside(gateway.call("m", {"messages": ["x" * 20 * MEGABYTE]}, {}))
        with accept() as connection:
            for _ in range(19):
                assert connection.recv(MEGABYTE, socket.MSG_WAITALL)
                time.sleep(0.05)
            connection.sendall(CHUNKED + chunks(*FRAMES) + LAST_CHUNK)
            assert (len(aside.result().events), aside.result().error) == (6, None)


def test_a_request_that_nobody_takes_is_told_as_timeout() -> None:
    with one_connection() as (url, accept), talking_to(url, timeout=0.5) as gateway:
        aside = Aside(gateway.call("m", {"messages": ["x" * 20 * MEGABYTE]}, {}))
        with accept():
            assert type(aside.result().error) is GatewayTimeout


def test_an_answer_to_half_a_request_is_read_and_ends_the_connection() -> None:
    with one_connection() as (url, accept), talking_to(url) as gateway:
        aside = Aside(gateway.call("m", {"messages": ["x" * 20 * MEGABYTE]}, {}))
        with accept() as connection:
            connection.sendall(head(413, {"Content-Length": "9"}) + b"too large")
            error = aside.result().error
            assert error is not None
            assert (type(error), error.detail) == (InvalidRequest, "too large")
            with suppress(ConnectionResetError):
                while connection.recv(MEGABYTE):
                    pass


def test_the_headers_of_an_answer_may_come_after_those_of_continue(wire: Wire) -> None:
    [answer] = Answer.stream(*FRAMES).parts[:1]
    interim = b"HTTP/1.1 100 Continue\r\nx-amzn-RequestId: other\r\n\r\n"
    wire.server.play(Answer((interim, answer, chunks(*FRAMES), LAST_CHUNK)))
    call = wire.call()
    assert (outcome_of(call).error, call.request_id) == (None, "request-1")
    assert outcome_of(wire.call()).error is None
    assert len({request.connection for request in wire.server.requests}) == 1


@pytest.mark.parametrize(
    "line", [b"x-more: " + b"a" * 1000 + b"\r\n", b"a" * 1000], ids=["many", "a long one"]
)
def test_headers_without_an_end_are_told_as_unreachable(line: bytes) -> None:
    with one_connection() as (url, accept), talking_to(url) as gateway:
        aside = Aside(gateway.call("m", {}, {}))
        with accept() as connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nx-first: ")
            with suppress(ConnectionError):
                for _ in range(10_000):
                    connection.sendall(line)
            assert type(aside.result().error) is GatewayUnreachable


@pytest.mark.parametrize("end", [End.CLOSE, End.RESET], ids=["FIN", "RST"])
def test_a_request_over_which_a_kept_connection_dies_is_not_sent_again(wire: Wire, end: End) -> None:
    wire.server.play(Answer.stream(*FRAMES), Answer((), end), Answer.stream(*FRAMES))
    assert outcome_of(wire.call()).error is None
    assert type(outcome_of(wire.call()).error) is GatewayUnreachable
    assert len(wire.server.requests) == 2
    assert outcome_of(wire.call()).error is None


def test_a_kept_connection_that_dies_in_an_answer_is_not_replaced(wire: Wire) -> None:
    wire.server.play(Answer.stream(*FRAMES), Answer((b"HTTP/1.1 2",), End.CLOSE))
    assert outcome_of(wire.call()).error is None
    assert type(outcome_of(wire.call()).error) is GatewayUnreachable
    assert len(wire.server.requests) == 2


def test_a_kept_connection_over_which_nothing_comes_is_not_replaced() -> None:
    with talking(Answer.stream(*FRAMES), Answer.silence(), timeout=0.5) as wire:
        assert outcome_of(wire.call()).error is None
        assert type(outcome_of(wire.call()).error) is GatewayTimeout
        assert len(wire.server.requests) == 2


@pytest.mark.parametrize("more", [b"junk", CHUNKED + LAST_CHUNK], ids=["junk", "a second answer"])
def test_bytes_that_nobody_asked_for_end_the_connection(wire: Wire, more: bytes) -> None:
    whole = Answer.stream(*FRAMES)
    wire.server.play(Answer((*whole.parts[:-1], LAST_CHUNK + more)), whole)
    first, second = outcome_of(wire.call()), outcome_of(wire.call())
    assert (first.error, second.error, len(second.events)) == (None, None, 6)
    assert wire.server.requests[0].connection != wire.server.requests[1].connection


def test_a_connection_is_kept_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_TIMEOUT", 0.05)
    with talking(Answer.stream(*FRAMES)) as wire:
        assert outcome_of(wire.call()).error is None
        assert wire.server.requests[0].hung_up.wait(1)
        assert outcome_of(wire.call()).error is None


def test_no_more_connections_are_kept_than_there_may_be() -> None:
    gate = threading.Event()
    with talking(Answer.stream(FRAMES[0], gate, *FRAMES[1:]), connections=2) as wire:
        calls = [Aside(wire.call()) for _ in range(4)]
        until(lambda: all(call.events for call in calls))
        gate.set()
        assert [call.result().error for call in calls] == [None] * 4
        until(lambda: sum(request.hung_up.is_set() for request in wire.server.requests) == 2)


def test_each_loop_has_connections_of_its_own(wire: Wire) -> None:
    async def two() -> list[Outcome]:
        outcomes = [await listen(wire.call(), Reader([])) for _ in range(2)]
        wire.gateway.close()
        return outcomes

    wire.server.play(Answer.stream(*FRAMES))
    for _ in range(2):
        assert outcome_of(wire.call()).error is None
        assert [result.error for result in asyncio.run(two())] == [None, None]
    first = [request.connection for request in wire.server.requests]
    assert (first[1], first[4]) == (first[2], first[5])
    assert len(set(first)) == 4


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # nobody can close its connections any more
def test_a_loop_that_is_closed_is_forgotten(wire: Wire) -> None:
    async def loop_of_a_call() -> weakref.ref[asyncio.AbstractEventLoop]:
        assert (await listen(wire.call(), Reader([]))).error is None
        return weakref.ref(asyncio.get_running_loop())

    wire.server.play(Answer.stream(*FRAMES))
    first, _ = asyncio.run(loop_of_a_call()), asyncio.run(loop_of_a_call())
    gc.collect()
    assert first() is None
    wire.gateway.close()
    gc.collect()


def test_a_connection_that_the_gateway_will_close_is_not_kept(wire: Wire) -> None:
    wire.server.play(Answer.stream(*FRAMES, headers={"Connection": "close"}))
    assert [outcome_of(wire.call()).error for _ in range(2)] == [None, None]
    assert wire.server.requests[0].connection != wire.server.requests[1].connection


def test_a_resolver_that_hangs_takes_few_threads_and_is_used_again_once_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over, threads = threading.Event(), set()
    resolve = socket.getaddrinfo

    def hang(host: str, *arguments: Any, **options: Any) -> Any:
        threads.add(threading.current_thread())
        assert over.wait(PATIENCE)
        return resolve("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with (
        WireServer([Answer.stream(*FRAMES)]) as server,
        talking_to(f"http://gateway.example:{server.port}", timeout=0.3) as gateway,
    ):
        asides = [Aside(gateway.call(MODEL, BODY, {})) for _ in range(3 * pool.LOOK_UPS)]
        for aside in asides:
            error = aside.result().error
            assert error is not None
            assert error.detail == "the host name could not be looked up in time"
        assert len(threads) == pool.LOOK_UPS
        over.set()
        until(lambda: outcome_of(gateway.call(MODEL, BODY, {})).error is None)
