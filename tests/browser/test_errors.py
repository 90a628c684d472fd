"""Failures say what failed, what to do and what to quote, and no wait goes on without a word."""

import re

import pytest
from playwright.sync_api import expect

from conversations.web.sentences import SENTENCES
from tests.browser.chat import Chat
from tests.browser.stage import Stage

WAYS = ("live", "snapshot", "served")
MESSAGE = "The gateway failed. Send again in a moment. (It said: no.)"


def failed(stage: Stage, code: str, request: str = "") -> None:
    """A turn that failed, with the gateway's number of its request if there is one."""
    stage.record.ask("the question")
    stage.record.step()
    stage.record.fail(MESSAGE, code)
    if request:
        stage.record.events[-1]["metadata"]["requestId"] = request


def adjusted(stage: Stage) -> None:
    """A turn that was asked again without something, and refused all the same."""
    stage.record.ask("the question")
    stage.record.step()
    stage.record.adjust("this model does not see")
    stage.record.adjust("nor hear")
    stage.record.fail("It was refused.", "invalid_request")
    stage.record.events[-1]["metadata"]["leftOut"] = True


@pytest.mark.parametrize("way", WAYS)
def test_it_is_said_which_side_failed_what_to_do_what_to_quote_and_what_was_left_out(
    stage: Stage, way: str
) -> None:
    codes = ("gateway_refused", "stream_error", "internal", "not a code", "gateway_failed")
    for code in codes[:-1]:
        failed(stage, code)
    adjusted(stage)
    failed(stage, codes[-1], "kong-4711")
    chat: Chat = getattr(stage, way)()
    alert, sides = chat.alert.filter(has_text=MESSAGE), SENTENCES["failed"]
    expect(alert.locator(".side")).to_have_text([sides.get(code, sides[""]) for code in codes])
    expect(alert.locator("strong")).to_have_text(["The gateway failed."] * len(codes))
    expect(alert.locator(".failure")).to_have_text([MESSAGE] * len(codes))
    expect(alert.last.locator(".quoted")).to_have_text("Gateway's request")
    expect(alert.last.locator("code")).to_have_text("kong-4711")
    expect(chat.log.locator(".adjusted summary")).to_have_text(["Asked again without pictures."] * 2)
    chat.log.locator(".adjusted summary").last.click()
    expect(chat.log.get_by_text("nor hear")).to_be_visible()
    refusal = "This message was refused. Later requests are without it."
    expect(chat.messages("You").filter(has_text=refusal)).to_have_count(1)
    expect(chat.messages("You").nth(-2)).to_contain_text(refusal)


def test_every_code_of_the_contract_has_a_side() -> None:
    first = "throttled gateway_unreachable gateway_refused gateway_failed invalid_request context_overflow timeout"
    codes = f"{first} stream_cut stream_error round_limit max_tokens interrupted internal".split()
    assert set(codes) == set(SENTENCES["failed"]) - {""}


def test_else_the_turn_is_quoted_and_the_id_can_be_copied(stage: Stage) -> None:
    failed(stage, "internal")
    chat = stage.live()
    expect(chat.alert.locator(".quoted")).to_have_text("Turn")
    expect(chat.alert.locator("code")).to_have_text(stage.record.turn)
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.alert.get_by_role("button", name="Copy the id").click()
    expect(chat.page.locator("#announcer")).to_contain_text("Copied.")
    assert chat.page.evaluate("navigator.clipboard.readText()") == stage.record.turn


def test_without_a_script_there_is_the_id_and_no_button(stage: Stage) -> None:
    failed(stage, "internal")
    stage.chat.page.route("**/conversation.js", lambda route: route.abort())
    chat = stage.served()
    expect(chat.alert.locator("code")).to_have_text(stage.record.turn)
    expect(chat.alert.get_by_role("button")).to_have_count(0)


def at_leisure(stage: Stage) -> Chat:
    """The page, whose clock the test moves."""
    stage.chat.page.clock.install(time=0)
    return stage.live()


@pytest.mark.own_browser
def test_a_turn_that_nothing_is_heard_of_says_for_how_long(stage: Stage) -> None:
    stage.record.ask("the question")
    stage.record.step()
    chat = at_leisure(stage)
    doing = chat.log.locator(".doing")
    expect(doing).to_have_text("Waiting for the model")
    chat.page.clock.pause_at(120)  # a longer leap would be a sleep of the machine
    stage.tell("refused", {"id": None, "code": "throttled", "message": "That was heard."})
    expect(chat.page.locator("#refusal")).to_have_text("That was heard.")
    chat.page.clock.run_for(59_000)
    expect(doing).to_have_text("Waiting for the model")
    chat.page.clock.run_for(6_000)
    expect(doing).to_contain_text("Waiting for the model. Nothing new for 1 min ")
    chat.page.clock.resume()
    stage.record.text()
    stage.record.part("Here")
    stage.play()
    expect(doing).to_have_text("Writing")


@pytest.mark.own_browser
def test_a_message_that_is_not_confirmed_says_for_how_long(stage: Stage) -> None:
    chat = at_leisure(stage)
    chat.say("are you there?")
    doing = chat.log.locator(".doing")
    expect(doing).to_have_text("Sending")
    chat.page.clock.run_for(12_000)
    expect(doing).to_have_text(re.compile(r"^Sending\. The server has not confirmed it for \d\d s$"))
    stage.record.ask("are you there?")
    for event in stage.record.events:
        if "messageId" in event:
            event["messageId"] = stage.frames("message")[0]["id"]
    stage.play()
    expect(doing).to_have_text("Waiting for the model")


@pytest.mark.own_browser
def test_a_page_without_a_connection_does_not_count_the_silence(stage: Stage) -> None:
    stage.record.ask("the question")
    stage.record.step()
    chat = at_leisure(stage)
    doing = chat.log.locator(".doing")
    expect(doing).to_have_text("Waiting for the model")
    stage.cut()
    chat.page.clock.run_for(90_000)
    expect(chat.page.locator("#connection")).to_contain_text("Offline, will reconnect.")
    expect(doing).to_have_text("Waiting for the model")


def test_what_needs_a_connection_says_that_there_is_none(stage: Stage) -> None:
    failed(stage, "gateway_failed")
    chat = stage.live()
    again = chat.log.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    stage.cut()
    expect(chat.page.locator("#connection")).to_contain_text("Offline, will reconnect.")
    again.click()
    expect(chat.page.locator("#refusal")).to_have_text("Not done: there is no connection.")
    expect(again).to_be_visible()
