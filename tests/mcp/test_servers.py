"""Servers that die, hang and ask over HTTP and standard output, and the reference server in Node."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.mcp.configuration import ServerConfiguration
from conversations.mcp.server import Server, _Running
from conversations.models import Approval, Conversation, ToolCall, Turn
from conversations.threads import Threads
from conversations.tools import RemoteContext, registry
from tests.conditions import PATIENCE, until
from tests.mcp.servers import STDIO, TRIES, at_rest, begin, call_of, connected_to, listening, small_over_http
from tests.reruns import rerun_of
from tests.turns import ask, conversation_of, decision, news, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]

EVERYTHING = Path("node_modules/@modelcontextprotocol/server-everything/dist/index.js")
NO_NODE = pytest.mark.skipif(
    shutil.which("node") is None or not EVERYTHING.exists(),
    reason="there is no Node, or `npm ci` has not installed the reference server",
)


# -- ends


def test_a_call_ends_within_3_seconds_of_the_death_of_its_server_which_is_begun_again(
    tmp_path: Path, user: User
) -> None:
    with connected_to(tmp_path, radio=STDIO | {"approval": "never"}):
        assert any(seconds_to_die(conversation_of(user)) < 3 for _ in range(TRIES))
        other = conversation_of(user)
        ask(other, "Call radio__top_song for WZPZ")
        assert call_of(other).status == "success"


def seconds_to_die(conversation: Conversation) -> float:
    """How long a call takes that kills its server."""
    at_rest(begin(conversation, "Call radio__die"))
    call = broken_off(conversation)
    until(lambda: registry.get("radio__top_song") is not None)
    return call.duration_ms / 1000


def test_a_call_ends_within_3_seconds_of_the_death_of_its_server_over_http(
    tmp_path: Path, user: User
) -> None:
    assert any(seconds_of_death(tmp_path, conversation_of(user)) < 3 for _ in range(TRIES))


def seconds_of_death(folder: Path, conversation: Conversation) -> float:
    """How long a call goes on whose server is killed."""
    with small_over_http() as (url, process), connected_to(folder, radio={"url": url, "approval": "never"}):
        turn = begin(conversation, "Call radio__hang")
        killed_at = timezone.now()
        process.kill()
        at_rest(turn)
        call = broken_off(conversation)
        until(lambda: registry.get("radio__hang") is None)
    return (call.finished_at - killed_at).total_seconds()


def broken_off(conversation: Conversation) -> ToolCall:
    """The call, whose server has ended; the turn has gone on."""
    call = call_of(conversation)
    assert (call.turn.status, call.error) == (Turn.Status.COMPLETED, "tool_error")
    assert "The server radio ended while the call ran" in call.result[0]["text"]
    return call


def test_the_death_of_a_server_ends_its_question_and_the_turn_goes_on(
    tmp_path: Path, conversation: Conversation
) -> None:
    with small_over_http() as (url, process), connected_to(tmp_path, radio={"url": url, "approval": "never"}):
        turn = ask(conversation, "Call radio__greet")
        assert turn.status == Turn.Status.WAITING
        process.kill()
        until(lambda: Turn.objects.get(pk=turn.pk).status == Turn.Status.COMPLETED)
        assert Approval.objects.get().status == "withdrawn"
        assert "ended while the call ran" in call_of(conversation).result[0]["text"]


def test_a_call_that_hangs_ends_with_its_time_which_stands_still_while_a_person_is_asked(
    tmp_path: Path, conversation: Conversation, user: User
) -> None:
    with connected_to(tmp_path, radio=STDIO | {"approval": "never", "timeout": 1.5}):
        ask(conversation, "Call radio__hang")
        call = call_of(conversation)
        assert (call.error, call.status) == ("timeout", "error")
        other = conversation_of(user)
        turn = ask(other, "Call radio__greet")
        requested_at = Approval.objects.get().requested_at
        until(lambda: (timezone.now() - requested_at).total_seconds() > 2)
        interrupt = Approval.objects.get().interrupt_id
        answer = {"interruptId": interrupt, "status": "resolved", "payload": {"name": "Les", "age": 3}}
        engine.resume(other, turn.user, [answer])
        assert at_rest(turn).status == Turn.Status.COMPLETED
        assert call_of(other).result == [{"json": {"result": "accept: Les, 3"}}]


@pytest.mark.parametrize("was_given_up", [False, True])
async def test_a_question_that_names_no_call_waits_until_it_can_be_of_one_alone(was_given_up: bool) -> None:
    server = Server("radio", ServerConfiguration(command="radio"), Threads("test", 1))
    one, other = (_Running(cast("RemoteContext", None)) for _ in range(2))
    server._calls = [one, other]
    asker = asyncio.create_task(server._only_call())
    await asyncio.sleep(0)
    assert not asker.done()
    other.was_given_up = was_given_up
    server._calls.remove(other)
    server._call_ended.set()
    assert await asker is (None if was_given_up else one)


# -- elsewhere


def test_a_rerun_is_answered_from_the_record_without_any_server(
    tmp_path: Path, conversation: Conversation, settings: Settings
) -> None:
    with connected_to(tmp_path, radio=STDIO | {"approval": "never"}):
        ask(conversation, "Call radio__top_song for WZPZ")
    settings.MCP_SERVERS = str(tmp_path / "nowhere.json")
    assert registry.get("radio__top_song") is None
    with registry.override():
        rerun_of(conversation)
    (call,) = ToolCall.objects.exclude(conversation=conversation)
    assert call.result == [{"json": {"song": "the song of WZPZ"}}]


# -- Node


@pytest.fixture(scope="module", params=["stdio", "http"])
def everything(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The reference server in Node, trusted, shared by the tests below."""
    folder, program = tmp_path_factory.mktemp("everything"), str(EVERYTHING.resolve())
    with ExitStack() as stack:
        server: dict[str, Any] = {"command": "node", "args": [program]}
        if request.param == "http":
            node = shutil.which("node") or ""
            url, _ = stack.enter_context(listening(node, program, "streamableHttp", PORT="{port}"))
            server = {"url": url}
        stack.enter_context(connected_to(folder, all=server | {"trust": True, "approval": ["trigger-*"]}))
        yield request.param


@NO_NODE
@pytest.mark.processes
def test_the_reference_server_answers_with_text_structure_and_pictures(
    everything: str, conversation: Conversation
) -> None:
    turn = ask(
        conversation,
        'Call all__echo with "hello", all__get-tiny-image and all__get-structured-content for "Chicago"',
    )
    assert turn.status == Turn.Status.COMPLETED
    results = {call.name: call for call in ToolCall.objects.all()}
    assert "hello" in json.dumps(results["all__echo"].result)
    assert "image" in [kind for block in results["all__get-tiny-image"].result for kind in block]
    assert [list(block) for block in results["all__get-structured-content"].result][:1] in (
        [["json"]],
        [["text"]],
    )


@NO_NODE
@pytest.mark.processes
def test_the_reference_server_reports_progress(everything: str, conversation: Conversation) -> None:
    turn = ask(conversation, "Call all__trigger-long-running-operation")
    if turn.status == Turn.Status.WAITING:
        arguments = {"duration": 1, "steps": 2}
        approval = decision(call_of(conversation).tool_use_id, editedArgs=arguments)
        engine.resume(conversation, turn.user, [approval])
        assert engine.WORKER.wait(PATIENCE)
    assert news(record(conversation), "progress")
    assert call_of(conversation).status == "success"


@NO_NODE
@pytest.mark.processes
def test_the_reference_server_asks_and_is_answered(everything: str, conversation: Conversation) -> None:
    turn = ask(conversation, "Call all__trigger-elicitation-request")
    engine.resume(conversation, turn.user, [decision(call_of(conversation).tool_use_id)])
    assert engine.WORKER.wait(PATIENCE)
    approval = Approval.objects.get()
    schema = approval.question["schema"]
    payload = dict.fromkeys(schema.get("required", ()), "x")
    engine.resume(
        conversation,
        turn.user,
        [{"interruptId": approval.interrupt_id, "status": "resolved", "payload": payload}],
    )
    assert at_rest(turn).status == Turn.Status.COMPLETED
    assert call_of(conversation).status == "success"
