"""A page that loses its connection, and what it makes up for."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conversing import Chat, Line, words


def test_a_message_written_without_a_connection_is_sent_once_when_it_is_back(chat: Chat, line: Line) -> None:
    chat.ask("hello")
    line.cut()
    chat.say("still there?")
    expect(chat.log).to_contain_text("Sending")
    expect(chat.page.get_by_text("Reconnecting…")).to_be_visible()
    line.mend()
    chat.settled()
    expect(chat.page.get_by_text("Reconnecting…")).to_be_hidden()
    expect(chat.messages("You")).to_have_text(["hello", "still there?"])
    assert chat.stored()[0::2] == ["hello", "still there?"]


def test_a_message_on_its_way_survives_a_reload(chat: Chat, line: Line) -> None:
    line.cut()
    chat.say("remember me")
    expect(chat.log).to_contain_text("Sending")
    line.mend()
    chat.page.reload()
    chat.settled()
    expect(chat.messages("You")).to_have_text(["remember me"])


@pytest.mark.parametrize("code", [1011, 4008])
def test_an_answer_goes_on_where_the_connection_was_lost(chat: Chat, line: Line, code: int) -> None:
    chat.say("show a long answer")
    for length in (300, 1500):
        chat.grown(length)
        line.cut(code)
        line.mend()
    chat.settled()
    assert words(chat.messages("Assistant").text_content() or "") == words(chat.stored()[1])
    cursors = [int(re.findall(r"after=(\d+)$", url)[0]) for url in line.opened]
    assert cursors == sorted(set(cursors))


def test_what_was_applied_is_acknowledged(chat: Chat) -> None:
    sent: list[dict[str, Any]] = []
    chat.page.on(
        "websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(json.loads(frame)))
    )
    chat.page.reload()
    chat.ask("show a long answer")
    plain = chat.page.request.get(chat.page.url).text()
    last = int(re.findall(r'data-seq="(\d+)"', plain)[0])
    chat.until(lambda: {"type": "ack", "seq": last} in sent)
    acknowledged = [frame["seq"] for frame in sent if frame["type"] == "ack"]
    assert acknowledged == sorted(set(acknowledged))


def test_who_is_signed_out_is_led_to_the_sign_in_page(
    chat: Chat, line: Line, context: BrowserContext
) -> None:
    chat.ask("hello")
    context.clear_cookies()
    line.cut()
    line.mend()
    chat.page.wait_for_url(re.compile(r"/accounts/login/\?next=/conversations/"))


def test_a_conversation_that_is_gone_says_so(chat: Chat) -> None:
    chat.page.route_web_socket(re.compile("/ws/"), lambda socket: socket.close(code=4404))
    chat.page.reload()
    expect(chat.page.locator("#refusal")).to_have_text("This conversation is not here any more.")
    expect(chat.box).to_be_disabled()
