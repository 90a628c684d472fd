"""A conversation as a file: JSON as the contract promises it, Markdown, and AG-UI events."""

import json
from typing import Any

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.contrib.auth.models import User

from conversations.exports import as_json, as_lines, as_markdown
from conversations.models import Approval, Conversation, Turn
from tests.lost_turns import Lost
from tests.turns import QUESTION, ask, conversation_of, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


@pytest.fixture
def conversation(user: User) -> Conversation:
    return conversation_of(user, system="Be brief.")


def exported(conversation: Conversation) -> dict[str, Any]:
    conversation.refresh_from_db()
    whole: dict[str, Any] = json.loads(as_json(conversation))
    return whole


def test_an_export_holds_what_the_contract_says(conversation: Conversation) -> None:
    turn = ask(conversation, QUESTION)
    whole = exported(conversation)
    assert whole["id"] == str(conversation.pk)
    assert (whole["title"], whole["model"], whole["system"]) == (QUESTION, conversation.model, "Be brief.")
    assert whole["createdAt"] == conversation.created_at.isoformat()
    (call,) = whole["toolCalls"]
    assert {"name": "top_song", "input": {"sign": "WZPZ"}, "status": "success"}.items() <= call.items()
    assert call["result"] == [{"json": {"song": "Elemental Hotel", "artist": "8 Storey Hike"}}]
    assert (call["turn"], call["round"]) == (str(turn.pk), 1)
    (entry,) = whole["turns"]
    assert (entry["id"], entry["status"], entry["error"]) == (str(turn.pk), "completed", None)
    assert entry["events"] == record(conversation)


def test_its_messages_are_ready_to_be_sent_again(conversation: Conversation) -> None:
    ask(conversation, QUESTION)
    messages = exported(conversation)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant"]
    assert messages[0]["content"] == [{"text": QUESTION}]
    use = next(block["toolUse"] for block in messages[1]["content"] if "toolUse" in block)
    assert messages[2]["content"][0]["toolResult"]["toolUseId"] == use["toolUseId"]
    assert "Elemental Hotel" in messages[3]["content"][0]["text"]


def test_a_call_without_a_result_is_not_among_the_messages(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="success", two="running")
    uses = [block["toolUse"]["toolUseId"] for block in exported(conversation)["messages"][1]["content"]]
    assert uses == ["one"]


def test_partial_text_of_a_failed_turn_is_among_the_messages(conversation: Conversation) -> None:
    assert ask(conversation, "fail cut").status == Turn.Status.FAILED
    whole = exported(conversation)
    assert whole["turns"][0]["error"]["code"] == "stream_cut"
    assert whole["messages"][-1]["role"] == "assistant"
    assert whole["messages"][-1]["content"][0]["text"].strip()


def test_a_message_that_waits_in_the_queue_is_told_as_queued(conversation: Conversation) -> None:
    ask(conversation, QUESTION)
    Lost(conversation, 2, "later", status="queued")
    whole = exported(conversation)
    assert [turn["status"] for turn in whole["turns"]] == ["completed", "queued"]
    assert "later" not in json.dumps(whole["messages"])


def test_an_empty_conversation_is_exported(conversation: Conversation) -> None:
    whole = exported(conversation)
    assert (whole["messages"], whole["toolCalls"], whole["turns"]) == ([], [], [])
    assert list(as_lines(conversation)) == []
    assert as_markdown(conversation).startswith("# Untitled")


def test_the_record_is_valid_agui_line_by_line(conversation: Conversation) -> None:
    for text in (QUESTION, "show reasoning", "show parallel calls"):
        ask(conversation, text)
    events = [json.loads(line) for line in as_lines(conversation)]
    assert events == record(conversation)
    assert_valid_agui([event for event in events if event["type"] != "CUSTOM"])


def test_markdown_holds_what_was_said_with_the_calls_folded(conversation: Conversation) -> None:
    ask(conversation, QUESTION)
    text = as_markdown(conversation)
    assert f"## You\n\n> {QUESTION}" in text
    assert "<summary>Tool call top_song: success" in text
    assert '```\n{"sign": "WZPZ"}\n```' in text
    assert "8 Storey Hike" in text


def test_thoughts_in_a_text_are_folded_in_markdown_and_stay_as_they_came_in_json(
    conversation: Conversation,
) -> None:
    ask(conversation, "show thinking as text")
    text = as_markdown(conversation)
    assert "<details><summary>Reasoning</summary>\n\n> The user wants" in text
    assert "<thinking>" not in text
    assert exported(conversation)["messages"][-1]["content"][0]["text"].startswith("<thinking>The user")


def test_markdown_tells_what_was_decided_about_a_call(conversation: Conversation, other_user: User) -> None:
    ask(conversation, QUESTION)
    call = conversation.tool_calls.get()
    approval = Approval.objects.create(call=call, status="approved", decided_by=other_user)
    assert "ms, approved by herbert</summary>" in as_markdown(conversation)
    Approval.objects.filter(pk=approval.pk).update(status="expired", decided_by=None)
    assert "ms, expired</summary>" in as_markdown(conversation)


def test_no_backtick_ends_a_code_block_before_its_end(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="success")
    call = lost.calls[0]
    call.result = [{"text": "```\n# not a heading\n````"}]
    call.save()
    assert "`````\n```\n# not a heading\n````\n`````" in as_markdown(conversation)


def test_markdown_holds_sources_pictures_and_what_the_provider_ran(conversation: Conversation) -> None:
    for text in ("show citations", "show a picture", "show a server tool"):
        ask(conversation, text)
    text = as_markdown(conversation)
    assert "groove.[^1-1-1-1]" in text
    assert "[^1-1-1-1]: Turntables <https://example.com/turntables>" in text
    assert "[^1-1-1-2]: Manual: “thirty-three and a third turns a minute”" in text
    assert "![Picture from the model](data:image/png;base64,iVBOR" in text
    assert "<summary>Server tool nova_code_interpreter</summary>" in text
    assert "7006652" in text
