"""The row below a turn: icons with names, figures behind a line, a menu where there is no room."""

import json

from playwright.sync_api import Locator, expect

from tests.browser.chat import Chat
from tests.browser.stage import Stage, write_turn


def test_what_can_be_done_about_a_turn_is_in_a_row_or_behind_a_button(stage: Stage) -> None:
    write_turn(stage.record, "the question", "The answer.")
    stage.extra_context |= {"models": json.dumps(["one", "other"])}
    chat = stage.served()
    row = chat.log.locator(".actions")
    names = ["Copy", "Regenerate", "With another model"]
    for name in names:
        button = row.get_by_role("button", name=name, exact=True)
        expect(button).to_be_visible()
        button.focus()
        expect(button.locator(".tip")).to_be_visible()
        assert width(button.locator(".tip")) > 20, name  # seen by who comes there by keyboard
    expect(row.get_by_role("button", name="More")).to_be_hidden()
    chat.page.set_viewport_size({"width": 360, "height": 780})
    expect(row.get_by_role("button", name="More")).to_be_hidden()  # there is room for all
    expect(row.get_by_role("link", name="Play this turn")).to_be_visible()
    stage.record.branch("the question once more")
    stage.record.step()
    stage.record.text()
    stage.record.part("Another answer.")
    stage.record.end()
    stage.record.finish_step()
    stage.record.finish()
    stage.play()
    expect(row).to_contain_text("2 of 2")
    assert_menu(chat, row)


def width(element: Locator) -> float:
    """How wide it is, in pixels."""
    box = element.bounding_box()
    return box["width"] if box else 0


def assert_menu(chat: Chat, row: Locator) -> None:
    """On a phone the menu opens and closes by pointer and keyboard."""
    page = chat.page
    more, play = row.get_by_role("button", name="More"), row.get_by_role("link", name="Play this turn")
    expect(play).to_be_hidden()
    more.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(play).to_be_visible()
    page.keyboard.press("Tab")
    expect(row.get_by_role("button", name="With another model")).to_be_focused()
    page.keyboard.press("Escape")
    expect(play).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    expect(play).to_be_visible()
    row.get_by_role("button", name="With another model").click()
    expect(page.locator("#models")).to_be_visible()
    page.keyboard.press("Escape")
    chat.messages("You").click()
    expect(play).to_be_hidden()
