"""One question to two models: both answers stream beside each other, and one is kept."""

import re

from playwright.sync_api import Page, expect

from tests.browser.chat import Chat


def attach(page: Page) -> None:
    page.locator("#files").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"WKRP"})


def test_what_is_written_is_asked_of_two_models_and_either_is_kept(chat: Chat) -> None:
    page = chat.page
    chat.ask("hello")
    page.get_by_role("button", name="Ask two").click()
    menu = page.get_by_role("group", name="Ask a second one too")
    second = menu.get_by_role("button", name="other.model-v1")
    expect(second).to_be_focused()
    second.click()
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()  # nothing is written yet
    page.get_by_role("textbox", name="Message").fill("help")
    attach(page)
    page.get_by_role("button", name="Ask two").press("Enter")
    second.press("Enter")
    page.wait_for_url(re.compile("/beside/"))
    for model in ("cohere.command-r-v1:0", "other.model-v1"):
        column = page.frame_locator(f'iframe[title="Conversation with {model}"]')
        questions = column.get_by_role("article", name="You")
        expect(questions).to_contain_text(["hello", "help"])
        expect(questions.last).to_contain_text("notes.txt")
        expect(column.get_by_role("article", name="Assistant").last).to_contain_text("Say one of these")
    page.get_by_role("button", name="Keep this one: other.model-v1").click()
    page.wait_for_url(re.compile(r"/conversations/[0-9a-f-]+/$"))
    expect(chat.messages("You")).to_contain_text(["hello", "help"])
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    page.goto("/")
    page.get_by_role("textbox", name="Message").fill("help")
    attach(page)
    page.get_by_role("button", name="Ask two").press("Enter")
    expect(menu.get_by_role("button")).to_have_text(["other.model-v1"])  # beside the one that is chosen
    second.press("Enter")
    page.wait_for_url(re.compile("/beside/"))
    for number in (0, 1):
        question = page.frame_locator("iframe").nth(number).get_by_role("article", name="You")
        expect(question).to_contain_text("help")
        expect(question).to_contain_text("notes.txt")
