"""Our own exceptions for failures of HTTP, frames, sockets and TLS."""

import html
import http.client
import json
import math
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

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
from conversations.gateway.frames import Frame, FrameError
from conversations.protocol.converse import refusals, remedies
from conversations.protocol.text import beginning, clean_text

MESSAGE_LIMIT = 2000
LONGEST_WAIT = 60.0
"""Seconds: a gateway that asks for a longer wait gets no further attempt, and the person reads of it."""

_BY_STATUS: dict[int, type[GatewayError]] = {
    401: GatewayRefused,
    403: GatewayRefused,
    404: GatewayRefused,
    408: GatewayTimeout,
    429: GatewayThrottled,
}
_BY_EXCEPTION: dict[str, type[GatewayError]] = {
    "throttlingexception": GatewayThrottled,
    "validationexception": InvalidRequest,
}
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_OF_KEYS = re.compile(
    r"no connected db|authentication error|proxy server token|budget has been exceeded"
    r"|\b(?:no|invalid|missing|incorrect|expired|malformed) (?:api|virtual|proxy)[ _-]?key\b",
    re.IGNORECASE,
)
"""The words of LiteLLM's proxy about a missing, unknown or used up key, with 400; others send 401."""

_KONG_BODY_LIMIT = 8192
_KONG_BODY_WORDS = "content-type header does not match request body"


def from_response(status: int, headers: Mapping[str, str], body: bytes, sent: int) -> GatewayError:
    """The error of an HTTP response of 300 and over to a request of `sent` bytes."""
    detail, wait = body_message(body) or _code(headers) or _phrase(status), retry_after(headers)
    throttled = _code(headers).lower() == "throttlingexception"
    kind = GatewayThrottled if throttled else _BY_STATUS.get(status) or _by_text(status, detail)
    sentence = "; ".join([detail, *_hints(status, headers, detail, sent)])
    error = _with_refusal(
        kind(sentence, status=status, request_id=request_id(headers), retry_after=wait), detail
    )
    error.is_page = _is_page(body)
    may_pass = kind is GatewayThrottled or (kind is GatewayFailed and status >= 500)
    error.is_retryable = may_pass and (wait or 0) <= LONGEST_WAIT
    return error


def _with_refusal(error: GatewayError, words: str) -> GatewayError:
    """The error with its words, and the refusal that they express if a changed request may help.

    For a failure of the gateway they have to name a part of the request; under 403 its content or its cache points.
    """
    error.words, refusal = words, refusals.refusal(words)
    if isinstance(error, InvalidRequest | GatewayRefused):
        error.hint = refusals.hint(words)
    match error:
        case InvalidRequest() | ContextOverflow():
            error.refusal = refusal
        case GatewayRefused():
            is_mendable = error.status == 403 and refusal.cause in ("content", "cache")
            error.refusal = refusal if is_mendable else None
        case GatewayFailed() | StreamError():
            error.refusal = refusal if refusal.cause in remedies.ORDER else None
    return error


def _hints(status: int, headers: Mapping[str, str], detail: str, sent: int) -> Iterator[str]:
    """Sentences that may help an operator, beside those of the response."""
    if status < 400 and headers.get("location"):
        yield "it sends on to another address: GATEWAY_URL may have to be that one"
    if status == 400 and sent > _KONG_BODY_LIMIT and _KONG_BODY_WORDS in detail:
        yield f"the request has {sent} bytes: the gateway's max_request_body_size may be smaller"
    if (wait := retry_after(headers) or 0) > LONGEST_WAIT:
        yield f"it asks to wait {math.ceil(wait / 60)} minutes"


def from_frame(frame: Frame) -> GatewayError:
    """The error of an `exception` or `error` frame."""
    detail = body_message(frame.payload) or _short(str(frame.headers.get(":error-message", ""))) or frame.name
    kind = _BY_EXCEPTION.get(frame.name.lower(), StreamError)
    if kind is not GatewayThrottled and refusals.is_overflow(detail):
        kind = ContextOverflow
    return _with_refusal(kind(detail), detail)


def from_failure(error: Exception, *, is_answered: bool) -> GatewayError:
    """The error of an exception, before or after the response's headers were there."""
    if isinstance(error, GatewayError):
        return error
    if isinstance(error, TimeoutError):
        return GatewayTimeout(_words(error))
    if isinstance(error, FrameError | HttpParserError | OSError):
        return StreamCut(_words(error)) if is_answered else unreachable(error)
    return GatewayFailed(_words(error))


def unreachable(error: Exception) -> GatewayUnreachable:
    """The error of a connection that failed, or that carried no response."""
    return GatewayUnreachable(_words(error))


def not_a_stream(status: int, body: bytes) -> GatewayError:
    """The error of a response that is no event stream though its status is good."""
    error = GatewayFailed(body_message(body) or "the answer is no event stream", status=status)
    error.is_page = _is_page(body)
    return error


def request_id(headers: Mapping[str, str]) -> str:
    """The id that Bedrock, or else Kong, gave the request; empty if neither did."""
    return headers.get("x-amzn-requestid") or headers.get("x-kong-request-id") or ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a Retry-After header asks for, in a number or a date (RFC 9110, 10.2.3)."""
    value = (headers.get("retry-after") or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def body_message(body: bytes) -> str:
    """A body's message: AWS's `message`, the AI plugins' `error.message`, plain text, or a page's title."""
    text = body.decode(errors="replace").strip()
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        return ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _plain(text)
    return _short(_message(value) or (text if value else ""))


def _message(value: object) -> str:
    """The message of an error, however deep: LiteLLM's proxy quotes Bedrock's in its own."""
    for _ in range(6):
        if isinstance(value, str) and value.startswith("{"):
            value = _parsed(value)
        if isinstance(value, dict):
            value = next(
                (value[key] for key in ("message", "Message", "error", "detail") if value.get(key)), ""
            )
        elif isinstance(value, list):
            value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def _parsed(text: str) -> object:
    """The error in a text of JSON; the text itself where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if _message(value) else text


def _is_page(body: bytes) -> bool:
    """Whether a body is a web page with a title, whose words are not meant for the chat's user."""
    return body.lstrip().startswith(b"<") and _TITLE.search(body.decode(errors="replace")) is not None


def _plain(text: str) -> str:
    title = _TITLE.search(text)
    if title:
        text = title[1]
    elif text.startswith("<"):
        text = re.sub(r"<[^>]*>", " ", text)
    return _short(html.unescape(text))


def _short(text: str) -> str:
    return beginning(" ".join(clean_text(text).split()), MESSAGE_LIMIT)


def _by_text(status: int, detail: str) -> type[GatewayError]:
    if status >= 400 and refusals.is_overflow(detail):
        return ContextOverflow
    if status == 400 and _OF_KEYS.search(detail):
        return GatewayRefused
    if status == 424:  # the model failed, says Bedrock
        return StreamError
    return InvalidRequest if 400 <= status < 500 else GatewayFailed


def _code(headers: Mapping[str, str]) -> str:
    """The error's name: `ValidationException` of `ValidationException:http://internal.amazon.com/...`."""
    return (headers.get("x-amzn-errortype") or "").partition(":")[0]


def _phrase(status: int) -> str:
    return f"HTTP {status} {http.client.responses.get(status, '')}".strip()


def _words(error: Exception) -> str:
    return _short(_reason(error)) or type(error).__name__


def _reason(error: Exception) -> str:
    """The reason without the numbers, addresses and line numbers of OpenSSL's source that Python adds."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}; AWS_CA_BUNDLE may name who signed it"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "").replace("_", " ").lower()
        return f"TLS failed: {reason}; GATEWAY_URL may have to begin with http:"
    if isinstance(error, HttpParserError):
        return f"the answer is no HTTP: {error}"
    if isinstance(error, OSError) and error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or str(error)
