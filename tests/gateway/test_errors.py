"""Every failure there can be, and the error that it becomes. test_failures has the wire's own."""

import errno
import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from httptools import HttpParserError

from conversations.errors import (
    ContextOverflow,
    GatewayError,
    GatewayFailed,
    GatewayRefused,
    GatewayThrottled,
    GatewayTimeout,
    GatewayUnreachable,
    InvalidRequest,
    StreamCut,
    StreamError,
)
from conversations.gateway import errors
from conversations.gateway.frames import Decoder, FrameError, encode

KONG_BODY = b'{"error":{"message":"content-type header does not match request body, or bad JSON formatting"}}'


def answered(status: int, body: bytes = b"", sent: int = 100, **headers: str) -> GatewayError:
    return errors.from_response(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, body, sent
    )


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (300, GatewayFailed, False),
        (302, GatewayFailed, False),
        (400, InvalidRequest, False),
        (401, GatewayRefused, False),
        (403, GatewayRefused, False),
        (404, GatewayRefused, False),
        (408, GatewayTimeout, False),
        (413, InvalidRequest, False),
        (417, InvalidRequest, False),
        (424, StreamError, False),
        (429, GatewayThrottled, True),
        (500, GatewayFailed, True),
        (502, GatewayFailed, True),
        (503, GatewayFailed, True),
        (504, GatewayFailed, True),
        (529, GatewayFailed, True),
    ],
)
def test_a_status_is_told_by_its_number(status: int, kind: type[GatewayError], retryable: bool) -> None:
    error = answered(status, b'{"message": "so it is"}')
    assert (type(error), error.is_retryable, error.status, error.detail) == (
        kind,
        retryable,
        status,
        "so it is",
    )


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "throttlingException:http://internal.amazon.com/coral/"]
)
def test_throttling_is_throttling_under_any_status(code: str) -> None:
    error = answered(400, x_amzn_errortype=code)
    assert (type(error), error.is_retryable) == (GatewayThrottled, True)


@pytest.mark.parametrize(
    "words",
    [
        "No connected db.",
        "Authentication Error, No api key passed in.",
        "Invalid proxy server token passed. Received API Key = sk-...1, Key Hash (Token) =1",
        "Budget has been exceeded! Current cost: 2, Max budget: 1",
        "Malformed API Key passed in. Ensure Key has `Bearer ` prefix.",
    ],
)
def test_a_400_about_the_key_is_a_refusal_of_the_gateways(words: str) -> None:
    assert type(answered(400, json.dumps({"error": {"message": words}}).encode())) is GatewayRefused


def test_a_400_about_a_key_in_the_message_is_about_the_message() -> None:
    assert type(answered(400, b'{"message": "API key detected in prompt"}')) is InvalidRequest


OVERFLOWS = [
    "Input is too long for requested model.",
    "prompt is too long: 903884 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "too many total text bytes",
    "This model's maximum context length is 131072 tokens.",
    "The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum length.",
]


@pytest.mark.parametrize("words", OVERFLOWS)
def test_an_overflow_is_known_by_its_words_in_an_answer_and_in_a_stream(words: str) -> None:
    assert type(answered(400, words.encode())) is ContextOverflow
    [frame] = Decoder().feed(encode("validationException", {"message": words}, "exception"))
    error = errors.from_frame(frame)
    assert (type(error), error.is_retryable, error.detail) == (ContextOverflow, False, words)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            b'{\n "message": "No API key found in request",\n "request_id": "1"\n}',
            "No API key found in request",
        ),
        (b'{"Message": "capital"}', "capital"),
        (b'{"error": {"message": "cannot use own model - must be: X"}}', "cannot use own model - must be: X"),
        (b'{"error": "flat"}', "flat"),
        (b'{"detail": [{"message": "listed"}]}', "listed"),
        (b'{"error": true, "message": "both"}', "both"),
        (
            b'{"error": {"message": "{\\"message\\": \\"nested\\", \\"request_id\\": \\"1\\"}", "code": "400"}}',
            "nested",
        ),
        (b'{"error": {"message": "{\\"code\\": 1}"}}', '{"code": 1}'),
        (b'{"error": {"message": "{nothing}"}}', "{nothing}"),
        (b'["one", "two"]', "one"),
        (b'"only text"', "only text"),
        (b'{"code": 40001}', '{"code": 40001}'),
        (b'{"message": null}', '{"message": null}'),
        (b'{"message": {}}', '{"message": {}}'),
        (b"null", ""),
        (b"[]", ""),
        (b"", ""),
        (b"upstream  gone\r\n", "upstream gone"),
        (b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", "502 Bad Gateway"),
        (b"<!doctype html>\n<TITLE>\n R&amp;D </TITLE>", "R&D"),
        (b"<html><body><h1>Gone</h1> away</body></html>", "Gone away"),
        (b"gesperrt f\xfcr alle", "gesperrt f\ufffdr alle"),
        (b"\x1f\x8b\x08\x00\x00\x00", ""),
        (b"[" * 100_000, "[" * errors.MESSAGE_LIMIT),
        (b"x" * 5000, "x" * errors.MESSAGE_LIMIT),
    ],
)
def test_the_words_of_a_body_are_found(body: bytes, text: str) -> None:
    assert errors.body_message(body) == text


@pytest.mark.parametrize(
    ("status", "headers", "detail"),
    [
        (400, {"x_amzn_errortype": "ValidationException:http://internal.amazon.com/"}, "ValidationException"),
        (502, {}, "HTTP 502 Bad Gateway"),
        (599, {}, "HTTP 599"),
    ],
)
def test_an_answer_without_words_is_told_by_its_code_or_status(
    status: int, headers: dict[str, str], detail: str
) -> None:
    assert answered(status, b"", **headers).detail == detail


def test_kongs_limit_of_bodies_is_told_with_the_size_of_ours() -> None:
    assert "the request has 9000 bytes" in answered(400, KONG_BODY, sent=9000).detail
    assert "bytes" not in answered(400, KONG_BODY, sent=8192).detail
    assert "bytes" not in answered(400, b'{"message": "another"}', sent=9000).detail


def test_the_request_id_is_bedrocks_or_else_kongs() -> None:
    assert answered(500, x_amzn_requestid="aws", x_kong_request_id="kong").request_id == "aws"
    assert answered(500, x_kong_request_id="kong").request_id == "kong"
    assert answered(500).request_id == ""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("-1", None),
        ("soon", None),
        ("inf", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_read_as_seconds(value: str, seconds: float | None) -> None:
    assert answered(429, retry_after=value).retry_after == seconds


def test_retry_after_is_read_as_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=30)
    assert answered(429, retry_after=format_datetime(soon, usegmt=True)).retry_after == pytest.approx(
        30, abs=2
    )
    assert answered(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT").retry_after == 0


@pytest.mark.parametrize(("wait", "retryable"), [("60", True), ("61", False), ("3600", False)])
def test_a_gateway_that_asks_for_a_long_wait_is_not_asked_again(wait: str, *, retryable: bool) -> None:
    assert answered(429, retry_after=wait).is_retryable == retryable
    assert answered(503, retry_after=wait).is_retryable == retryable


def test_the_person_is_told_of_a_long_wait() -> None:
    assert "slow down; it asks to wait 60 minutes" in str(answered(429, b"slow down", retry_after="3600"))
    assert "asks to wait" not in str(answered(429, b"slow down", retry_after="60"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", GatewayThrottled),
        ("ThrottlingException", GatewayThrottled),
        ("validationException", InvalidRequest),
        ("modelStreamErrorException", StreamError),
        ("internalServerException", StreamError),
        ("serviceUnavailableException", StreamError),
        ("modelTimeoutException", StreamError),
    ],
)
@pytest.mark.parametrize("form", ["exception", "error"])
def test_an_exception_in_the_stream_is_told_by_its_name(
    name: str, form: str, kind: type[GatewayError]
) -> None:
    [frame] = Decoder().feed(encode(name, {"message": "it broke", "originalStatusCode": 500}, form))
    error = errors.from_frame(frame)
    assert (type(error), error.detail, error.status) == (kind, "it broke", None)


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        (b"plain words", "plain words"),
        (b'{"Message": "capital"}', "capital"),
        (b"", "internalServerException"),
    ],
)
def test_an_exception_whose_payload_is_odd_still_says_something(payload: bytes, detail: str) -> None:
    [frame] = Decoder().feed(encode("internalServerException", payload, "exception"))
    assert errors.from_frame(frame).detail == detail


VERIFY = ssl.SSLCertVerificationError("bad")
VERIFY.verify_message = "self-signed certificate"
TLS = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:992)")
TLS.reason = "WRONG_VERSION_NUMBER"
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 8000)")
NO_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    ("failure", "before", "after", "detail"),
    [
        (REFUSED, GatewayUnreachable, StreamCut, "Connection refused"),
        (NO_NAME, GatewayUnreachable, StreamCut, "Name or service not known"),
        (ConnectionResetError("reset"), GatewayUnreachable, StreamCut, "reset"),
        (
            TLS,
            GatewayUnreachable,
            StreamCut,
            "TLS failed: wrong version number; GATEWAY_URL may have to begin with http:",
        ),
        (
            VERIFY,
            GatewayUnreachable,
            StreamCut,
            "its certificate is not trusted: self-signed certificate; AWS_CA_BUNDLE may name who signed it",
        ),
        (
            HttpParserError("Invalid status"),
            GatewayUnreachable,
            StreamCut,
            "the answer is no HTTP: Invalid status",
        ),
        (TimeoutError("nothing came for 60 s"), GatewayTimeout, GatewayTimeout, "nothing came for 60 s"),
        (FrameError("the checksum is wrong"), GatewayUnreachable, StreamCut, "the checksum is wrong"),
        (AttributeError("out of a parser"), GatewayFailed, GatewayFailed, "out of a parser"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), GatewayFailed, GatewayFailed, None),
        (KeyError(), GatewayFailed, GatewayFailed, "KeyError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_exception_from_below_is_told_by_its_kind_and_its_time(
    failure: Exception, before: type[GatewayError], after: type[GatewayError], detail: str | None
) -> None:
    outcomes = [errors.from_failure(failure, is_answered=answered) for answered in (False, True)]
    assert [type(error) for error in outcomes] == [before, after]
    assert detail is None or {error.detail for error in outcomes} == {detail}
    assert "127.0.0.1" not in str(outcomes)


def test_our_own_errors_pass_through() -> None:
    cut = StreamCut("mine")
    assert errors.from_failure(cut, is_answered=True) is cut
