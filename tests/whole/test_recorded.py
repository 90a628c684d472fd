"""Bedrock's own streams, byte by byte, through boto3, the engine, the journal and a websocket."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.models import Message, Round, Turn
from conversations.protocol.converse.content import is_client_tool_use
from conversations.protocol.converse.history import INTERRUPTED
from conversations.tools import registry
from tests.gateway.wire import Answer, WireServer, answer_frames
from tests.protocol.recorded import RECORDED, Stream, params
from tests.recorded_streams import SEVERAL_ROUNDS, questions, recorded_tools, response_of
from tests.sockets.pages import page_of
from tests.turns import answer, ask, conversation_of, of_type

pytestmark = pytest.mark.django_db(transaction=True)
ENDED_BY_EXCEPTION = {"nova-micro--text+exception": "stream_error", "nova-lite--exception": "invalid_request"}
DROPS_TEXT_BESIDE_TOOL_USES = ("claude-3-5-haiku", "nova-2-lite")
"""Streams of a client that, unlike ours, sends no text beside tool uses in its requests."""


@pytest.mark.parametrize("stream", params(RECORDED))
async def test_a_recorded_stream_is_shown_and_stored_as_it_was_said(
    user: User, settings: Settings, stream: Stream
) -> None:
    settings.GATEWAY_RETRIES = 1
    conversation = await sync_to_async(conversation_of)(user, model=stream.model)
    with (
        WireServer([response_of(stream, 100), Answer.stream(*answer_frames("Done."))]) as server,
        registry.override(),
    ):
        settings.GATEWAY_URL = server.url
        async with page_of(user, conversation, "?after=0") as page:
            await page.ask("Go on.")
            events = await page.until_end()
        assert await sync_to_async(engine.WORKER.wait)(20)
    await sync_to_async(_check)(stream, events)


def _check(stream: Stream, events: list[dict[str, Any]]) -> None:
    first = Round.objects.order_by("number").first()
    assert first is not None
    stored = Message.objects.filter(round=first).first()
    assert (stored.content if stored else []) == stream.content
    assert first.stop_reason == (stream.stop_reason or "")
    assert {name: first.usage.get(name) for name in stream.usage} == stream.usage
    last = events[-1]
    code = ENDED_BY_EXCEPTION.get(stream.name)
    assert last.get("code") == code if code else last["outcome"] == {"type": "success"}
    assert answer(events).removesuffix("Done.") == "".join(_texts(stream)).removesuffix("Done.")
    uses = [block["toolUse"]["toolUseId"] for block in stream.content if is_client_tool_use(block)]
    calls = uses if stream.stop_reason else []
    assert [event["toolCallId"] for event in of_type(events, "TOOL_CALL_RESULT")] == calls


def _texts(stream: Stream) -> Iterator[str]:
    for block in stream.content:
        yield block.get("text", "")
        yield from (part["text"] for part in block.get("citationsContent", {}).get("content", []))


@pytest.mark.parametrize("rounds", params(SEVERAL_ROUNDS))
def test_the_next_request_of_a_recorded_set_is_the_recorded_one(
    user: User, settings: Settings, rounds: list[Stream]
) -> None:
    last_request = rounds[-1].request
    inference = last_request.get("inferenceConfig", {})
    settings.MAX_TOKENS = inference.get("maxTokens", 4096)
    conversation = conversation_of(
        user,
        model=rounds[0].model,
        system="".join(block["text"] for block in last_request.get("system", [])),
        inference={name: value for name, value in inference.items() if name != "maxTokens"},
    )
    with WireServer([response_of(stream) for stream in rounds]) as server, recorded_tools(rounds):
        settings.GATEWAY_URL = server.url
        for question in questions(last_request["messages"]):
            assert ask(conversation, question).status == Turn.Status.COMPLETED
        requests = [json.loads(request.body) for request in server.requests]
    assert len(requests) == len(rounds)
    for ours, stream in zip(requests, rounds, strict=True):
        drops = stream.name.startswith(DROPS_TEXT_BESIDE_TOOL_USES)
        assert _comparable(ours["messages"], drops) == _comparable(stream.request["messages"], drops)
        assert ours.get("system") == stream.request.get("system")
        assert ours["inferenceConfig"] == {"maxTokens": settings.MAX_TOKENS} | stream.request.get(
            "inferenceConfig", {}
        )
        assert _tool_names(ours) == _tool_names(stream.request)


def _comparable(messages: list[dict[str, Any]], drops_text: bool) -> list[dict[str, Any]]:
    """The messages without differences that mean nothing: neighbours of one role, an explicit success."""
    compared: list[dict[str, Any]] = []
    for message in messages:
        content = [_block(block) for block in message["content"]]
        if drops_text and any("toolUse" in block for block in content):
            content = [block for block in content if "text" not in block]
        if compared and compared[-1]["role"] == message["role"] == "user":
            content = [{"text": "\n".join([compared.pop()["content"][0]["text"], content[0]["text"]])}]
        compared.append({"role": message["role"], "content": content})
    assert {"text": INTERRUPTED} not in [block for message in compared for block in message["content"]]
    return compared


def _block(block: dict[str, Any]) -> dict[str, Any]:
    if "toolResult" not in block:
        return block
    return {
        "toolResult": {
            key: value for key, value in block["toolResult"].items() if (key, value) != ("status", "success")
        }
    }


def _tool_names(request: dict[str, Any]) -> list[str]:
    return sorted(entry["toolSpec"]["name"] for entry in request["toolConfig"]["tools"])
