"""LiteLLM's proxy as the gateway, with the demo gateway in Bedrock's place."""

import os
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from bench.processes import free_port
from conversations import demo_gateway as demo
from conversations import engine
from conversations.models import Turn
from tests.conditions import until
from tests.turns import answer, ask, conversation_of, of_type, record

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".venv-litellm/bin/litellm"
SONG = 'The most popular song on WZPZ is "Elemental Hotel" by 8 Storey Hike.'

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not PROGRAM.exists(), reason="LiteLLM's proxy is not installed: `make test-gateways` does that"
    ),
]


class Proxy(NamedTuple):
    """A running proxy: its address and its key."""

    url: str
    key: str


@pytest.fixture(scope="module")
def proxy(demo_gateway: demo.DemoGateway) -> Iterator[Proxy]:
    """The proxy before the demo gateway."""
    key, port = f"sk-{secrets.token_hex(16)}", free_port()
    keys = {"LITELLM_MASTER_KEY": key, "AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy"}
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1"}
    command = [
        str(PROGRAM),
        "--config",
        str(ROOT / "docs/litellm.yaml"),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = {**os.environ, **keys, **quiet, "AWS_BEDROCK_RUNTIME_ENDPOINT": demo_gateway.url}
    environment.pop("DATABASE_URL", None)  # it would keep its own keys there
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(process, f"http://127.0.0.1:{port}/health/liveliness")
            yield Proxy(f"http://127.0.0.1:{port}/bedrock", key)
        finally:
            process.kill()


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    """Waits until the proxy answers, which takes its time: it imports for half a minute."""

    def answers() -> bool:
        assert process.poll() is None, "the proxy has ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except OSError:
            return False

    for _ in range(12):
        try:
            until(answers)
        except pytest.fail.Exception:
            continue
        return
    pytest.fail("the proxy did not answer")


@pytest.fixture
def through(proxy: Proxy, settings: Settings) -> Iterator[None]:
    """The settings that the README names."""
    settings.GATEWAY_URL, settings.GATEWAY_RETRIES = proxy.url, 1
    settings.GATEWAY_HEADERS = {"x-litellm-api-key": f"Bearer {proxy.key}"}
    yield
    assert engine.WORKER.wait(20)


@pytest.mark.usefixtures("through")
def test_a_turn_with_a_tool_goes_through_the_proxy(user: User) -> None:
    conversation = conversation_of(user)
    turn = ask(conversation, "What is the most popular song on WZPZ?")
    events = record(conversation)
    assert (turn.status, len(of_type(events, "TOOL_CALL_RESULT"))) == (Turn.Status.COMPLETED, 1)
    assert answer(events).endswith(SONG)
    assert turn.usage["outputTokens"] > 0


@pytest.mark.usefixtures("through")
@pytest.mark.parametrize(
    ("phrase", "code", "words"),
    [
        ("fail throttled", "throttled", "Too many requests"),
        ("fail refused", "gateway_refused", "You cannot consume this service"),
        ("fail unavailable", "gateway_failed", "The service is busy"),
        ("fail invalid", "invalid_request", "Malformed input request"),
        ("fail overflow", "context_overflow", "Input is too long"),
        ("fail stream", "stream_error", "invalid sequence"),
        ("fail cut", "stream_cut", ""),
    ],
)
def test_a_failure_behind_the_proxy_is_told_as_what_it_is(
    user: User, phrase: str, code: str, words: str
) -> None:
    turn = ask(conversation_of(user), phrase)
    assert (turn.status, turn.error_code) == (Turn.Status.FAILED, code)
    assert words in turn.error_text
    assert "{" not in turn.error_text


@pytest.mark.usefixtures("through")
@pytest.mark.parametrize(
    "headers", [{}, {"x-litellm-api-key": "Bearer sk-of-nobody"}], ids=["none", "unknown"]
)
def test_a_missing_key_is_a_refusal_with_a_hint(
    user: User, settings: Settings, headers: dict[str, str]
) -> None:
    settings.GATEWAY_HEADERS = headers
    turn = ask(conversation_of(user), "Hello?")
    assert (turn.status, turn.error_code) == (Turn.Status.FAILED, "gateway_refused")
    assert "GATEWAY_HEADERS" in turn.error_text


@pytest.mark.usefixtures("through")
def test_a_model_that_the_proxy_does_not_have_is_named_with_its_setting(user: User) -> None:
    turn = ask(conversation_of(user, model="nobody.has-this"), "Hello?")
    assert (turn.status, turn.error_code) == (Turn.Status.FAILED, "invalid_request")
    assert "GATEWAY_MODELS" in turn.error_text
