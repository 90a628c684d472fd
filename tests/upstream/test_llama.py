"""The upstream for real: llama.cpp's server with a small model, which both come as packages."""

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import demo_gateway as demo
from conversations import engine
from conversations.models import Turn
from tests.demo_gateway.bedrock import TOOL_CONFIG, bedrock
from tests.protocol.messages import assistant, result, use
from tests.protocol.messages import user as user_message
from tests.turns import Event, answer, conversation_of, of_type, record

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-llama/bin/python"
KEY = "sk-of-the-tests"
MODEL = "smollm2"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.skipif(not PYTHON.exists(), reason="llama.cpp is not installed: `make llama` does that"),
]


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    """The address of a server."""
    command = [str(PYTHON), str(Path(__file__).with_name("llama_server.py")), KEY]
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
    }
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture
def url(llama: str, settings: Settings) -> Iterator[str]:
    """The address of the gateway before it, which is that of the settings too."""
    with closing(demo.start(upstream=demo.Upstream(f"{llama}/v1", KEY))) as gateway:
        settings.GATEWAY_URL, settings.MAX_TOKENS = gateway.url, 8
        yield gateway.url
        assert engine.WORKER.wait(20)


def turn_of(user: User, text: str) -> tuple[Turn, list[Event]]:
    """A turn, run to its end, which takes its time on a busy machine; and its record."""
    conversation = conversation_of(user, model=MODEL)
    started = engine.start(conversation.pk, str(uuid.uuid4()), text)
    assert engine.WORKER.wait(100), "the turn did not end"
    return Turn.objects.get(pk=started.turn.pk), record(conversation)


def test_a_turn_is_answered_and_counted(user: User, url: str) -> None:
    turn, events = turn_of(user, "Say hello.")
    assert turn.status == Turn.Status.COMPLETED, events[-1]
    assert answer(events).strip()
    (finished,) = of_type(events, "STEP_FINISHED")
    assert finished["metadata"]["stopReason"] in ("end_turn", "max_tokens")
    assert turn.usage["inputTokens"] > 0 < turn.usage["outputTokens"] <= 8


def test_tools_calls_and_results_are_taken(url: str) -> None:
    """The model is too small to call a tool by itself: what was called before is handed to it."""
    history = [
        user_message("What is the song?"),
        assistant("I look.", use("t1"), use("t2")),
        user_message(result("t2"), result("t1")),
    ]
    limit = {"maxTokens": 4}
    with closing(bedrock(url)) as client:
        answers = [
            client.converse(modelId=MODEL, messages=messages, toolConfig=TOOL_CONFIG, inferenceConfig=limit)
            for messages in (history[:1], history)
        ]
    assert [reply["stopReason"] for reply in answers] == ["max_tokens", "max_tokens"]
    without, having = (reply["usage"] for reply in answers)
    assert having["totalTokens"] > without["totalTokens"] + 30


def test_a_conversation_that_is_too_long_is_told_as_that(user: User, url: str) -> None:
    turn, _ = turn_of(user, "word " * 2_000)
    assert (turn.status, turn.error_code) == (Turn.Status.FAILED, "context_overflow")


def test_a_wrong_key_is_refused(user: User, llama: str, settings: Settings) -> None:
    with closing(demo.start(upstream=demo.Upstream(f"{llama}/v1", "sk-of-nobody"))) as gateway:
        settings.GATEWAY_URL = gateway.url
        turn, _ = turn_of(user, "Say hello.")
        assert (turn.status, turn.error_code) == (Turn.Status.FAILED, "gateway_refused")
        assert engine.WORKER.wait(20)
