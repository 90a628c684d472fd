"""What is sent: the body as it is, the path, the signature, our headers."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conversations.errors import InvalidRequest
from tests.gateway.calls import BODY, MODEL, Wire, outcome_of, talking
from tests.gateway.wire import Answer, answer_frames

FRAMES = answer_frames("Hello", " world")


ODD_BODIES: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": "aGk="}}}]}]},
    {"messages": [{"role": "assistant", "content": [{"reasoningContent": {"redactedContent": "QUJD"}}]}]},
    {
        "messages": [
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "a", "name": "b", "input": "[bytes"}}],
            }
        ]
    },
    {"messages": [{"role": "user", "content": [{"text": "\ud83d \u0000 é \U0001f600"}]}]},
    {"messages": [], "newMember": {"since": "tomorrow"}, "additionalModelRequestFields": None},
    {"inferenceConfig": {"maxTokens": 0, "temperature": 1.0, "topP": 1}},
    {},
]


@pytest.mark.parametrize("body", ODD_BODIES)
def test_the_body_is_sent_as_the_json_that_it_is(wire: Wire, body: dict[str, Any]) -> None:
    wire.server.play(Answer.stream(*FRAMES))
    call = wire.gateway.call(MODEL, body, {})
    assert call.request_sha256 == hashlib.sha256(json.dumps(body).encode()).hexdigest()
    assert outcome_of(call).error is None
    [request] = wire.server.requests
    assert request.body == json.dumps(body).encode()
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}])
def test_a_body_that_is_no_json_is_refused_before_it_is_sent(wire: Wire, value: object) -> None:
    result = wire.outcome(Answer.stream(*FRAMES), body={"messages": [value]})
    assert type(result.error) is InvalidRequest
    assert wire.server.requests == []


def test_a_request_without_a_model_is_refused(wire: Wire) -> None:
    with pytest.raises(InvalidRequest):
        wire.gateway.call("", BODY, {})


@pytest.mark.parametrize(
    ("path", "model", "expected"),
    [
        ("", MODEL, "/model/cohere.command-r-v1%3A0/converse-stream"),
        ("/bedrock/v1", "a/b", "/bedrock/v1/model/a%2Fb/converse-stream"),
        ("/bedrock/v1/", "../x", "/bedrock/v1/model/..%2Fx/converse-stream"),
    ],
)
def test_the_path_is_the_routes_and_the_models(path: str, model: str, expected: str) -> None:
    with talking(Answer.stream(*FRAMES), path=path) as wire:
        assert outcome_of(wire.gateway.call(model, BODY, {})).error is None
        assert wire.server.requests[0].path == expected


def test_a_gateway_may_be_at_an_ipv6_address() -> None:
    with talking(Answer.stream(*FRAMES), host="::1") as wire:
        assert outcome_of(wire.call()).error is None


def test_a_request_is_signed_with_the_keys_of_the_settings() -> None:
    with talking(Answer.stream(*FRAMES), access_key="me", region="eu-west-1") as wire:
        outcome_of(wire.call())
        signature = wire.server.requests[0].headers["authorization"]
        assert signature.startswith("AWS4-HMAC-SHA256 Credential=me/")
        assert "/eu-west-1/bedrock/aws4_request" in signature


def sent_headers(labels: dict[str, str], *headers: tuple[str, str]) -> dict[str, str]:
    with talking(Answer.stream(*FRAMES), headers=headers) as wire:
        outcome_of(wire.call(**labels))
        return wire.server.requests[0].headers


def test_extra_headers_are_sent_with_the_labels_filled_in() -> None:
    labels = {"user": "Jenn", "conversation": "c1", "turn": "t1"}
    headers = sent_headers(
        labels,
        ("apikey", "k{ey}"),
        ("X-Who", "{user}/{conversation}/{turn}/{other}"),
        ("Authorization", "Bearer b"),
    )
    assert headers["apikey"] == "k{ey}"
    assert headers["x-who"] == "Jenn/c1/t1/{other}"
    assert headers["authorization"] == "Bearer b"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("a@b.example+1", "a@b.example+1"),
        ("x\r\nX-Admin: 1", "x%0D%0AX-Admin: 1"),
        ("Łukasz", "%C5%81ukasz"),
        ("100%", "100%25"),
        ("{turn}", "{turn}"),
        ("\\1\x7f", "\\1%7F"),
    ],
)
def test_a_label_cannot_break_out_of_its_header(user: str, expected: str) -> None:
    assert sent_headers({"user": user, "turn": "t"}, ("X-User", "{user}"))["x-user"] == expected


def test_calls_at_the_same_time_keep_their_bodies_and_labels_apart() -> None:
    def ask(number: int) -> bool:
        call = wire.call({"messages": [], "number": number}, user=str(number))
        error = outcome_of(call).error
        sent = next(request for request in wire.server.requests if request.headers["x-user"] == str(number))
        return error is None and json.loads(sent.body)["number"] == number

    with talking(Answer.stream(*FRAMES), headers=(("X-User", "{user}"),), connections=8) as wire:
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(ask, range(40)))
        assert len(wire.server.requests) == 40
        assert max(request.connection for request in wire.server.requests) <= 8
