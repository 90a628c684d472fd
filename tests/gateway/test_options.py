"""What the settings make of the gateway, and what cannot work."""

from typing import Any

import pytest

from conversations import demo_gateway as demo
from conversations.errors import ConfigurationError
from conversations.gateway import Gateway, endpoint, get_gateway, is_demo
from conversations.gateway.options import Options
from tests.gateway.calls import BODY, MODEL, outcome_of, talking
from tests.gateway.wire import Answer, WireServer, answer_frames

FRAMES = answer_frames("Hello")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "//localhost",
        "ftp://localhost",
        "http://",
        "http://[::1",
        "http://localhost:port",
        "http://localhost:0",
        "http://localhost:99999",
        "http://local host",
        "http://localhost/a b",
        " http://localhost",
    ],
)
def test_an_address_that_is_none_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^GATEWAY_URL must be an http or https address, such as [^ ]*\.$"
    ):
        Options(url)


@pytest.mark.parametrize("rest", ["user:pw@host", "user@host", "host/?key=pw", "host/#pw"])
def test_an_address_with_secrets_or_ends_is_refused_without_repeating_it(rest: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^GATEWAY_URL takes no user") as error:
        Options(f"http://{rest}")
    assert "pw" not in str(error.value)


def test_an_address_that_botocore_refuses_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_URL or AWS_REGION cannot be used"):
        Gateway(Options("http://-wrong-.example"))


@pytest.mark.parametrize("region", ["us west 2", "http://elsewhere"])
def test_a_region_that_is_none_is_a_matter_of_configuration(region: str) -> None:
    with pytest.raises(ConfigurationError):
        Gateway(Options("http://localhost", region=region))


@pytest.mark.parametrize(
    "header",
    [
        ("", "v"),
        ("a b", "v"),
        ("a:", "v"),
        ("ä", "v"),
        ("a", "v\r\nb: c"),
        ("a", "v\n"),
        ("a", "\u0141"),
        ("a", "\0"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_without_repeating_it(header: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError) as error:
        Options("http://localhost", headers=(header,))
    assert (
        str(error.value)
        == "GATEWAY_HEADERS has a name or value that HTTP cannot send: no line ends, Latin-1 alone."
    )


def test_headers_may_be_latin_1() -> None:
    assert Options("http://localhost", headers=(("a", "Köln"),)).headers_for({}) == {"a": "Köln"}


def test_the_gateway_is_made_from_the_settings(settings: Any) -> None:
    with WireServer([Answer.stream(*FRAMES)]) as server:
        settings.GATEWAY_URL = server.url + "/route"
        settings.GATEWAY_HEADERS = {"apikey": "k", "X-User": "{user}"}
        settings.AWS_REGION, settings.AWS_ACCESS_KEY_ID = "eu-central-1", "mine"
        assert outcome_of(get_gateway().call(MODEL, BODY, {"user": "Jenn"})).error is None
        [request] = server.requests
    assert request.path.startswith("/route/model/")
    assert (request.headers["apikey"], request.headers["x-user"]) == ("k", "Jenn")
    assert "Credential=mine/" in request.headers["authorization"]
    assert "/eu-central-1/" in request.headers["authorization"]
    get_gateway().close()


def test_one_gateway_serves_until_the_settings_change(settings: Any) -> None:
    settings.GATEWAY_URL = "http://localhost:1"
    first = get_gateway()
    assert get_gateway() is first
    settings.GATEWAY_TIMEOUT = 1.0
    assert get_gateway() is not first
    settings.GATEWAY_URL = "nowhere"
    with pytest.raises(ConfigurationError):
        get_gateway()


def test_the_timeout_is_that_of_the_settings(settings: Any) -> None:
    with WireServer([Answer.silence()]) as server:
        settings.GATEWAY_URL, settings.GATEWAY_TIMEOUT = server.url, 0.1
        error = outcome_of(get_gateway().call(MODEL, BODY, {})).error
        get_gateway().close()
    assert error is not None
    assert error.code == "timeout"


def test_without_an_address_the_demo_gateway_answers_one_a_process(settings: Any) -> None:
    settings.GATEWAY_URL = None
    assert is_demo()
    assert endpoint() == endpoint()
    assert endpoint().startswith("http://127.0.0.1:")


def test_with_an_address_there_is_no_demo(settings: Any) -> None:
    settings.GATEWAY_URL = "https://gateway.example/bedrock"
    assert not is_demo()
    assert endpoint() == "https://gateway.example/bedrock"


def test_the_demo_gateway_answers_a_call() -> None:
    running = demo.start(pace=0)
    try:
        with talking() as wire:
            gateway = Gateway(Options(running.url))
        assert wire.server.requests == []
        result = outcome_of(gateway.call(MODEL, BODY | {"inferenceConfig": {"maxTokens": 100}}, {}))
        gateway.close()
    finally:
        running.close()
    assert result.error is None
    assert "messageStop" in result.names
