"""What a conversation's settings put into a request, and what a turn keeps of them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.journal import page
from conversations.models import Conversation, Model, ToolCall, Turn
from conversations.tools import registry, tool
from tests.faults.scene import HEALTHY, Scene, asking_for
from tests.gateway.wire import Answer, WireServer
from tests.turns import conversation_of, of_type

pytestmark = pytest.mark.django_db(transaction=True)
CLAUDE = "us.anthropic.claude-sonnet-4-20250514-v1:0"
SONG = Answer.stream(*asking_for(("call-1", "top_song", '{"sign": "WZPZ"}')))


@pytest.fixture
def scene(user: User, settings: Settings) -> Iterator[Scene]:
    """A conversation of which every request is kept."""
    with WireServer([]) as server:
        settings.GATEWAY_URL = server.url
        yield Scene(conversation_of(user), server)
        engine.WORKER.wait(5)


def bodies(scene: Scene) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in scene.server.requests]


def body_with(scene: Scene, **columns: Any) -> dict[str, Any]:
    """The body of a request that is sent with these settings."""
    Conversation.objects.update(**columns)
    scene.check_completed(scene.ask(HEALTHY), "All is well.")
    return bodies(scene)[-1]


def tools_of(body: dict[str, Any]) -> list[str]:
    return [spec["toolSpec"]["name"] for spec in body.get("toolConfig", {}).get("tools", ())]


def test_each_setting_is_sent_and_nothing_that_is_not_set(scene: Scene) -> None:
    plain = body_with(scene)
    assert (plain["inferenceConfig"], "system" in plain) == ({"maxTokens": 4096}, False)
    inference = {"temperature": 0.3, "topP": 0.9, "maxTokens": 99, "stopSequences": ["END"]}
    body = body_with(scene, inference=inference, system="Be brief.", model="other.model-v1")
    assert (body["inferenceConfig"], body["system"]) == (inference, [{"text": "Be brief."}])
    assert "/model/other.model-v1/" in scene.server.requests[-1].path


def test_a_tool_that_is_switched_off_is_not_offered_and_a_new_one_is(scene: Scene) -> None:
    with registry.override("top_song"):

        @tool
        def later() -> str:
            """A tool that came later."""
            return ""

        assert tools_of(body_with(scene, tools_off=["top_song"])) == ["later"]
    assert "toolConfig" not in body_with(scene, tools_off=["top_song"])


def test_tools_of_the_history_are_declared_though_all_are_off_and_a_call_is_not_run(scene: Scene) -> None:
    scene.check_completed(scene.ask(SONG, HEALTHY), "All is well.")
    Conversation.objects.update(tools_off=["top_song"])
    turn = scene.ask(SONG, HEALTHY)
    scene.check_completed(turn, "All is well.")
    first, second = bodies(scene)
    assert tools_of(first) == tools_of(second) == ["top_song"]
    call = ToolCall.objects.get(turn=turn)
    assert (call.status, call.error, call.started_at) == ("error", "switched_off", None)
    [result] = second["messages"][-1]["content"]
    assert result["toolResult"]["status"] == "error"
    assert "switched this tool off" in result["toolResult"]["content"][0]["text"]


def test_nobody_is_asked_to_approve_a_call_that_is_switched_off(scene: Scene) -> None:
    with registry.override():

        @tool(approval=True)
        def wipe() -> str:
            """Wipe it."""
            raise AssertionError

        Conversation.objects.update(tools_off=["wipe"])
        scene.check_completed(
            scene.ask(Answer.stream(*asking_for(("call-1", "wipe", "{}"))), HEALTHY), "All is well."
        )
    assert ToolCall.objects.get().error == "switched_off"


def test_a_person_may_run_a_call_again_whose_tool_is_switched_off(scene: Scene) -> None:
    scene.ask(SONG, HEALTHY)
    Conversation.objects.update(tools_off=["top_song"])
    engine.run_again(scene.conversation, "call-1", "00000000-0000-4000-8000-000000000001")
    assert engine.WORKER.wait(20)
    assert list(ToolCall.objects.values_list("status", flat=True)) == ["success", "success"]


@pytest.mark.parametrize(
    ("by_staff", "wish", "tokens"),
    [(None, 2_000, 2_000), (1_500, None, 1_500), (1_500, 0, None), (1_500, 3_000, 3_000), (None, None, None)],
)
def test_a_budget_of_reasoning_is_the_conversations_or_else_the_catalogues(
    scene: Scene, by_staff: int | None, wish: int | None, tokens: int | None
) -> None:
    Model.objects.create(model_id=CLAUDE, reasoning_budget=by_staff)
    inference = {"temperature": 0.5}
    body = body_with(scene, model=CLAUDE, reasoning_budget=wish, inference=inference)
    if tokens is None:
        assert (body["inferenceConfig"], "additionalModelRequestFields" in body) == (
            {"maxTokens": 4096} | inference,
            False,
        )
    else:
        thinking = {"thinking": {"type": "enabled", "budget_tokens": tokens}}
        assert (body["inferenceConfig"], body["additionalModelRequestFields"]) == (
            {"maxTokens": 4096},
            thinking,
        )


def test_a_model_that_is_not_known_to_reason_is_not_asked_to(scene: Scene) -> None:
    assert "additionalModelRequestFields" not in body_with(scene, reasoning_budget=2_000)


def test_a_temperature_over_what_the_model_takes_is_left_out(scene: Scene) -> None:
    assert "temperature" not in body_with(scene, inference={"temperature": 1.5})["inferenceConfig"]


def test_a_turn_keeps_what_was_in_force_when_it_was_sent(scene: Scene) -> None:
    columns: dict[str, Any] = {"system": "Be brief.", "inference": {"topP": 0.5}, "tools_off": ["top_song"]}
    body_with(scene, **columns, reasoning_budget=0)
    Conversation.objects.update(
        model="other.model-v1", system="", inference={}, tools_off=[], reasoning_budget=None
    )
    turn = Turn.objects.get()
    in_force = {"model": scene.conversation.model, "reasoning_budget": 0} | columns
    assert turn.model_settings() == in_force
    [start] = of_type(scene.events(), "RUN_STARTED")
    recorded = {"model": scene.conversation.model, "inference": {"topP": 0.5}, "toolsOff": ["top_song"]}
    assert start["metadata"]["settings"] == recorded | {"instructions": "Be brief."}
    assert page(scene.conversation).turns[0]["settings"] == start["metadata"]["settings"]
