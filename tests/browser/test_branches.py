"""Answers asked for again, messages changed in place, and the way between the versions."""

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.chat import UNENDING, Chat
from tests.browser.stage import Stage, write_turn


def button(chat: Chat, name: str) -> Locator:
    """The buttons of that name in the transcript that can be seen."""
    return chat.log.get_by_role("button", name=name, exact=True)


def change(chat: Chat, number: int, text: str) -> None:
    """Changes one of the user's messages and sends it."""
    chat.messages("You").nth(number).get_by_role("button", name="Edit").click()
    chat.log.get_by_role("textbox", name="New wording").fill(text)
    chat.page.keyboard.press("Enter")
    expect(chat.messages("You").nth(number)).to_have_text(text)
    chat.settled()


def test_an_answer_can_be_had_again_and_the_first_stays_reachable(chat: Chat) -> None:
    chat.ask("hello")
    button(chat, "Regenerate").click()
    expect(chat.log.locator(".which")).to_have_text("2 of 2")
    chat.settled()
    expect(chat.messages("You")).to_have_text(["hello"])
    expect(button(chat, "Next version")).to_be_disabled()
    button(chat, "Previous version").click()
    expect(chat.log.locator(".which")).to_have_text("1 of 2")
    expect(button(chat, "Next version")).to_be_focused()
    chat.page.reload()
    expect(chat.log.locator(".which")).to_have_text("1 of 2")


def test_another_model_may_be_asked_instead(chat: Chat) -> None:
    chat.ask("hello")
    button(chat, "With another model").press("Enter")
    menu = chat.page.locator("#models")
    expect(menu.get_by_role("button")).to_have_text(["cohere.command-r-v1:0", "other.model-v1"])
    expect(menu.get_by_role("button").first).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button(chat, "With another model")).to_be_focused()
    button(chat, "With another model").click()
    menu.get_by_role("button", name="other.model-v1").click()
    expect(chat.log.locator(".which")).to_have_text("2 of 2")
    chat.settled()
    state = "JSON.parse(document.querySelector('[data-turn]').dataset.turn).model"
    chat.page.reload()
    assert chat.page.evaluate(state) == "other.model-v1"


def test_an_earlier_message_is_changed_in_its_place_and_begins_a_branch(chat: Chat) -> None:
    chat.ask("first")
    chat.ask("second")
    change(chat, 0, "first, changed")
    expect(chat.messages("You")).to_have_text(["first, changed"])
    expect(chat.box).to_be_focused()
    chat.ask("another second")
    button(chat, "Previous version").click()
    expect(chat.messages("You")).to_have_text(["first", "second"])
    expect(chat.log.locator(".which:visible")).to_have_text(["1 of 2"])
    button(chat, "Next version").click()
    expect(chat.messages("You")).to_have_text(["first, changed", "another second"])
    expect(button(chat, "Previous version")).to_be_focused()


def test_other_tabs_show_the_same_branch(chat: Chat, context: BrowserContext) -> None:
    chat.ask("first")
    chat.ask("second")
    change(chat, 0, "first, changed")
    other = Chat(context.new_page())
    other.page.goto(chat.page.url)
    expect(other.messages("You")).to_have_text(["first, changed"])
    button(other, "Previous version").click()
    for tab in (other, chat):
        expect(tab.messages("You")).to_have_text(["first", "second"])


def test_escape_leaves_a_message_as_it_was(chat: Chat) -> None:
    chat.ask("first")
    edit = chat.messages("You").get_by_role("button", name="Edit")
    edit.click()
    editor = chat.log.get_by_role("textbox", name="New wording")
    editor.fill("not this")
    editor.press("Escape")
    expect(editor).to_have_count(0)
    expect(edit).to_be_focused()
    expect(chat.messages("You")).to_have_text(["first"])


def test_a_refused_change_keeps_the_words_and_says_why(page: Page) -> None:
    stage = Stage(page)
    write_turn(stage.record, "the question", "the answer")
    chat = stage.live()
    chat.messages("You").get_by_role("button", name="Edit").click()
    editor = chat.log.get_by_role("textbox", name="New wording")
    editor.fill("changed")
    editor.press("Enter")
    (frame,) = stage.frames("edit")
    assert (frame["message"], frame["text"]) == ("question-1", "changed")
    expect(editor).not_to_be_editable()
    stage.tell("refused", {"id": frame["id"], "code": "throttled", "message": "Too many turns."})
    expect(chat.log.get_by_role("alert")).to_have_text("Too many turns.")
    expect(editor).to_have_value("changed")
    expect(editor).to_be_editable()
    expect(editor).to_be_focused()


def test_a_change_goes_out_once_the_connection_is_back(page: Page) -> None:
    stage = Stage(page)
    write_turn(stage.record, "the question", "the answer")
    chat = stage.live()
    chat.messages("You").get_by_role("button", name="Edit").click()
    editor = chat.log.get_by_role("textbox", name="New wording")
    editor.fill("changed")
    editor.press("Enter")
    (frame,) = stage.frames("edit")
    stage.socket().close(code=1001)
    chat.until(lambda: stage.frames("edit") == [frame, frame])


def test_while_an_answer_runs_no_other_branch_is_begun_or_shown(chat: Chat) -> None:
    chat.ask("hello")
    button(chat, "Regenerate").click()
    expect(chat.log.locator(".which")).to_have_text("2 of 2")
    chat.settled()
    chat.say(UNENDING)
    expect(chat.stop_button).to_be_visible()
    expect(button(chat, "Regenerate")).to_have_count(0)
    expect(button(chat, "Edit")).to_have_count(0)
    expect(button(chat, "Previous version")).to_be_disabled()


@pytest.mark.parametrize("way", ["live", "served"])
def test_a_branch_shown_elsewhere_is_asked_for_from_the_beginning(page: Page, way: str) -> None:
    stage = Stage(page)
    write_turn(stage.record, "the question", "the answer")
    chat = getattr(stage, way)()
    expect(chat.messages("You")).to_have_count(1)
    stage.socket()
    before = len(stage.sockets)
    stage.tell("branch", {"turn": stage.record.turn})
    chat.until(lambda: len(stage.sockets) == before)
    stage.tell("branch", {"turn": "00000000-0000-4000-8000-00000000abcd"})
    chat.until(lambda: len(stage.sockets) == before + 1)
    assert "after" not in stage.sockets[-1].url


def test_the_menu_leads_to_all_branches(chat: Chat) -> None:
    chat.page.get_by_text("Menu", exact=True).click()
    chat.page.get_by_role("link", name="Branches").click()
    chat.page.wait_for_url("**/tree/")
