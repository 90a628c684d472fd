"""Turns through the whole engine, with an upstream behind the embedded gateway."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from pytest_django.fixtures import Settings

from conversations import demo_gateway as demo
from conversations import engine
from conversations.models import Turn
from tests.conditions import until
from tests.faults.scene import Scene, retries
from tests.gateway.wire import Answer, End
from tests.turns import answer, of_type
from tests.upstream.chunks import (
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

pytestmark = pytest.mark.django_db(transaction=True)
HEL = chunk(content="Hel")


@pytest.fixture
def behind(scene: Scene, settings: Settings) -> Iterator[Scene]:
    """The scene, whose server is the upstream of a gateway now."""
    upstream = demo.Upstream(f"{scene.server.url}/v1", "sk-of-the-tests")
    with closing(demo.start(upstream=upstream)) as gateway:
        settings.GATEWAY_URL = gateway.url
        yield scene
        assert engine.WORKER.wait(5)


def code(scene: Scene, *answers: Any) -> str:
    """The code with which a turn fails that gets these answers."""
    turn = scene.ask(*answers)
    last = scene.events(turn)[-1]
    assert last["type"] == "RUN_ERROR", last
    assert "sk-of-the-tests" not in last["message"]
    return str(last["code"])


def test_a_turn_calls_a_tool_and_ends_well(behind: Scene) -> None:
    called = calls(piece(0, "top_song", '{"sign": "WZPZ"}', id="call_1"))
    asking = stream_answer(
        chunk(reasoning_content="hm"),
        chunk(content="I look."),
        called,
        chunk("tool_calls"),
        usage_chunk(9, 4),
    )
    turn = behind.ask(asking, text_answer("Elemental", " Hotel"))
    events = behind.events(turn)
    assert_valid_agui(events)
    assert (turn.status, answer(events)) == (Turn.Status.COMPLETED, "I look.Elemental Hotel")
    assert [e["delta"] for e in of_type(events, "REASONING_MESSAGE_CONTENT")] == ["hm"]
    assert [e["toolCallId"] for e in of_type(events, "TOOL_CALL_RESULT")] == ["call_1"]
    assert (turn.usage["inputTokens"], turn.usage["outputTokens"]) == (18, 8)
    _, second = behind.server.requests
    *_, called, result = json.loads(second.body)["messages"]
    assert called["tool_calls"][0]["id"] == result["tool_call_id"] == "call_1"
    assert (called["content"], json.loads(result["content"])["song"]) == ("I look.", "Elemental Hotel")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([Answer.error(401, {"error": {"message": "sk-of-the-tests is no key"}})], "gateway_refused"),
        ([Answer.error(403, {"error": {"message": "not yours"}})], "gateway_refused"),
        ([Answer.error(404, {"error": {"message": "model 'x' not found"}})], "gateway_refused"),
        ([Answer.error(429, {"error": {"message": "slow down"}})], "throttled"),
        ([Answer.error(500, {"error": {"message": "boom"}})], "gateway_failed"),
        (
            [Answer.error(400, {"error": {"message": "no", "type": "exceed_context_size_error"}})],
            "context_overflow",
        ),
        ([Answer.error(400, {"error": {"message": "bad"}})], "invalid_request"),
        ([stream_answer(HEL, {"error": {"message": "boom"}})], "stream_error"),
        ([stream_answer({"error": {"message": "slow", "code": 429}})], "throttled"),
        (
            [stream_answer({"error": {"message": "no", "type": "exceed_context_size_error"}})],
            "context_overflow",
        ),
        ([stream_answer(HEL, done=b"")], "stream_cut"),
        ([Answer.stream(*sse(HEL), headers=SSE, terminated=False, end=End.RESET)], "stream_cut"),
    ],
)
def test_a_refusal_arrives_as_the_gateways(behind: Scene, answers: list[Answer], expected: str) -> None:
    assert code(behind, *answers) == expected


@pytest.mark.parametrize(
    "failing", [Answer.error(503, b"busy"), Answer.error(429, b"busy"), stream_answer({"error": "boom"})]
)
def test_a_failure_that_may_pass_is_tried_again_while_nothing_was_shown(
    behind: Scene, failing: Answer
) -> None:
    turn = behind.ask(failing, text_answer("Hello"))
    assert (len(retries(behind.events(turn))), turn.status) == (1, Turn.Status.COMPLETED)


def test_a_stop_closes_the_upstreams_connection(behind: Scene) -> None:
    turn = behind.begin(open_answer(HEL))
    request = behind.server.wait()
    until(lambda: "Hel" in answer(behind.events(turn)))
    behind.stop()
    assert request.hung_up.wait(10)
    turn.refresh_from_db()
    assert turn.status == Turn.Status.STOPPED


def test_an_upstream_that_counts_nothing_leaves_the_usage_unknown(behind: Scene) -> None:
    turn = behind.ask(stream_answer(chunk("stop", content="12345678")))
    assert (turn.usage, turn.output_tokens) == ({}, 2)
