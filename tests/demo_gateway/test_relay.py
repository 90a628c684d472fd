"""The demo gateway with an upstream, over HTTP: an HTTP server that plays scripts."""

import http.client
import json
import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, EventStreamError
from pytest_django.fixtures import Settings

from conversations import demo_gateway as demo
from conversations.errors import ConfigurationError
from tests.demo_gateway.bedrock import MODEL, bedrock, message, stream, text_of
from tests.gateway.wire import Answer, End, WireServer, server_without_tls
from tests.protocol.messages import user
from tests.upstream.chunks import (
    DONE,
    SSE,
    calls,
    chunk,
    open_answer,
    piece,
    sse,
    stream_answer,
    text_answer,
    usage_chunk,
)

KEY = "sk-of-the-tests"


@pytest.fixture(scope="module")
def upstream() -> Iterator[WireServer]:
    with WireServer([text_answer("Hello")]) as server:
        yield server


@pytest.fixture
def gateway(upstream: WireServer) -> Iterator[demo.DemoGateway]:
    with closing(demo.start(upstream=demo.Upstream(f"{upstream.url}/v1", KEY))) as running:
        yield running


def posted(
    gateway: demo.DemoGateway, path: str = "converse-stream", **body: Any
) -> http.client.HTTPConnection:
    """A connection over which a request was sent."""
    connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=20)
    connection.request("POST", f"/model/m/{path}", json.dumps({"messages": [user("Hello?")], **body}))
    return connection


def test_an_answer_is_bedrocks(upstream: WireServer, client: Any) -> None:
    upstream.play(
        stream_answer(
            chunk(reasoning="hm"), chunk(content="Hel"), chunk("stop", content="lo"), usage_chunk(9, 4)
        )
    )
    events = stream(client, user("Hello?"))
    assert [next(iter(event)) for event in events[-2:]] == ["messageStop", "metadata"]
    assert text_of(events) == "Hello"
    assert events[-1]["metadata"]["usage"] == {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}
    request = upstream.wait()
    assert (request.path, request.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    body = json.loads(request.body)
    assert (body["model"], body["tools"][0]["function"]["name"]) == (MODEL, "top_song")


def test_a_call_is_a_tool_use(upstream: WireServer, client: Any) -> None:
    upstream.play(stream_answer(calls(piece(0, "top_song", '{"sign": "WZPZ"}', id="call_1")), chunk("stop")))
    stop, answer = message(stream(client, user("Hello?")))
    use = {"toolUseId": "call_1", "name": "top_song", "input": {"sign": "WZPZ"}}
    assert (stop, answer["content"]) == ("tool_use", [{"toolUse": use}])


def test_converse_has_the_answer_in_one(upstream: WireServer, client: Any) -> None:
    called = calls(piece(0, "a", "{}", id="1"), piece(1, "b", "broken", id="2"))
    upstream.play(
        stream_answer(chunk(reasoning="hm"), chunk(content="Hel"), chunk(content="lo"), called, chunk("stop"))
    )
    answer = client.converse(modelId="m", messages=[user("Hello?")])
    assert answer["stopReason"] == "tool_use"
    assert answer["output"]["message"]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm"}}},
        {"text": "Hello"},
        {"toolUse": {"toolUseId": "1", "name": "a", "input": {}}},
        {"toolUse": {"toolUseId": "2", "name": "b", "input": {}}},
    ]


def test_a_named_model_takes_the_place_of_the_one_that_was_asked_for(upstream: WireServer) -> None:
    upstream.play(text_answer("Hello"))
    server = demo.Upstream(f"{upstream.url}/v1/", model="qwen3:8b")
    with closing(demo.start(upstream=server)) as gateway, closing(bedrock(gateway.url)) as client:
        stream(client, user("Hello?"))
    request = upstream.wait()
    assert json.loads(request.body)["model"] == "qwen3:8b"
    assert "authorization" not in request.headers


def test_an_answer_in_json_is_read_too(upstream: WireServer, client: Any) -> None:
    whole = usage_chunk(9, 4) | {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
    upstream.play(Answer.error(200, whole), Answer.error(200, json.dumps(whole, indent=2).encode()))
    for _ in range(2):
        assert text_of(stream(client, user("Hello?"))) == "Hello"


def test_a_stream_that_calls_itself_json_is_passed_on_as_it_comes(upstream: WireServer, client: Any) -> None:
    further, name = threading.Event(), {"Content-Type": "application/json"}
    upstream.play(Answer.stream(*sse(chunk(content="Hello")), further, *sse(chunk("stop")), headers=name))
    with closing(client.converse_stream(modelId="m", messages=[user("Hello?")])["stream"]) as events:
        begun = [next(iter(events)) for _ in range(2)]
        further.set()
        assert text_of([*begun, *events]) == "Hello"


def test_an_error_in_json_under_a_good_status_is_its_refusal(upstream: WireServer, client: Any) -> None:
    upstream.play(Answer.error(200, {"error": {"message": "Slow down.", "code": 429}}))
    with pytest.raises(ClientError, match="Slow down") as caught:
        stream(client, user("Hello?"))
    assert caught.value.response["Error"]["Code"] == "429"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ValidationException"),
        (422, "ValidationException"),
        (401, "401"),
        (403, "403"),
        (404, "404"),
        (429, "429"),
        (503, "503"),
    ],
)
def test_a_refusal_is_the_gateways_or_bedrocks(
    upstream: WireServer, client: Any, status: int, code: str
) -> None:
    upstream.play(Answer.error(status, {"error": {"message": f"No, {KEY} is no key."}}))
    with pytest.raises(ClientError) as caught:
        stream(client, user("Hello?"))
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, "No, [redacted] is no key.")


def test_a_page_under_a_good_status_is_a_bad_gateway(upstream: WireServer, client: Any) -> None:
    upstream.play(Answer.error(200, b"<title>Sign in</title>", {"Content-Type": "text/html; charset=utf-8"}))
    with pytest.raises(ClientError, match="a web page: Sign in") as caught:
        stream(client, user("Hello?"))
    assert caught.value.response["Error"]["Code"] == "502"


def test_an_upstream_that_is_not_there_is_a_bad_gateway() -> None:
    with WireServer([]) as gone:
        nowhere = demo.Upstream(gone.url)
    with (
        closing(demo.start(upstream=nowhere)) as gateway,
        closing(bedrock(gateway.url)) as client,
        pytest.raises(ClientError, match="cannot be reached: connection refused") as caught,
    ):
        stream(client, user("Hello?"))
    assert caught.value.response["Error"]["Code"] == "502"


def test_an_upstream_over_tls_is_trusted_by_its_certificate(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WireServer([text_answer("Hello")], tls) as secure:
        untrusted = demo.Upstream(secure.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        for server, words in ((demo.Upstream(secure.url), ""), (untrusted, "its certificate is not trusted")):
            with closing(demo.start(upstream=server)) as gateway, closing(posted(gateway)) as connection:
                body = connection.getresponse().read().decode(errors="replace")
            assert words in body if words else "Hello" in body


def test_an_upstream_that_speaks_no_tls_is_told_as_that() -> None:
    with (
        server_without_tls() as url,
        closing(demo.start(upstream=demo.Upstream(url))) as gateway,
        closing(posted(gateway)) as connection,
    ):
        assert b"cannot be reached: TLS failed" in connection.getresponse().read()


def test_a_request_without_converses_shape_does_not_reach_the_upstream(
    upstream: WireServer, gateway: demo.DemoGateway
) -> None:
    upstream.play(text_answer("Hello"))
    with closing(posted(gateway, messages=[{"role": "user"}])) as connection:
        assert connection.getresponse().status == 400
    assert upstream.requests == []


def test_what_a_server_does_not_take_is_asked_for_otherwise_from_then_on(
    upstream: WireServer, client: Any
) -> None:
    words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    upstream.play(Answer.error(400, {"error": {"message": words}}), text_answer("Hello"))
    for _ in range(2):
        assert text_of(stream(client, user("Hello?"), inferenceConfig={"maxTokens": 9})) == "Hello"
    names = [
        json.loads(request.body).keys() & {"max_tokens", "max_completion_tokens"}
        for request in upstream.requests
    ]
    assert names == [{"max_tokens"}, {"max_completion_tokens"}, {"max_completion_tokens"}]


# -- streams that fail, stall, or are not read


def test_an_error_in_the_stream_is_an_exception(upstream: WireServer, client: Any) -> None:
    upstream.play(stream_answer(chunk(content="Hel"), {"error": {"message": f"{KEY} ran out of memory"}}))
    with pytest.raises(EventStreamError, match=r"\[redacted\] ran out of memory") as caught:
        stream(client, user("Hello?"))
    assert caught.value.response["Error"]["Code"] == "modelStreamErrorException"


@pytest.mark.parametrize(
    "answer",
    [
        stream_answer(chunk(content="Hello"), done=b""),
        Answer.stream(*sse(chunk(content="Hello")), headers=SSE, terminated=False, end=End.CLOSE),
        Answer.stream(*sse(chunk(content="Hello")), headers=SSE, terminated=False, end=End.RESET),
        Answer.plain(*sse(chunk(content="Hello")), headers=SSE),
    ],
    ids=["ended", "cut", "reset", "closed"],
)
def test_a_cut_answer_has_no_message_stop(upstream: WireServer, client: Any, answer: Answer) -> None:
    upstream.play(answer)
    events = stream(client, user("Hello?"))
    assert text_of(events) == "Hello"
    assert not any("messageStop" in event for event in events)


def test_an_answer_that_is_cut_behind_its_end_is_complete(upstream: WireServer, client: Any) -> None:
    end = sse(chunk("stop", content="Hello"))
    upstream.play(Answer.stream(*end, headers=SSE, terminated=False, end=End.CLOSE))
    events = stream(client, user("Hello?"))
    assert [next(iter(event)) for event in events[-2:]] == ["messageStop", "metadata"]


def test_deltas_are_passed_on_as_they_come(upstream: WireServer, client: Any) -> None:
    further = threading.Event()
    upstream.play(
        Answer.stream(
            *sse(chunk(content="Hel")), further, *sse(chunk("stop", content="lo")), DONE, headers=SSE
        )
    )
    events = client.converse_stream(modelId="m", messages=[user("Hello?")])["stream"]
    with closing(events):
        first = [next(iter(events)) for _ in range(2)]
        assert first[1]["contentBlockDelta"]["delta"] == {"text": "Hel"}
        further.set()
        assert [next(iter(event)) for event in events][-1] == "metadata"


@pytest.mark.parametrize(
    "answer",
    [Answer.silence(), open_answer(), open_answer(chunk(content="Hel"))],
    ids=["silent", "open", "begun"],
)
def test_a_caller_that_hangs_up_closes_the_upstreams_connection(
    upstream: WireServer, gateway: demo.DemoGateway, answer: Answer
) -> None:
    upstream.play(answer)
    with closing(posted(gateway)):
        request = upstream.wait()
        assert not request.hung_up.is_set()
    assert request.hung_up.wait(10)


def test_a_gateway_that_closes_closes_the_upstreams_connection(upstream: WireServer) -> None:
    upstream.play(Answer.silence())
    gateway = demo.start(upstream=demo.Upstream(upstream.url))
    with closing(posted(gateway)):
        request = upstream.wait()
        gateway.close()
        assert request.hung_up.wait(10)


class Reached(threading.Event):
    """A place in an answer; it is set once all before it was sent, and does not wait."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def test_a_caller_that_does_not_read_holds_the_upstream_back(
    upstream: WireServer, gateway: demo.DemoGateway, client: Any
) -> None:
    (long,), end = sse(chunk(content="word " * 20_000)), Reached()
    upstream.play(Answer.stream(*[long] * 600, end, headers=SSE), text_answer("Hello"))
    with closing(posted(gateway)) as connection:
        request = upstream.wait()
        connection.getresponse().read(1000)
        for _ in range(5):  # in the time of which all of it would be here
            assert text_of(stream(client, user("Hello?"))) == "Hello"
        assert not end.is_set()
    assert request.hung_up.wait(10)


def test_a_connection_takes_the_next_request_after_an_answer_and_a_refusal(
    upstream: WireServer, gateway: demo.DemoGateway
) -> None:
    upstream.play(text_answer("Hello"), Answer.error(401, {"error": "No."}), text_answer("Hello"))
    with closing(posted(gateway)) as connection:
        statuses = []
        for _ in range(3):
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
            connection.request("POST", "/model/m/converse-stream", json.dumps({"messages": [user("Hello?")]}))
    assert statuses == [200, 401, 200]


# -- what is said of it


def test_the_key_is_in_no_log(upstream: WireServer, client: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for logger in ("urllib3", "conversations"):
        caplog.set_level(logging.DEBUG, logger)
    upstream.play(text_answer("Hello"), Answer.error(401, {"error": f"{KEY} is no key."}))
    stream(client, user("Hello?"))
    with pytest.raises(ClientError):
        stream(client, user("Hello?"))
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "url",
    ["localhost:11434/v1", "ftp://a/v1", "http://", "http://a:b@c/v1", "http://a/v1?key=b", "http://a:0"],
)
def test_a_url_that_is_none_is_refused_by_the_name_of_its_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="UPSTREAM_URL"):
        demo.Upstream(url)


def test_the_embedded_gateway_has_the_upstream_of_the_settings(
    upstream: WireServer, settings: Settings
) -> None:
    settings.UPSTREAM_URL, settings.UPSTREAM_API_KEY, settings.UPSTREAM_MODEL = (
        f"{upstream.url}/v1",
        KEY,
        "qwen3:4b",
    )
    upstream.play(text_answer("Hello"))
    with closing(demo.embedded()) as gateway, closing(bedrock(gateway.url)) as client:
        assert text_of(stream(client, user("Hello?"))) == "Hello"
    request = upstream.wait()
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.body)["model"] == "qwen3:4b"


def test_without_an_upstream_the_embedded_gateway_answers_itself() -> None:
    with closing(demo.embedded()) as gateway:
        assert gateway.upstream is None
