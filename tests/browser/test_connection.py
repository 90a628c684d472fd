"""A page that loses its connection makes up for what it has missed."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, WebSocketRoute, expect

from tests.browser.chat import Chat, Connection, words
from tests.reducing.record import Record

OFFLINE = "Offline, will reconnect. What you send waits here until then."


def test_a_message_written_without_a_connection_is_sent_once_when_it_is_back(
    chat: Chat, connection: Connection
) -> None:
    chat.ask("hello")
    connection.cut()
    chat.say("still there?")
    expect(chat.log).to_contain_text("Sending")
    expect(chat.page.get_by_text(OFFLINE)).to_be_visible()
    connection.mend()
    chat.settled()
    expect(chat.page.get_by_text(OFFLINE)).to_be_hidden()
    expect(chat.messages("You")).to_have_text(["hello", "still there?"])
    assert chat.stored_messages()[0::2] == ["hello", "still there?"]


def test_an_answer_is_stopped_as_soon_as_there_is_a_connection(chat: Chat, connection: Connection) -> None:
    chat.say("show a long answer")
    chat.grown(100)
    connection.cut()
    chat.stop()
    expect(chat.page.locator("#refusal")).to_have_text(
        "There is no connection. The answer is stopped when there is one."
    )
    connection.mend()
    chat.settled()
    expect(chat.log).to_contain_text("Stopped")
    expect(chat.page.locator("#refusal")).to_be_hidden()


def test_a_message_on_its_way_survives_a_reload(chat: Chat, connection: Connection) -> None:
    connection.cut()
    chat.say("remember me")
    expect(chat.log).to_contain_text("Sending")
    connection.mend()
    chat.page.reload()
    chat.settled()
    expect(chat.messages("You")).to_have_text(["remember me"])


@pytest.mark.parametrize("code", [1011, 4008])
def test_an_answer_goes_on_where_the_connection_was_lost(
    chat: Chat, connection: Connection, code: int
) -> None:
    chat.say("show a long answer")
    for length in (300, 1500):
        chat.grown(length)
        connection.cut(code)
        connection.mend()
    chat.settled()
    assert words(chat.messages("Assistant").text_content() or "") == words(chat.stored_messages()[1])
    cursors = [int(re.findall(r"after=(\d+)$", url)[0]) for url in connection.urls]
    assert cursors == sorted(set(cursors))


def test_what_was_applied_is_acknowledged(chat: Chat) -> None:
    frames: list[dict[str, Any]] = []
    chat.page.on(
        "websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(json.loads(frame)))
    )
    chat.page.reload()
    chat.ask("show a long answer")
    plain = chat.page.request.get(chat.page.url).text()
    last = int(re.findall(r'data-seq="(\d+)"', plain)[0])
    chat.until(lambda: {"type": "ack", "seq": last} in frames)
    acknowledged = [frame["seq"] for frame in frames if frame["type"] == "ack"]
    assert acknowledged == sorted(set(acknowledged))


def test_who_is_signed_out_is_told_and_keeps_what_was_written(
    chat: Chat, connection: Connection, context: BrowserContext
) -> None:
    chat.ask("hello")
    cookies = context.cookies()
    context.clear_cookies()
    connection.cut()
    connection.mend()
    expect(chat.page.get_by_role("alert").filter(has_text="You have been signed out.")).to_be_visible()
    chat.say("still here?")
    chat.box.fill("half a thou")
    chat.page.get_by_role("link", name="Sign in again").click()
    chat.page.wait_for_url(re.compile(r"/accounts/login/\?next=/conversations/"))
    context.add_cookies(cookies)  # type: ignore[arg-type]
    chat.page.go_back()
    chat.settled()
    expect(chat.box).to_have_value("half a thou")
    expect(chat.messages("You")).to_have_text(["hello", "still here?"])


def test_a_page_that_sent_too_much_says_so_and_comes_back(chat: Chat, connection: Connection) -> None:
    connection.cut(1008)
    expect(chat.page.get_by_text("That was too much at once. Going on more slowly.")).to_be_visible()
    connection.mend()
    chat.ask("hello")
    expect(chat.page.locator("#connection")).to_be_empty()


def test_a_page_that_reads_past_a_gap_asks_for_what_is_missing(chat: Chat) -> None:
    urls: list[str] = []

    def serve(socket: WebSocketRoute) -> None:
        urls.append(socket.url)
        record = Record()
        record.ask("hello")
        events = record.events if len(urls) > 1 else [record.events[0], record.events[2]]
        for event in events:
            socket.send(json.dumps(event))

    chat.page.route_web_socket(re.compile("/ws/"), serve)
    chat.page.reload()
    expect(chat.messages("You")).to_have_text(["hello"])
    assert [int(re.findall(r"after=(\d+)$", url)[0]) for url in urls] == [0, 1]


def test_the_waiting_doubles_up_to_a_limit_and_is_any_part_of_it(chat: Chat) -> None:
    waits = """async () => {
        const {waitBefore} = await import("/static/conversations/chat/socket.js");
        return [0, 1, 2, 9].map((attempt) => [waitBefore(attempt, 0), waitBefore(attempt, 1)]);
    }"""
    assert chat.page.evaluate(waits) == [[0, 500], [0, 1000], [0, 2000], [0, 20000]]


def test_a_conversation_that_is_gone_says_so(chat: Chat) -> None:
    chat.page.route_web_socket(re.compile("/ws/"), lambda socket: socket.close(code=4404))
    chat.page.reload()
    expect(chat.page.locator("#refusal")).to_have_text("This conversation is not here any more.")
    expect(chat.box).to_be_disabled()
