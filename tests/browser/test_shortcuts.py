"""Shortcuts: what they do where, and what they leave alone."""

from functools import partial

from playwright.sync_api import Page, expect

from tests.browser.chat import UNENDING, Chat

COMPOSING = """box => {
    for (const [type, more] of [["isComposing", {isComposing: true}], ["keyCode", {keyCode: 229}]])
        box.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true, cancelable: true, ...more}));
}"""


def copied(page: Page, words: str) -> bool:
    """Whether these words are in what was copied."""
    return words in page.evaluate("navigator.clipboard.readText()")


def test_escape_stops_what_runs_unless_something_else_is_open_or_composed(chat: Chat) -> None:
    page = chat.page
    chat.begin(UNENDING)
    chat.box.evaluate(COMPOSING)
    page.locator("details.menu summary").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Playback", exact=True)).to_be_hidden()
    chat.log.focus()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_contain_text("Stop the answer")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(chat.log).to_be_focused()
    expect(chat.stop_button).to_be_enabled()
    page.keyboard.press("Escape")
    expect(chat.log).to_contain_text("Stopped.")
    expect(chat.box).to_be_focused()


def test_keys_of_a_conversation_edit_and_copy_the_last_and_write_where_one_writes(chat: Chat) -> None:
    page = chat.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("Alt+Shift+C")
    expect(page.locator(".toast")).to_have_text("There is no answer to copy.")
    chat.ask("show markdown")
    for keys, words in (("Alt+Shift+C", "# "), ("Alt+Shift+K", "def ")):
        page.keyboard.press(keys)
        chat.until(partial(copied, page, words))
    chat.box.fill("?")
    chat.box.press("?")
    chat.box.press("ArrowUp")
    expect(chat.box).to_have_value("??")
    chat.box.fill("")
    chat.box.press("ArrowUp")
    wording = page.get_by_role("textbox", name="New wording")
    expect(wording).to_be_focused()
    expect(wording).to_have_value("show markdown")
    wording.press("Escape")
    expect(chat.box).to_be_focused()


def test_the_sheet_opens_on_every_page_by_a_button_too_and_closes_by_a_click_beside_it(page: Page) -> None:
    page.goto("/settings/")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_role("button", name="Close")).to_be_focused()
    page.mouse.click(5, 5)
    expect(sheet).to_have_count(0)
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_focused()
    page.keyboard.press("Alt+Shift+N")
    page.wait_for_url("**/conversations/*/")
    page.goto("/waiting/")  # which has no box and no transcript
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
