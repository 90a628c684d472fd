"""Refusals and failures of an upstream, in the words of Bedrock."""

import json
import re
from collections.abc import Mapping
from typing import Any

from conversations.protocol.converse.refusals import is_overflow

MESSAGE_LIMIT = 2000
TOO_LONG = "Input is too long for requested model."
OVERFLOWS = re.compile(r"context_size|context_length|context_window|exceed_context", re.IGNORECASE)
THROTTLES = re.compile(r"rate_?limit|throttl|too_many_requests|overloaded", re.IGNORECASE)
PASSED_ON = ("retry-after",)
BASE_URL = "UPSTREAM_URL has to be the base URL, which often ends with /v1"


class Refused(Exception):
    """A request that gets no stream: an HTTP status, a sentence, headers to pass on."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


class StreamFailure(Exception):
    """An error in the middle of a stream: the name and message of an exception frame."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name, self.message = name, message


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """The refusal of an upstream's response without a stream."""
    error = _error(body)
    message = _message(error) or f"The upstream answered with HTTP {status}."
    if _is_overflow(error, message):
        return Refused(400, _overflow(message))
    passed = {name: headers[name] for name in PASSED_ON if headers.get(name)}
    if 300 <= status < 400:
        return Refused(404, "The upstream sends on to another address: UPSTREAM_URL may have to be that one.")
    if status < 300:  # a page, or an error under a good status
        return Refused(_status(error) or 502, message)
    if status == 404:
        message = f"{message} ({BASE_URL})" if not isinstance(error, dict) else message
    return Refused(status, message, passed)


def from_chunk(error: Any) -> StreamFailure:
    """The failure of an error inside a stream."""
    message = _message(error) or "The upstream failed while it was answering."
    if _is_overflow(error, message):
        return StreamFailure("validationException", _overflow(message))
    if _status(error) == 429 or THROTTLES.search(_kinds(error)):
        return StreamFailure("throttlingException", message)
    return StreamFailure("modelStreamErrorException", message)


def _error(body: bytes) -> Any:
    """The error in a body: an object if it has one, else its text."""
    text = body.decode(errors="replace").strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return f"The upstream sent a web page: {title[1].strip()}" if title else text
    return value.get("error") or value if isinstance(value, dict) else value


def _message(error: Any) -> str:
    """An error's sentence: from OpenAI's object, from FastAPI's `detail`, or the error itself as text."""
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or error.get("error") or error.get("msg") or ""
    if isinstance(error, list):
        error = "; ".join(filter(None, map(_fault, error)))
    text = error if isinstance(error, str) else _message(error) if isinstance(error, dict) else ""
    return " ".join(text.split())[:MESSAGE_LIMIT]


def _fault(fault: Any) -> str:
    """One of FastAPI's faults as a sentence, with its location."""
    if not isinstance(fault, dict):
        return str(fault)
    path = ".".join(map(str, fault.get("loc") or ()))
    return f"{path}: {fault.get('msg', '')}" if path else _message(fault)


def _kinds(error: Any) -> str:
    """The words with which an error names its kind."""
    return (
        " ".join(str(error.get(name) or "") for name in ("type", "code")) if isinstance(error, dict) else ""
    )


def _status(error: Any) -> int | None:
    """The HTTP status that an error names, None without one."""
    members = error if isinstance(error, dict) else {}
    values = [str(members.get(name)) for name in ("code", "status", "status_code")]
    return next((int(value) for value in values if re.fullmatch(r"[45]\d\d", value)), None)


def _is_overflow(error: Any, message: str) -> bool:
    return OVERFLOWS.search(_kinds(error)) is not None or is_overflow(message)


def _overflow(message: str) -> str:
    """The message, after Bedrock's words unless it says by itself that the input is too long."""
    return message if is_overflow(message) else f"{TOO_LONG} {message}"
