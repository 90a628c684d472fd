"""Answers of an upstream that are none, as the gateway says them."""

import json
from typing import Any

import pytest

from conversations.upstream import dialect, refusals

OVERFLOW = "Input is too long for requested model."


def refusal_of(status: int, body: Any, **headers: str) -> refusals.Refused:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusals.from_response(status, headers, data)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "Incorrect key", "type": "invalid_request_error"}}, "Incorrect key"),
        ({"error": "Incorrect key"}, "Incorrect key"),
        ({"object": "error", "message": "Incorrect key", "code": 401}, "Incorrect key"),
        ({"detail": "Incorrect key"}, "Incorrect key"),
        ({"detail": [{"loc": ["body", "tools"], "msg": "Field required"}]}, "body.tools: Field required"),
        ({"error": {"message": {"message": "Incorrect key"}}}, "Incorrect key"),
        (b"Incorrect key\n", "Incorrect key"),
        (b"<html><title>Sign in</title>", "The upstream sent a web page: Sign in"),
        (b"", "The upstream answered with HTTP 401."),
        ([1], "1"),
        ({}, "The upstream answered with HTTP 401."),
    ],
)
def test_a_refusal_keeps_the_upstreams_words(body: Any, message: str) -> None:
    assert (refusal_of(401, body).status, refusal_of(401, body).message) == (401, message)


@pytest.mark.parametrize("status", [400, 403, 404, 408, 413, 422, 429, 500, 503])
def test_a_refusal_keeps_its_status(status: int) -> None:
    assert refusal_of(status, {"error": {"message": "No.", "code": 499}}).status == status


def test_a_refusal_keeps_how_long_to_wait() -> None:
    assert refusal_of(429, {}, **{"retry-after": "7", "x-other": "1"}).headers == {"retry-after": "7"}


@pytest.mark.parametrize("status", [400, 413, 500])
@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"message": "too big", "type": "exceed_context_size_error"}, f"{OVERFLOW} too big"),
        ({"message": "too big", "code": "context_length_exceeded"}, f"{OVERFLOW} too big"),
        (
            {"message": "This model's maximum context length is 8 tokens."},
            "This model's maximum context length is 8 tokens.",
        ),
    ],
)
def test_an_overflow_is_one_in_bedrocks_words(status: int, error: Any, message: str) -> None:
    answer = refusal_of(status, {"error": error})
    assert (answer.status, answer.message) == (400, message)


def test_an_error_under_a_good_status_has_its_own_or_is_a_bad_gateway() -> None:
    assert refusal_of(200, {"error": {"message": "No.", "code": 429}}).status == 429
    assert refusal_of(200, b"<title>Sign in</title>").status == 502


def test_a_wrong_address_is_named_as_the_setting_that_it_is() -> None:
    assert (refusal_of(307, b"").status, refusal_of(404, b"404 page not found").status) == (404, 404)
    assert "UPSTREAM_URL" in refusal_of(307, b"").message
    assert "UPSTREAM_URL" in refusal_of(404, b"404 page not found").message
    assert refusal_of(404, {"error": {"message": "model not found"}}).message == "model not found"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            {"max_completion_tokens": 9, "stream_options": {}},
        ),
        ("Unknown parameter: stream_options", {"max_tokens": 9}),
    ],
)
def test_what_a_server_does_not_take_is_learned_from_its_refusal(words: str, expected: Any) -> None:
    request = {"max_tokens": 9, "stream_options": {}}
    name = dialect.lesson(400, words, request)
    assert name
    assert dialect.adapted(request, {name}) == expected
    assert dialect.lesson(400, words, expected) is None
    assert dialect.lesson(500, words, request) is None
