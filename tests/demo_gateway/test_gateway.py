"""The demo gateway over HTTP, asked with the real boto3 and with plain sockets."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError, ReadTimeoutError
from urllib3.exceptions import ProtocolError
from urllib3.exceptions import ReadTimeoutError as StreamTimeout

from conversations import demo_gateway as demo
from conversations.errors import ConfigurationError
from tests.demo_gateway.bedrock import MODEL, TOOL_CONFIG, bedrock, message, stream, text_of
from tests.protocol.messages import user

QUESTION = "What is the most popular song on WZPZ?"


@pytest.fixture(scope="module")
def gateway() -> Iterator[demo.DemoGateway]:
    with closing(demo.start(pace=0)) as running:
        yield running


def ask(client: Any, text: str) -> list[Any]:
    return stream(client, user(text))


def test_the_published_example_comes_to_its_end(client: Any) -> None:
    messages = [user(QUESTION)]
    stop, first = message(stream(client, *messages))
    assert stop == "tool_use"
    use = first["content"][-1]["toolUse"]
    assert (use["name"], use["input"]) == ("top_song", {"sign": "WZPZ"})
    song = {"json": {"song": "Elemental Hotel", "artist": "8 Storey Hike"}}
    answered = {
        "role": "user",
        "content": [{"toolResult": {"toolUseId": use["toolUseId"], "content": [song]}}],
    }
    stop, second = message(stream(client, *messages, first, answered))
    assert stop == "end_turn"
    assert second["content"] == [
        {"text": 'The most popular song on WZPZ is "Elemental Hotel" by 8 Storey Hike.'}
    ]


def test_usage_is_told_after_the_end(client: Any) -> None:
    *_, stop, metadata = ask(client, "hello")
    assert "messageStop" in stop
    usage = metadata["metadata"]["usage"]
    assert usage["inputTokens"] > 50
    assert usage["outputTokens"] > 10
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert metadata["metadata"]["metrics"]["latencyMs"] > 0


def test_the_headers_are_kongs_round_bedrocks(client: Any) -> None:
    answer = client.converse_stream(modelId=MODEL, messages=[user("hello")])
    list(answer["stream"])
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-kong-llm-model"] == f"bedrock/{MODEL}"
    assert headers["via"].startswith("1.1 kong/3.")
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert headers["transfer-encoding"] == "chunked"
    assert {"x-kong-upstream-latency", "x-kong-proxy-latency", "x-kong-request-id"} <= headers.keys()
    assert answer["ResponseMetadata"]["RequestId"]


def test_any_prefix_and_any_model_id_will_do(gateway: demo.DemoGateway) -> None:
    model = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.some/model"
    with closing(bedrock(f"{gateway.url}/bedrock/v1/")) as client:
        assert f"Model: `{model}`" in text_of(stream(client, user("show the conversation"), model=model))


def test_a_connection_is_kept_for_the_next_request(gateway: demo.DemoGateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port)
    with closing(connection):
        for _ in range(3):
            assert post(connection, {"messages": [user("hello")]})[0] == 200
            first_socket = connection.sock
        assert post(connection, {})[0] == 400
        assert connection.sock is first_socket


def test_converse_gives_the_same_answer_whole(client: Any) -> None:
    answer = client.converse(modelId=MODEL, messages=[user(QUESTION)], toolConfig=TOOL_CONFIG)
    assert answer["stopReason"] == "tool_use"
    assert answer["output"]["message"]["content"][-1]["toolUse"]["input"] == {"sign": "WZPZ"}
    assert answer["usage"]["totalTokens"] > 50
    assert "latencyMs" in answer["metrics"]


@pytest.mark.parametrize(
    "phrase", [phrase for phrase in demo.phrases.PHRASES if not phrase.fails], ids=lambda phrase: phrase.say
)
def test_boto3_reads_everything_that_is_shown(client: Any, phrase: Any) -> None:
    events = ask(client, phrase.say.replace("NAME", "end_turn"))
    assert any("messageStop" in event for event in events)
    whole = client.converse(modelId=MODEL, messages=[user(phrase.say)], toolConfig=TOOL_CONFIG)
    assert whole["output"]["message"]["role"] == "assistant"


@pytest.mark.parametrize(
    ("phrase", "status", "code", "text"),
    [
        ("fail throttled", 429, "ThrottlingException", "Too many requests, please wait before trying again."),
        ("fail rate limit", 429, "429", "API rate limit exceeded"),
        ("fail refused", 403, "403", "You cannot consume this service"),
        ("fail key", 401, "401", "No API key found in request"),
        ("fail gateway", 502, "502", "An invalid response was received from the upstream server"),
        (
            "fail unavailable",
            503,
            "ServiceUnavailableException",
            "The service is busy. Try your request again.",
        ),
        ("fail plugin", 400, "400", ""),
        ("fail overflow", 400, "ValidationException", "Input is too long for requested model."),
        (
            "fail invalid",
            400,
            "ValidationException",
            "Malformed input request, please reformat your input and try again.",
        ),
    ],
)
def test_a_failure_is_what_boto3_takes_it_for(
    client: Any, phrase: str, status: int, code: str, text: str
) -> None:
    with pytest.raises(ClientError) as error:
        ask(client, phrase)
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["Error"]["Message"] == text
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_rate_limit_says_when_to_come_back(client: Any) -> None:
    with pytest.raises(ClientError) as error:
        ask(client, "fail rate limit")
    assert error.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"


@pytest.mark.parametrize(
    ("phrase", "code", "early"),
    [
        ("fail stream", "modelStreamErrorException", False),
        ("fail throttled in stream", "throttlingException", True),
        ("fail overflow in stream", "validationException", True),
        ("fail unavailable in stream", "serviceUnavailableException", False),
        ("fail internal in stream", "internalServerException", False),
        ("fail error in stream", "InternalError", False),
    ],
)
def test_an_exception_comes_in_the_stream(client: Any, phrase: str, code: str, early: bool) -> None:
    answer = client.converse_stream(modelId=MODEL, messages=[user(phrase)])
    received: list[Any] = []
    with closing(answer["stream"]) as events, pytest.raises(EventStreamError) as error:
        received.extend(iter(events))
    assert error.value.response["Error"]["Code"] == code
    assert bool(received) != early


@pytest.mark.parametrize("phrase", ["fail cut", "fail half a frame"])
def test_a_cut_stream_ends_without_a_word(client: Any, phrase: str) -> None:
    events = ask(client, phrase)
    assert text_of(events)
    assert not any("messageStop" in event for event in events)


@pytest.mark.parametrize(
    ("phrase", "error"), [("fail dropped", ProtocolError), ("fail checksum", ChecksumMismatch)]
)
def test_a_broken_stream_breaks(client: Any, phrase: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(client, phrase)


def test_no_answer_at_all_is_a_closed_connection(client: Any) -> None:
    with pytest.raises(ConnectionClosedError):
        ask(client, "fail unreachable")


def test_silence_lasts_until_the_client_gives_up(gateway: demo.DemoGateway) -> None:
    with closing(bedrock(gateway.url, timeout=1)) as client:
        with pytest.raises(ReadTimeoutError):
            ask(client, "fail timeout")
        with pytest.raises(StreamTimeout):
            ask(client, "fail silent")


def test_what_fails_once_is_answered_the_second_time(client: Any) -> None:
    for _ in range(2):
        with pytest.raises(ClientError, match="502"):
            ask(client, "fail gateway once")
        assert "second try" in text_of(ask(client, "fail gateway once"))


def test_an_invalid_request_is_refused_by_bedrock(client: Any) -> None:
    with pytest.raises(client.exceptions.ValidationException, match="must start with a user message"):
        stream(client, {"role": "assistant", "content": [{"text": "hi"}]})


def test_an_invalid_model_is_refused_by_bedrock(client: Any) -> None:
    with pytest.raises(
        client.exceptions.ValidationException, match=r"The provided model identifier is invalid\."
    ):
        stream(client, user("hi"), model="invalid.model")


def post(
    connection: http.client.HTTPConnection, body: Any, path: str = f"/model/{MODEL}/converse"
) -> tuple[int, Any]:
    sent = body if isinstance(body, str) else json.dumps(body)
    connection.request("POST", path, sent, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_another_address_or_method_has_no_route(gateway: demo.DemoGateway, method: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.port)) as connection:
        connection.request(method, f"/model/{MODEL}/{'invoke' if method == 'POST' else 'converse'}", "{}")
        answer = connection.getresponse()
        body = json.loads(answer.read())
    assert answer.status == 404
    assert body == {
        "message": "no Route matched with those values",
        "request_id": answer.getheader("X-Kong-Request-Id"),
    }
    assert answer.getheader("X-Kong-Response-Latency")
    assert not answer.getheader("X-Kong-Upstream-Latency")


@pytest.mark.parametrize("body", ["", "{", "[]", '"hi"'])
def test_a_body_that_is_no_json_object_is_the_plugins_400(gateway: demo.DemoGateway, body: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.port)) as connection:
        status, answer = post(connection, body)
    assert status == 400
    assert answer == {
        "error": {"message": "content-type header does not match request body, or bad JSON formatting"}
    }


def test_half_a_character_in_a_question_does_no_harm(client: Any) -> None:
    assert "You wrote" in text_of(ask(client, "half \ud83d"))


def test_a_model_id_cannot_write_headers(gateway: demo.DemoGateway) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.port)) as connection:
        connection.request(
            "POST", "/model/a%0d%0aX-Evil:%20b/converse", json.dumps({"messages": [user("hi")]})
        )
        answer = connection.getresponse()
        answer.read()
    assert answer.getheader("X-Evil") is None
    assert answer.getheader("X-Kong-LLM-Model") == "bedrock/a??X-Evil:?b"


def test_a_very_long_word_is_answered_at_once(client: Any) -> None:
    started = time.monotonic()
    ask(client, "song " + "a" * 99_000)
    ask(client, '"' * 99_000)
    assert time.monotonic() - started < 10


def opened(url: str, text: str) -> socket.socket:
    """A connection on which a streaming request has been sent."""
    parts = urlsplit(url)
    assert parts.port
    connection = socket.create_connection(("127.0.0.1", parts.port), timeout=20)
    body = json.dumps({"messages": [user(text)]}).encode()
    head = f"POST /model/m/converse-stream HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def test_text_arrives_while_it_is_being_written() -> None:
    with closing(demo.start(pace=0.3)) as slow, closing(bedrock(slow.url)) as client:
        answer = client.converse_stream(modelId=MODEL, messages=[user("show markdown")])
        times = [time.monotonic() for _ in answer["stream"]]
    assert times[-1] - times[0] > 0.2, "not all at the end"


def test_a_client_that_hangs_up_is_noticed() -> None:
    with closing(demo.start()) as slow:
        for question in ("show a long answer", "fail timeout"):
            with closing(opened(slow.url, question)):
                eventually(lambda: slow.connections == 1)
            eventually(lambda: slow.connections == 0)


def test_closing_ends_what_is_being_sent() -> None:
    slow = demo.start()
    with closing(opened(slow.url, "show a long answer")) as connection:
        received = [connection.recv(100)]
        slow.close()
        while received[-1]:
            received.append(connection.recv(65536))
    assert not b"".join(received).endswith(b"0\r\n\r\n")
    slow.close()


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_many_streams_run_at_once() -> None:
    with closing(demo.start(pace=0.2)) as slow:
        connections = [opened(slow.url, "hello") for _ in range(40)]
        started = time.monotonic()
        for connection in connections:
            with closing(connection):
                while not connection.recv(65536).endswith(b"0\r\n\r\n"):
                    pass
        assert time.monotonic() - started < 10, "not one after the other"


def test_a_port_in_use_is_one_clear_sentence(gateway: demo.DemoGateway) -> None:
    with pytest.raises(ConfigurationError) as error:
        demo.start(port=gateway.port)
    assert str(error.value) == f"Port {gateway.port} of 127.0.0.1 is already in use."


def test_a_port_that_cannot_be_had_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="cannot be listened on"):
        demo.start(port=70_000)


def test_a_prefix_that_ends_at_a_cache_point_is_read_from_the_cache_the_next_time(client: Any) -> None:
    point = {"cachePoint": {"type": "default"}}
    content = [{"text": "Hello. " * 100}, point]
    first = usage_of(client, messages=[{"role": "user", "content": content}])
    assert (first["cacheReadInputTokens"], first["inputTokens"]) == (0, 0)
    assert first["cacheWriteInputTokens"] > 150
    later = [{"role": "assistant", "content": [{"text": "Yes?"}]}, user("And now?")]
    second = usage_of(client, messages=[{"role": "user", "content": content}, *later])
    assert second["cacheReadInputTokens"] == first["cacheWriteInputTokens"]
    assert (second["cacheWriteInputTokens"], second["inputTokens"] > 5) == (0, True)
    parts = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    assert second["totalTokens"] == sum(second[name] for name in parts)
    assert (
        usage_of(client, MODEL + ":other", messages=[{"role": "user", "content": content}])[
            "cacheReadInputTokens"
        ]
        == 0
    )
    assert "cacheReadInputTokens" not in usage_of(client, messages=[user("Hello.")])


def usage_of(client: Any, model: str = MODEL, **request: Any) -> dict[str, int]:
    """The usage of an answer."""
    usage: dict[str, int] = client.converse(modelId=model, **request)["usage"]
    return usage
