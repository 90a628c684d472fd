"""What can go wrong on the wire: cut streams, exceptions, refusals, answers of another kind."""

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from conversations.errors import (
    ContextOverflow,
    GatewayError,
    GatewayFailed,
    GatewayRefused,
    GatewayThrottled,
    GatewayTimeout,
    InvalidRequest,
    StreamCut,
    StreamError,
)
from conversations.gateway.frames import PAYLOAD_LIMIT, encode, pack
from tests.gateway.calls import Wire, outcome_of, talking
from tests.gateway.wire import Answer, End, answer_frames, chunks, flipped, head, raw
from tests.protocol.recorded import FOLDER, NONE_HERE

pytestmark = pytest.mark.usefixtures("each_loop")

FRAMES = answer_frames("Hello", " world")
PART = FRAMES[:3]
HALF = FRAMES[3][:40]
ERRORS = [pytest.param(path, id=path.name) for path in sorted(FOLDER.glob("errors/*"))] or [
    pytest.param(None, marks=NONE_HERE)
]


UNKNOWN_HEADER = pack(b"\1a\x0b", b"{}")
TOO_LONG = pack(b"", b" " * (PAYLOAD_LIMIT + 1))[:1000]

CUT = {
    "FIN in a frame": raw(chunks(*PART), b"64\r\n" + HALF),
    "FIN in a frame, until the end": Answer.plain(*PART, HALF),
    "FIN in a frame, with a length": Answer.plain(*PART, HALF, missing=100),
    "FIN between frames": Answer.stream(*PART, terminated=False, end=End.CLOSE),
    "clean end in a frame": Answer.stream(*PART, HALF),
    "clean end in a frame's beginning": Answer.stream(*PART, HALF[:5]),
    "chunk size that is none": raw(chunks(*PART), b"xyz\r\n"),
    "wrong checksum": Answer.stream(*PART, flipped(FRAMES[3], -1)),
    "wrong checksum of the beginning": Answer.stream(*PART, flipped(FRAMES[3], 8)),
    "flipped bit in a payload": Answer.stream(*PART, flipped(FRAMES[3], -10)),
    "unknown type of header": Answer.stream(*PART, UNKNOWN_HEADER),
    "payload over the limit": Answer.stream(*PART, TOO_LONG),
    "text of Kong's in the stream": Answer.stream(*PART, b'data: {"error": true, "message": "unsupported"}'),
}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
def test_a_cut_or_broken_stream_is_told_as_stream_cut_after_what_had_come(wire: Wire, answer: Answer) -> None:
    result = wire.outcome(answer)
    assert result.names == ["messageStart", "contentBlockDelta", "contentBlockDelta"]
    assert result.error is not None
    assert (type(result.error), result.error.is_retryable, result.error.request_id) == (
        StreamCut,
        True,
        "request-1",
    )
    assert result.error.detail


def test_a_stream_that_is_reset_is_told_as_stream_cut(wire: Wire) -> None:
    assert type(wire.fail(Answer.stream(*PART, terminated=False, end=End.RESET))) is StreamCut


def test_a_broken_first_frame_is_told_as_stream_cut(wire: Wire) -> None:
    assert type(wire.fail(Answer.stream(flipped(FRAMES[0], -1)))) is StreamCut


@pytest.mark.parametrize(
    "answer",
    [
        Answer.stream(*PART),
        Answer.plain(*PART),
        Answer.plain(*PART, missing=100),
        raw(chunks(*PART), b"0\r\n"),
    ],
    ids=["chunked", "until the end", "with a length", "last chunk cut short"],
)
def test_a_clean_end_before_the_answers_is_the_callers_business(wire: Wire, answer: Answer) -> None:
    result = wire.outcome(answer)
    assert (len(result.events), result.error) == (3, None)


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"64\r\n" + HALF,
        chunks(flipped(FRAMES[5], -1)),
        chunks(encode("internalServerException", {"message": "late"}, "exception")),
    ],
    ids=["FIN", "FIN in a frame", "wrong checksum", "exception"],
)
def test_what_fails_after_the_answer_is_complete_does_not_harm_it(
    wire: Wire, tail: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "conversations")
    result = wire.outcome(raw(chunks(*FRAMES[:5]), tail))
    assert (result.names[-1], len(result.events), result.error) == ("messageStop", 5, None)
    assert "request-1 failed once its answer was complete" in caplog.text


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", GatewayThrottled),
        ("validationException", InvalidRequest),
        ("modelStreamErrorException", StreamError),
        ("internalServerException", StreamError),
        ("serviceUnavailableException", StreamError),
        ("modelTimeoutException", StreamError),
    ],
)
@pytest.mark.parametrize("before", [[], PART], ids=["at once", "in the middle"])
@pytest.mark.parametrize("form", ["exception", "error"])
def test_an_exception_in_the_stream_ends_it(
    wire: Wire, name: str, form: str, before: list[bytes], kind: type[GatewayError]
) -> None:
    result = wire.outcome(Answer.stream(*before, encode(name, {"message": "it broke"}, form), *FRAMES[3:]))
    assert len(result.events) == len(before)
    assert type(result.error) is kind
    assert (result.error.detail, result.error.request_id) == ("it broke", "request-1")


SSE = b'data: {"error": true, "message": "empty or unsupported transformer response"}'
NO_STREAM: dict[str, tuple[bytes, str]] = {
    "JSON": (b'{"error": {"message": "wrong route type"}}', "wrong route type"),
    "JSON of a completion": (b'{"choices": []}', '{"choices": []}'),
    "short JSON": (b'{"ok":1}', '{"ok":1}'),
    "HTML": (b"<html><head><title>Welcome</title></head></html>", "Welcome"),
    "plain text": (b"It works! This is a web server.", "It works! This is a web server."),
    "SSE": (SSE, SSE.decode()),
    "gzip": (gzip.compress(b'{"message": "packed"}', mtime=0), "the answer is no event stream"),
    "nothing": (b"", "the answer is no event stream"),
}


@pytest.mark.parametrize("how", [Answer.stream, Answer.plain])
@pytest.mark.parametrize(("body", "detail"), NO_STREAM.values(), ids=NO_STREAM.keys())
def test_a_good_status_without_an_event_stream_is_told_as_gateway_failed(
    wire: Wire, how: Any, body: bytes, detail: str
) -> None:
    error = wire.fail(how(*[body] * bool(body)))
    assert (type(error), error.detail, error.status, error.is_retryable) == (GatewayFailed, detail, 200, True)


def test_the_title_of_a_web_page_is_quoted_as_one(wire: Wire) -> None:
    page = b"<!doctype html>\n<title>Please sign in</title>"
    for answer in (Answer.error(503, page, {"Content-Type": "text/html"}), Answer.stream(page)):
        assert str(wire.fail(answer)).endswith("(it sent a web page titled “Please sign in”)")
    assert str(wire.fail(Answer.error(500, {"message": "Please wait"}, {}))).endswith("(Please wait)")


def test_no_content_is_told_as_gateway_failed(wire: Wire) -> None:
    error = wire.fail(Answer((head(204, {}),)))
    assert (type(error), error.status) == (GatewayFailed, 204)


ELSEWHERE = "it sends on to another address: GATEWAY_URL may have to be that one"
REFUSALS: list[tuple[int, object, dict[str, str], tuple[type[GatewayError], str]]] = [
    (401, {"message": "No API key found in request", "request_id": "1"}, {}, (GatewayRefused, "No API key found in request")),
    (403, {"message": "You cannot consume this service"}, {}, (GatewayRefused, "You cannot consume this service")),
    (404, {"message": "no Route matched with those values"}, {}, (GatewayRefused, "no Route matched with those values")),
    (413, {"message": "Request size limit exceeded"}, {}, (InvalidRequest, "Request size limit exceeded")),
    (400, {"error": {"message": "cannot use own model - must be: X"}}, {}, (InvalidRequest, "cannot use own model - must be: X")),
    (429, {"message": "API rate limit exceeded"}, {}, (GatewayThrottled, "API rate limit exceeded")),
    (500, {"message": "An unexpected error occurred"}, {}, (GatewayFailed, "An unexpected error occurred")),
    (502, b"", {}, (GatewayFailed, "HTTP 502 Bad Gateway")),
    (502, b"<html><h1>502</h1></html>", {"Content-Type": "text/html"}, (GatewayFailed, "502")),
    (503, b"<!doctype html><title>Away</title>", {"Content-Type": "text/html"}, (GatewayFailed, "Away")),
    (504, {"message": "The upstream server is timing out"}, {}, (GatewayFailed, "The upstream server is timing out")),
    (413, b"too large", {"Content-Type": "text/plain"}, (InvalidRequest, "too large")),
    (400, b"", {}, (InvalidRequest, "HTTP 400 Bad Request")),
    (400, ["listed"], {}, (InvalidRequest, "listed")),
    (500, "only text", {}, (GatewayFailed, "only text")),
    (400, None, {}, (InvalidRequest, "HTTP 400 Bad Request")),
    (400, b"\xff\xfe", {}, (InvalidRequest, "\ufffd\ufffd")),
    (502, gzip.compress(b"{}", mtime=0), {"Content-Encoding": "gzip"}, (GatewayFailed, "HTTP 502 Bad Gateway")),
    (400, {"code": 40001}, {}, (InvalidRequest, '{"code": 40001}')),
    (300, {"message": "many"}, {}, (GatewayFailed, "many")),
    (302, b"", {"Location": "http://elsewhere.example/"}, (GatewayFailed, f"HTTP 302 Found; {ELSEWHERE}")),
    (400, b"Bad", {"x-amzn-ErrorType": "ValidationException", "Content-Type": "text/event-stream"}, (InvalidRequest, "Bad")),
    (408, {"message": "late"}, {"x-amzn-ErrorType": "ModelTimeoutException"}, (GatewayTimeout, "late")),
    (424, {"message": "odd"}, {"x-amzn-ErrorType": "ModelErrorException"}, (StreamError, "odd")),
    (424, {"message": "Input is too long."}, {}, (ContextOverflow, "Input is too long.")),
    (429, {"message": "cold"}, {"x-amzn-ErrorType": "ModelNotReadyException"}, (GatewayThrottled, "cold")),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "headers", "expected"), REFUSALS)
def test_a_refusal_is_told_by_its_status_in_its_own_words_after_one_attempt(
    wire: Wire, status: int, body: object, headers: dict[str, str], expected: tuple[type[GatewayError], str]
) -> None:
    error = wire.fail(Answer.error(status, body, headers))
    assert (type(error), error.detail, error.status) == (*expected, status)
    assert len(wire.server.requests) == 1


CUT_BODY = head(429, {"Content-Length": "9999", "x-amzn-RequestId": "request-1"}) + b"slow down"
BROKEN_BODIES = {
    "cut": Answer((CUT_BODY,), End.CLOSE),
    "reset": Answer((CUT_BODY,), End.RESET),
    "silent": Answer((CUT_BODY,), End.STALL),
    "cut chunks": Answer((head(429, {"Transfer-Encoding": "chunked"}), b"64\r\nslow"), End.CLOSE),
    "no chunks": Answer((head(429, {"Transfer-Encoding": "chunked"}), b"xyz\r\n"), End.CLOSE),
}


@pytest.mark.parametrize("answer", BROKEN_BODIES.values(), ids=BROKEN_BODIES.keys())
def test_a_refusal_whose_body_breaks_off_is_told_by_its_status(answer: Answer) -> None:
    with talking(answer, ending=0.1) as wire:
        error = outcome_of(wire.call()).error
    assert (type(error), error and error.status) == (GatewayThrottled, 429)


def test_a_refusal_whose_body_has_no_end_is_read_in_part() -> None:
    endless = Answer(
        (head(400, {"Connection": "close"}), b"Input is too long. ", b"x" * 3_000_000), End.STALL
    )
    with talking(endless) as wire:
        error = outcome_of(wire.call()).error
        assert type(error) is ContextOverflow
        assert wire.server.requests[0].hung_up.wait(5)


def test_a_refusal_that_was_read_whole_leaves_its_connection_to_the_next_call(wire: Wire) -> None:
    wire.server.play(Answer.error(500, {"message": "no"}), Answer.stream(*FRAMES))
    assert [type(outcome_of(wire.call()).error) for _ in range(2)] == [GatewayFailed, type(None)]
    assert len({request.connection for request in wire.server.requests}) == 1


@pytest.mark.parametrize("folder", ERRORS)
def test_a_recorded_refusal_is_told_in_bedrocks_words(wire: Wire, folder: Path) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    headers = {
        name: value for name, value in meta["headers"].items() if name not in ("connection", "content-length")
    }
    body = (folder / "response.bin").read_bytes()
    error = wire.fail(Answer.error(meta["status"], body, headers))
    refused = {403: GatewayRefused, 404: GatewayRefused, 429: GatewayThrottled}
    overflow = ContextOverflow if b"exceeds maximum length" in body else InvalidRequest
    assert type(error) is refused.get(meta["status"], overflow)
    assert error.detail == json.loads(body)["message"]
    assert error.request_id == meta["headers"].get("x-amzn-requestid", "")


def test_a_refusal_carries_what_a_retry_needs(wire: Wire) -> None:
    headers = {"Retry-After": "7", "X-Kong-Request-Id": "kong-1"}
    error = wire.fail(Answer.error(429, {"message": "slow down"}, headers))
    assert (error.is_retryable, error.retry_after, error.request_id) == (True, 7, "kong-1")


def test_a_large_request_that_kong_cannot_read_is_told_with_its_size(wire: Wire) -> None:
    words = "content-type header does not match request body, or bad JSON formatting"
    large = {"messages": [{"role": "user", "content": [{"text": "x" * 9000}]}]}
    result = wire.outcome(Answer.error(400, {"error": {"message": words}}), body=large)
    assert result.error is not None
    assert f"the request has {len(wire.server.requests[0].body)} bytes" in result.error.detail


def test_no_header_of_ours_gets_into_any_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answers = [Answer.error(401, {"message": "no"}), Answer.stream(b"{}"), Answer.stream(*PART, b"x" * 20)]
    with talking(*answers, headers=(("apikey", "sesame"),), secret_key="sesame") as wire:
        errors = [outcome_of(wire.call()).error for _ in answers]
        texts = [
            f"{error!s} {error!r} {error and error.detail} {error and error.__cause__!r}" for error in errors
        ]
    assert wire.server.requests[0].headers["apikey"] == "sesame"
    assert "sesame" not in "".join(texts) + caplog.text + repr(wire.gateway._options)
