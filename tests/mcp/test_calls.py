"""Calls of a server's tools, over both transports: what comes back, and what ends them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from ag_ui_validate.pytest_plugin import validate_agui
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.errors import Refused
from conversations.models import Approval, Conversation, RequestBase, Turn
from tests.conditions import until
from tests.mcp.servers import STDIO, TRIES, at_rest, begin, call_of, connected_to, small_over_http
from tests.turns import ask, conversation_of, decision, news, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]

SERVER = {"approval": ["pay"], "timeout": 20}


@pytest.fixture(scope="module", autouse=True, params=["stdio", "http"])
def radio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The small server as `radio`, shared by the tests of this file."""
    folder = tmp_path_factory.mktemp("mcp")
    if request.param == "stdio":
        with connected_to(folder, radio=STDIO | SERVER):
            yield "stdio"
    else:
        with small_over_http() as (url, _):
            headers = {"X-Turntable": "{user} in {conversation}"}
            with connected_to(folder, radio={"url": url, "headers": headers} | SERVER):
                yield "http"


# -- results


def test_a_tool_is_named_for_its_server_and_its_structured_result_goes_as_json(
    conversation: Conversation,
) -> None:
    turn = ask(conversation, "Call radio__top_song for WZPZ")
    call = call_of(conversation)
    assert (turn.status, call.name, call.status) == ("completed", "radio__top_song", "success")
    assert call.result == [{"json": {"song": "the song of WZPZ"}}]
    specs = RequestBase.objects.get().body
    assert '"name": "radio__top_song", "description": "Get the most popular song played' in specs


def test_a_call_begins_however_long_ago_the_catalogue_was_read(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.models.catalogue.FRESH_SECONDS", 1e-6)
    assert ask(conversation, "Call radio__top_song for WZPZ").status == "completed"
    assert call_of(conversation).status == "success"


def test_an_error_of_the_tool_is_a_result_with_status_error(conversation: Conversation) -> None:
    ask(conversation, "Call radio__fail")
    call = call_of(conversation)
    assert (call.status, call.error) == ("error", "tool_error")
    assert call.result[0]["text"].startswith("Error executing tool fail")


@pytest.mark.parametrize(
    ("model", "kind"), [("anthropic.claude-sonnet-4-v1:0", "image"), ("deepseek.v3-v1:0", "text")]
)
def test_a_picture_goes_to_a_model_that_takes_pictures(
    model: str, kind: str, conversation: Conversation
) -> None:
    conversation.model = model
    conversation.save()
    ask(conversation, "Call radio__cover")
    (block,) = call_of(conversation).result
    assert list(block) == [kind]
    if kind == "text":
        assert "this model takes no pictures" in block["text"]


def test_links_are_text_and_audio_is_noted(conversation: Conversation) -> None:
    ask(conversation, "Call radio__several")
    assert [block["text"] for block in call_of(conversation).result] == [
        "a text",
        "[audio, audio/wav, 3 bytes: it cannot be sent to a model]",
        "the list (https://example.com/list)",
    ]


def test_headers_name_the_user_of_the_call(radio: str, conversation: Conversation) -> None:
    ask(conversation, "Call radio__headers")
    expected = f"jennifer in {conversation.pk}" if radio == "http" else "none"
    assert call_of(conversation).result == [{"json": {"result": expected}}]


def test_progress_is_recorded_before_the_result(conversation: Conversation) -> None:
    ask(conversation, "Call radio__count")
    assert news(record(conversation), "progress")[0] == {
        "toolCallId": call_of(conversation).tool_use_id,
        "done": 1,
        "of": 2,
        "text": "number 1",
    }


# -- approvals and questions


def test_a_call_that_needs_an_approval_waits_for_it(conversation: Conversation) -> None:
    turn = ask(conversation, "Call radio__pay for WZPZ")
    assert turn.status == Turn.Status.WAITING
    engine.resume(conversation, turn.user, [decision(call_of(conversation).tool_use_id)])
    assert at_rest(turn).status == Turn.Status.COMPLETED
    assert call_of(conversation).result == [{"json": {"result": "paid WZPZ"}}]


def question(conversation: Conversation) -> dict[str, Any]:
    """The interrupt of a call that asks."""
    turn = ask(conversation, "Call radio__greet")
    assert turn.status == Turn.Status.WAITING
    (interrupt,) = record(conversation)[-1]["outcome"]["interrupts"]
    return dict(interrupt)


def test_a_question_waits_like_an_approval_and_names_its_fields(conversation: Conversation) -> None:
    interrupt = question(conversation)
    assert (interrupt["reason"], interrupt["message"]) == ("input_required", "Who listens?")
    assert interrupt["toolCallId"] == call_of(conversation).tool_use_id
    assert list(interrupt["responseSchema"]["properties"]) == ["name", "age"]
    answer = {"interruptId": interrupt["id"], "status": "resolved", "payload": {"name": "Les", "age": 40}}
    turn = Turn.objects.get()
    engine.resume(conversation, turn.user, [answer])
    assert at_rest(turn).status == Turn.Status.COMPLETED
    assert call_of(conversation).result == [{"json": {"result": "accept: Les, 40"}}]
    decisions = news(record(conversation), "approval")
    assert [(one["status"], one["by"], one["answer"]) for one in decisions] == [
        ("answered", "jennifer", {"name": "Les", "age": 40})
    ]
    errors = [one for one in validate_agui(record(conversation)).diagnostics if one.severity == "error"]
    assert not [one for one in errors if one.rule != "AGUI207"]


def test_an_answer_that_does_not_fit_is_refused_and_the_question_stays(conversation: Conversation) -> None:
    interrupt = question(conversation)
    turn = Turn.objects.get()
    for payload in ({"age": 4}, {"name": 3}, {"approved": True}, "Les"):
        with pytest.raises(Refused):
            engine.resume(
                conversation,
                turn.user,
                [{"interruptId": interrupt["id"], "status": "resolved", "payload": payload}],
            )
    assert Approval.objects.get().status == "pending"
    engine.resume(conversation, turn.user, [{"interruptId": interrupt["id"], "status": "cancelled"}])
    assert at_rest(turn).status == Turn.Status.COMPLETED
    assert call_of(conversation).result == [{"json": {"result": "decline"}}]


def test_a_question_is_answered_on_the_page_of_what_waits_without_any_script(
    conversation: Conversation, client: Client
) -> None:
    question(conversation)
    turn, call = Turn.objects.get(), call_of(conversation)
    client.force_login(turn.user)
    page = client.get(f"/waiting/?conversation={conversation.pk}").content.decode()
    assert 'aria-label="Tool call radio__greet"' in page
    assert "Who listens?" in page
    assert re.search(r'<input [^>]*name="field-name" type="text" value=""[^>]* required', page)
    assert re.search(r'<input [^>]*name="field-age" type="number" value="30"', page)
    form = {"call": str(call.pk), "asked": "1", "decision": "answer", "field-name": "Les", "field-age": "old"}
    refused = client.post("/waiting/", form)
    assert (refused.status_code, "is not of type" in refused.content.decode()) == (400, True)
    assert 'value="Les"' in refused.content.decode()
    assert client.post("/waiting/", form | {"field-age": "41", "asked": "0"}).status_code == 400
    assert client.post("/waiting/", form | {"field-age": "41"}).status_code == 302
    assert at_rest(turn).status == Turn.Status.COMPLETED
    assert call_of(conversation).result == [{"json": {"result": "accept: Les, 41"}}]


def test_a_question_may_be_declined_on_the_page(conversation: Conversation, client: Client) -> None:
    question(conversation)
    turn = Turn.objects.get()
    client.force_login(turn.user)
    client.post("/waiting/", {"call": str(call_of(conversation).pk), "asked": "1", "decision": "decline"})
    assert at_rest(turn).status == Turn.Status.COMPLETED
    assert call_of(conversation).result == [{"json": {"result": "decline"}}]


def test_stop_ends_a_question(conversation: Conversation) -> None:
    question(conversation)
    turn = Turn.objects.get()
    engine.stop(conversation.pk)
    until(lambda: Turn.objects.get(pk=turn.pk).status == Turn.Status.STOPPED)
    assert (call_of(conversation).error, Approval.objects.get().status) == ("stopped", "withdrawn")


def test_nobodys_answer_is_a_cancellation(conversation: Conversation, settings: Settings) -> None:
    question(conversation)
    turn = Turn.objects.get()
    Approval.objects.update(expires_at=turn.created_at)
    engine.WORKER.sweep()
    assert at_rest(turn).status == Turn.Status.COMPLETED
    assert call_of(conversation).result == [{"json": {"result": "cancel"}}]


# -- ends


def test_stop_ends_a_call_within_a_second(user: Any) -> None:
    assert any(seconds_to_stop(conversation_of(user)) < 1 for _ in range(TRIES))


def seconds_to_stop(conversation: Conversation) -> float:
    """How long a call takes to end that is stopped while it runs."""
    turn = begin(conversation, "Call radio__hang")
    requested = timezone.now()
    engine.stop_here(conversation.pk)
    engine.stop(conversation.pk)
    stopped = at_rest(turn)
    assert stopped.status == Turn.Status.STOPPED
    assert call_of(conversation).error == "stopped"
    assert stopped.finished_at
    return (stopped.finished_at - requested).total_seconds()
