"""Writing, sending, stopping, queueing."""

import re
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser.chat import UNENDING, Chat
from tests.browser.stage import Stage
from tests.servers import Server, manage, serving, site


def test_shift_enter_breaks_the_line_and_enter_sends(chat: Chat) -> None:
    chat.box.press_sequentially("one")
    chat.box.press("Shift+Enter")
    chat.box.press_sequentially("two")
    expect(chat.box).to_have_value("one\ntwo")
    expect(chat.messages("You")).to_have_count(0)
    chat.box.press("Enter")
    expect(chat.box).to_have_value("")
    chat.settled()
    assert chat.stored_messages()[0] == "one\ntwo"
    assert chat.messages("You").text_content() == "one\ntwo"


def test_enter_within_an_input_method_is_the_input_method_s(chat: Chat) -> None:
    chat.box.fill("にほん")
    for confirmation in (
        {"isComposing": True},
        {"keyCode": 229},
    ):  # the latter by Safari, after the composition
        chat.box.dispatch_event("keydown", {"key": "Enter"} | confirmation)
        expect(chat.box).to_have_value("にほん")
    chat.page.goto("/")
    box = chat.page.get_by_role("textbox", name="Message")
    box.fill("にほん")
    box.dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    expect(box).to_have_value("にほん")
    expect(chat.page).to_have_url(re.compile("/$"))


def test_on_a_touch_screen_enter_breaks_the_line(
    browser: Browser, server: Server, signed_in: StorageState
) -> None:
    context = browser.new_context(
        base_url=server.url, storage_state=signed_in, has_touch=True, is_mobile=True
    )
    chat = Chat.new(context.new_page())
    chat.box.press_sequentially("one")
    chat.box.press("Enter")
    chat.box.press_sequentially("two")
    expect(chat.box).to_have_value("one\ntwo")
    chat.box.press("Control+Enter")
    expect(chat.messages("You")).to_have_text("one\ntwo")
    context.close()


def test_a_blank_message_is_not_sent(chat: Chat) -> None:
    chat.say("  \n ")
    chat.send_button.click()
    chat.ask("hello")
    expect(chat.messages("You")).to_have_text(["hello"])


def test_any_tab_can_stop(chat: Chat, context: BrowserContext) -> None:
    chat.say(UNENDING)
    other = Chat(context.new_page())
    other.page.goto(chat.page.url)
    other.stop()
    expect(chat.log).to_contain_text("Stopped.")
    expect(other.log).to_contain_text("Stopped.")


def test_a_turn_that_waits_for_an_approval_can_be_stopped(page: Page) -> None:
    stage = Stage(page)
    for move in ("ask", "step", "call", "end", "finish_step", "wait"):
        getattr(stage.record, move)("")
    chat = stage.live()
    expect(chat.stop_button).to_be_enabled()
    chat.stop_button.click()
    assert stage.frames("stop") == [{"type": "stop"}]


def test_a_message_sent_while_an_answer_runs_is_queued_and_answered_next(chat: Chat) -> None:
    chat.say(UNENDING)
    expect(chat.messages("Assistant")).not_to_be_empty()
    chat.say("hello there")
    expect(chat.log).to_contain_text("Queued")
    chat.page.reload()
    expect(chat.log).to_contain_text("Queued")
    expect(chat.messages("You")).to_have_text([UNENDING, "hello there"])
    chat.stop()
    chat.settled()
    expect(chat.messages("You")).to_have_text([UNENDING, "hello there"])
    expect(chat.messages("Assistant")).to_have_count(2)


def test_a_refused_message_comes_back_with_the_reason(chat: Chat) -> None:
    long = "x" * 100_001
    chat.say(long)
    expect(chat.page.locator("#refusal")).to_be_visible()
    expect(chat.page.locator("#refusal")).to_have_role("alert")
    expect(chat.box).to_have_value(long)
    expect(chat.messages("You")).to_have_count(0)
    chat.ask("short")
    expect(chat.page.locator("#refusal")).to_be_hidden()


def test_a_draft_survives_a_reload(chat: Chat) -> None:
    chat.box.fill("half a thou")
    chat.page.reload()
    expect(chat.box).to_have_value("half a thou")


def test_a_conversation_starts_with_its_first_message_and_the_chosen_model(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Model").select_option("other.model-v1")
    page.get_by_role("textbox", name="Message").fill("hello\nyou")
    page.keyboard.press("Enter")
    page.wait_for_url("**/conversations/*/")
    chat = Chat(page)
    chat.settled()
    assert chat.messages("You").text_content() == "hello\nyou"
    expect(page.get_by_role("banner")).to_contain_text("other.model-v1")
    page.reload()
    expect(chat.messages("You")).to_have_count(1)
    expect(chat.box).to_have_value("")


PASSWORD = "from django.contrib.auth.models import User; user = User.objects.get(); user.set_password('x'); user.save()"


def test_a_message_is_sent_by_the_sign_in_when_the_session_has_ended_meanwhile(
    browser: Browser, tmp_path: Path
) -> None:
    environment = site(tmp_path)
    with serving(environment) as server:
        page = browser.new_context(base_url=server.url).new_page()
        page.goto(server.path)
        page.goto("/")
        assert manage(environment, "shell", "--no-imports", "-c", PASSWORD).returncode == 0
        page.get_by_role("textbox", name="Message").fill("hello\nyou")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text(
            "Your message is kept, and sent once you have signed in."
        )
        page.get_by_label("User name").fill("owner")
        page.get_by_label("Password").fill("x")
        page.keyboard.press("Enter")
        page.wait_for_url("**/conversations/*/")
        chat = Chat(page)
        chat.settled()
        expect(chat.messages("You")).to_have_count(1)
        assert chat.messages("You").text_content() == "hello\nyou"
        page.context.close()
