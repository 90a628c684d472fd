"""No answer, or none any more: nobody there, nobody who speaks HTTP, nothing said for too long."""

import threading

import pytest

from conversations.errors import GatewayTimeout, GatewayUnreachable
from tests.gateway.calls import Wire, outcome_of, talking, talking_to
from tests.gateway.wire import EVENT_STREAM, PATIENCE, Answer, End, answer_frames, head

pytestmark = pytest.mark.usefixtures("each_loop")

PART = answer_frames("Hello", " world")[:3]


@pytest.mark.parametrize(
    "answer",
    [
        Answer((), End.CLOSE),
        Answer((), End.RESET),
        Answer((b"SSH-2.0-OpenSSH_9\r\n",), End.CLOSE),
        Answer((b"HTTP/1.1 2",), End.CLOSE),
    ],
    ids=["FIN", "RST", "another protocol", "half a status line"],
)
def test_a_connection_closed_without_an_answer_is_told_as_unreachable(wire: Wire, answer: Answer) -> None:
    error = wire.fail(answer)
    assert (type(error), error.is_retryable) == (GatewayUnreachable, True)


def test_a_port_where_nobody_listens_is_told_as_unreachable() -> None:
    with talking() as wire:
        pass
    error = outcome_of(wire.call()).error
    assert type(error) is GatewayUnreachable
    assert "refused" in error.detail


def test_a_name_that_nobody_has_is_told_as_unreachable() -> None:
    with talking_to("http://gateway.invalid") as gateway:
        assert type(outcome_of(gateway.call("m", {}, {})).error) is GatewayUnreachable


def test_silence_before_the_headers_is_told_as_timeout() -> None:
    with talking(Answer.silence(), timeout=0.5) as wire:
        error = outcome_of(wire.call()).error
        assert (type(error), error and error.is_retryable) == (GatewayTimeout, False)
        assert wire.server.requests[0].hung_up.wait(PATIENCE)


@pytest.mark.parametrize(
    "answer",
    [
        Answer.stream(*PART, terminated=False, end=End.STALL),
        Answer((head(200, {**EVENT_STREAM, "Content-Length": "9999"}), *PART), End.STALL),
    ],
    ids=["chunked", "with a length"],
)
def test_silence_in_the_stream_is_told_as_timeout_after_what_had_come(answer: Answer) -> None:
    with talking(answer, timeout=0.5) as wire:
        result = outcome_of(wire.call())
        assert (len(result.events), type(result.error)) == (3, GatewayTimeout)
        assert wire.server.requests[0].hung_up.wait(PATIENCE)


def test_a_host_that_does_not_answer_a_connection_is_told_as_unreachable(deaf_port: int) -> None:
    with talking_to(f"http://127.0.0.1:{deaf_port}", timeout=0.5) as gateway:
        assert type(outcome_of(gateway.call("m", {}, {})).error) is GatewayUnreachable


def test_a_resolver_that_does_not_answer_is_told_as_unreachable(deaf_resolver: threading.Event) -> None:
    with talking_to("http://gateway.example", timeout=0.5) as gateway:
        error = outcome_of(gateway.call("m", {}, {})).error
    assert type(error) is GatewayUnreachable
    assert "the host name could not be looked up in time" in error.detail
