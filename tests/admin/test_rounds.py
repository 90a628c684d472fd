"""A round's page: the request as sent, what was new in it, the response as received."""

import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations import engine
from conversations.admin.markup import json_html
from conversations.admin.requests import difference
from conversations.models import Message, Round
from tests.pages import address_of, html_of, query_count
from tests.turns import QUESTION, ask, conversation_of

pytestmark = pytest.mark.django_db


def differences(before: dict[str, object], now: dict[str, object]) -> dict[str, str]:
    """The differences by name, as text."""
    return {
        name: re.sub("</div>", "\n", re.sub("<div[^>]*>", "", html)) for name, html in difference(before, now)
    }


def message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "content": [{"text": text}]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_round_shows_the_request_and_proves_that_it_is_the_one_sent(operator: Client, user: User) -> None:
    conversation = conversation_of(user, system="You play records.")
    ask(conversation, QUESTION)
    ask(conversation, "And on WKRP?")
    rows = list(Round.objects.order_by("id"))
    for row in rows:
        html = html_of(operator, address_of(row))
        assert "The SHA-256 is that of the bytes sent." in html
        for text in (
            "System prompt",
            "You play records.",
            "Messages",
            QUESTION,
            "Tools",
            "top_song",
            "maxTokens",
        ):
            assert text in html, text
        assert query_count(operator, address_of(row)) < 20
    assert operator.get(
        f"/admin/conversations/round/{rows[-1].pk}/request.json"
    ).content == engine.rebuild_request(rows[-1])
    Message.objects.filter(role="user").update(content=[{"text": "What is the worst song on WZPZ?"}])
    assert "Not the bytes that were sent" in html_of(operator, address_of(rows[0]))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_round_shows_what_is_new_since_the_one_before(operator: Client, user: User) -> None:
    conversation = conversation_of(user)
    ask(conversation, QUESTION)
    ask(conversation, "And on WKRP?")
    first, second, third, *_ = (html_of(operator, address_of(row)) for row in Round.objects.order_by("id"))
    assert "New in this request" not in first
    assert "since turn 1, round 1" in second
    assert "1 unchanged" in second
    assert '<div class="added">+ assistant:' in second
    assert "since turn 1, round 2" in third
    assert re.search(r'<div class="added">\+ user: .*And on WKRP\?', third)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_round_shows_the_response_as_it_came(operator: Client, user: User) -> None:
    ask(conversation_of(user), QUESTION)
    row = Round.objects.order_by("id").first()
    html = html_of(operator, address_of(row))
    for text in ("Response as received", "toolUse", "tool_use", "inputTokens", row.gateway_request_id):
        assert text in html, text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_round_says_how_it_was_asked_again_and_why(operator: Client, user: User) -> None:
    ask(conversation_of(user), f"fail overflow later: {QUESTION}")
    row = Round.objects.get(number=2)
    assert "without results of tool calls" in html_of(operator, "/admin/conversations/round/")
    html = html_of(operator, address_of(row))
    assert "Asked again without results of tool calls." in html
    assert "Input is too long for requested model." in html
    assert "The SHA-256 is that of the bytes sent." in html


def test_a_difference_names_what_was_added_and_left_out() -> None:
    before = {
        "messages": [message("user", "a"), message("assistant", "b")],
        "system": [{"text": "Be kind.\nBe short."}],
    }
    now = {
        "messages": [message("user", "a"), message("user", "c")],
        "system": [{"text": "Be kind.\nBe long."}],
        "x": 1,
    }
    parts = differences(before, now)
    assert list(parts) == ["System prompt", "Messages", "Settings"]
    assert "-Be short.\n+Be long." in parts["System prompt"]
    assert parts["Messages"].splitlines()[0] == "1 unchanged"
    assert "- assistant: " in parts["Messages"]
    assert "+ user: " in parts["Messages"]
    assert parts["Settings"].split() == ["x", "@@", "-0,0", "+1", "@@", "+1"]
    assert differences(now, now) == {}


def test_a_difference_names_the_tools_that_came_and_went() -> None:
    def body(*names: str) -> dict[str, object]:
        return {"messages": [], "toolConfig": {"tools": [{"toolSpec": {"name": name}} for name in names]}}

    lines = differences(body("sing", "dance"), body("sing", "hum"))["Tools"]
    assert lines.split("\n")[0] == "hum"
    assert "dance" in lines
    assert "sing" not in lines


def test_a_difference_of_very_many_messages_is_told_at_once() -> None:
    before = {"messages": [message("user", str(n)) for n in range(3_000)]}
    now = {"messages": [message("user", str(n + 1)) for n in range(3_000)]}
    assert differences(before, now)["Messages"].count("\n") >= 6_000


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "a",
        [],
        {},
        [1, 2],
        {"a": {"b": [{"c": "x" * 100}, 1.5, True]}},
        ["x" * 60] * 5,
        10**30,
        {"<": "&\"'"},
    ],
)
def test_the_text_of_folded_json_is_the_json(value: object) -> None:
    html = json_html(value)
    text = re.sub("<[^>]*>", "", html.split('class="tree">')[1])
    for escaped, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        text = text.replace(escaped, letter)
    assert json.loads(text) == value
    for tag in ("div", "details", "summary", "b", "q", "i"):
        assert html.count(f"<{tag}>") + html.count(f"<{tag} ") == html.count(f"</{tag}>"), tag


def test_folded_json_ends_where_a_page_would_drown() -> None:
    for value in (list(range(100_000)), {str(n): "x" * 50 for n in range(10_000)}, [["x" * 70] * 100] * 100):
        html = json_html(value, "/whole")
        assert len(html) < 400_000
        assert "more</div>" in html
        assert 'href="/whole"' in html
        assert html.count("<div") == html.count("</div>")


def test_what_reorders_text_or_is_no_letter_is_an_escape() -> None:
    html = json_html({"a\u202eb": "\u2066 \ud800 \u2028"})
    assert "\\u202e" in html
    assert "\\u2066 \\ud800 \\u2028" in html
    assert html.encode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_call_that_a_person_asked_for_shows_no_request_since_none_was_sent(
    operator: Client, user: User
) -> None:
    conversation = conversation_of(user)
    call = ask(conversation, QUESTION).tool_calls.get()
    engine.run_again(conversation, call.tool_use_id, "0190a1de-0000-7000-8000-000000000001")
    assert engine.WORKER.wait(20)
    page = html_of(operator, address_of(Round.objects.get(turn__number=2)))
    assert "None was sent: a person asked for this call." in page
    assert "The SHA-256 is that of the bytes sent." not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_picture_of_the_model_is_seen_at_its_round_and_at_its_message(operator: Client, user: User) -> None:
    turn = ask(conversation_of(user), "show a picture")
    row = Round.objects.get(turn=turn)
    for page in (address_of(row), address_of(row.message)):
        [address] = re.findall(r'<img class="picture" src="(.*?)"', html_of(operator, page))
        assert operator.get(address)["Content-Type"] == "image/png"
