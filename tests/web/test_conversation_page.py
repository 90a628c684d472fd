"""A conversation's page as a browser without scripts gets it."""

import json
import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import reverse

from conversations.journal import Page
from conversations.models import Conversation, Turn
from conversations.protocol.agui import events
from conversations.web.sections import Block, sections
from tests.records import recorded_turn, text_events

MODEL = "cohere.command-r-v1:0"
HOSTILE = "</div><script>alert(1)</script>&amp;\"'"


@pytest.fixture
def conversation(user: User) -> Conversation:
    return Conversation.objects.create(owner=user, model=MODEL, title="Turkeys")


def page_of(client: Client, conversation: Conversation, **query: str) -> str:
    """A conversation's page."""
    answer = client.get(reverse("conversations:conversation", args=[conversation.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_holds_each_message_with_its_text(client: Client, conversation: Conversation) -> None:
    recorded_turn(conversation, HOSTILE, *text_events("**raw** <b>markdown</b>\n\nas it is"))
    page = page_of(client, conversation)
    article = r'<article [^>]*aria-label="(\w+)" data-at="\d+" data-message="[^"]+"><div class="text[^>]*>(.*?)</div>.*?</article>'
    articles = re.findall(article, page, re.DOTALL)
    assert [(name, unescape(text)) for name, text in articles] == [
        ("You", HOSTILE),
        ("Assistant", "**raw** <b>markdown</b>\n\nas it is"),
    ]
    assert HOSTILE not in page


def test_the_page_holds_each_tool_call_with_its_result(client: Client, conversation: Conversation) -> None:
    call = [
        {"type": "TOOL_CALL_START", "toolCallId": "t1", "toolCallName": "top_song"},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "t1", "delta": "\n{broken"},
        {"type": "TOOL_CALL_END", "toolCallId": "t1"},
        events.tool_call_result("t1", "<b>no</b>", status="error", duration_ms=5),
    ]
    recorded_turn(conversation, "sing", *call)
    page = page_of(client, conversation)
    assert re.findall(
        r'<details class="tool"[^>]*role="group" aria-label="Tool call top_song"[^>]* open>', page
    )
    assert '<code class="preview">\n{broken</code>' in page
    assert re.findall(r'<pre class="arguments"[^>]*>\n(.*?)</pre>', page, re.DOTALL)[0] == "\n{broken"
    assert (
        re.findall(r'<pre class="result"[^>]*>\n(.*?)</pre>', page, re.DOTALL)[0] == "&lt;b&gt;no&lt;/b&gt;"
    )
    state = json.loads(unescape(re.findall(r'data-result="(.*?)"', page)[0]))
    assert (state["metadata"]["status"], state["metadata"]["durationMs"]) == ("error", 5)


OUTCOMES = {
    "": False,
    "tool_error": True,
    "timeout": True,
    "interrupted": True,
    "expired": True,
    "denied": False,
    "stopped": False,
}


def test_a_call_is_one_line_that_is_open_where_it_failed(client: Client, conversation: Conversation) -> None:
    calls = []
    for error in OUTCOMES:
        name = error or "success"
        calls += [
            {"type": "TOOL_CALL_START", "toolCallId": name, "toolCallName": name},
            {"type": "TOOL_CALL_ARGS", "toolCallId": name, "delta": '{"sign": "WZPZ", "api_key": "k"}'},
            {"type": "TOOL_CALL_END", "toolCallId": name},
            events.tool_call_result(
                name, "text", status="error" if error else "success", duration_ms=5, error=error
            ),
        ]
    recorded_turn(conversation, "sing", *calls)
    page = page_of(client, conversation)
    cards = re.findall(r'<details class="tool"[^>]*aria-label="Tool call (\w+)"[^>]*?( open)?>', page)
    assert [(name, bool(is_open)) for name, is_open in cards if name] == [
        (error or "success", is_open) for error, is_open in OUTCOMES.items()
    ]
    assert page.count('<code class="preview">sign: WZPZ, api_key: ••••</code>') == len(OUTCOMES)


def test_a_call_that_waits_stands_open() -> None:
    calls = [{"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}} for name in "ab"]
    messages = [
        {"id": f"call:{call['id']}", "role": "assistant", "toolCalls": [call], "metadata": {"turn": "t"}}
        for call in calls
    ]
    turn = {"id": "t", "status": "waiting", "stopReason": None, "error": None}
    [section] = sections(Page(1, messages, [turn | {"interrupts": [{"id": "b", "toolCallId": "b"}]}]))
    assert [isinstance(block, Block) and block.is_open for block in section.parts] == [False, True]


def test_a_failed_turn_is_an_alert(client: Client, conversation: Conversation) -> None:
    recorded_turn(conversation, "hello", events.run_error("The gateway did not answer in time.", "timeout"))
    page = page_of(client, conversation)
    alert, *_ = re.findall(r'<div class="failed" role="alert">(.*?)</div>', page)
    assert "The gateway did not answer in time." in alert
    assert f"<code>{conversation.turns.get().pk}</code>" in alert


def test_the_page_says_where_the_script_reads_on(client: Client, conversation: Conversation) -> None:
    assert 'data-seq="0"' in page_of(client, conversation)
    recorded_turn(conversation, "hello")
    assert f'data-seq="{conversation.events.count()}"' in page_of(client, conversation)


def test_messages_that_wait_are_told_to_the_script(client: Client, conversation: Conversation) -> None:
    turn = recorded_turn(conversation, "later")
    conversation.events.all().delete()
    turn.status = Turn.Status.QUEUED
    turn.save()
    queue = json.loads(unescape(re.findall(r'data-queue="(.*?)"', page_of(client, conversation))[0]))
    assert [message["text"] for message in queue] == ["later"]


def test_older_messages_are_on_pages_of_their_own(client: Client, conversation: Conversation) -> None:
    for number in range(4):
        recorded_turn(conversation, f"{number} " + "x" * 200_000)
    page = page_of(client, conversation)
    numbers = []
    while before := re.findall(r'data-before="(.*?)"', page)[0]:
        numbers.append(re.findall(r'<div class="text" dir="auto">(\d) x', page))
        assert f'href="?before={before}"' in page
        page = page_of(client, conversation, before=before)
        assert "Back to the newest messages" in page
        assert 'id="composer"' not in page
    numbers.append(re.findall(r'<div class="text" dir="auto">(\d) x', page))
    assert [number for page_numbers in reversed(numbers) for number in page_numbers] == ["0", "1", "2", "3"]


def test_older_than_a_message_that_is_not_there_is_404(client: Client, conversation: Conversation) -> None:
    recorded_turn(conversation, "hello")
    assert client.get(f"/conversations/{conversation.pk}/", {"before": "nobody"}).status_code == 404


def test_the_page_names_the_model_and_the_demo_gateway(client: Client, conversation: Conversation) -> None:
    page = page_of(client, conversation)
    assert MODEL in page
    assert "demo gateway" in page
    assert 'data-fill="What is the most popular song on WZPZ?"' in page


@override_settings(GATEWAY_URL="https://gateway.example:8443/route?key=k3y")
def test_the_page_names_no_more_of_the_gateway_than_its_host(
    client: Client, conversation: Conversation
) -> None:
    page = page_of(client, conversation)
    assert "gateway.example:8443" in page
    assert "k3y" not in page
    assert "/route" not in page
    assert "data-fill" not in page


@override_settings(UPSTREAM_URL="http://ollama.example:11434/v1")
def test_the_page_names_an_upstream_as_what_answers(client: Client, conversation: Conversation) -> None:
    page = page_of(client, conversation)
    assert "ollama.example:11434" in page
    assert "demo gateway" not in page
    assert "data-fill" not in page


def test_no_page_has_inline_script_or_style(client: Client, conversation: Conversation) -> None:
    recorded_turn(conversation, "hello", *text_events("there"))
    sign_in = Client().get("/accounts/login/").content.decode()
    for page in (page_of(client, conversation), client.get("/").content.decode(), sign_in):
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page)


def test_the_page_holds_what_a_model_brings_beside_text(client: Client, conversation: Conversation) -> None:
    use = {"toolUseId": "s", "name": "search", "input": {"q": "songs"}}
    result = {"toolUseId": "s", "type": "search_result", "content": [{"text": "Elemental Hotel"}]}
    activities = [
        events.custom("image", {"messageId": "t:1:0", "format": "png", "sha256": "5e"}),
        events.custom("server_tool", {"messageId": "t:1:1", "server_tool": {"toolUse": use}}),
        events.custom("server_tool", {"messageId": "t:1:2", "server_tool": {"toolResult": result}}),
        events.custom("citation", {"messageId": "a", "citation": {"title": HOSTILE}}),
    ]
    recorded_turn(conversation, "sing", *activities, *text_events("A song."))
    page = page_of(client, conversation)
    states = [json.loads(unescape(state)) for state in re.findall(r'data-(?:message|result)="([^"]+)"', page)]
    contents = [state["content"] for state in states if state["role"] == "activity"]
    assert sorted(contents, key=str) == sorted((event["value"] for event in activities), key=str)
    assert 'aria-label="Server tool search"' in page
    assert "Elemental Hotel</pre>" in page
    assert HOSTILE not in page
