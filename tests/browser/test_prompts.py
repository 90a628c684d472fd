"""Saved prompts: a slash at the start of a message lists them."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conversing import Chat
from tests.browser.staging import Stage

PROMPTS = [
    {"name": "outline", "text": "Write an outline of this."},
    {"name": "summary", "text": "Sum up what was said.\nIn three sentences."},
    {"name": "to-summer", "text": "Make it summery."},
]


@pytest.fixture
def stage(page: Page) -> Stage:
    stage = Stage(page)
    stage.extra_context = {"prompts": json.dumps(PROMPTS)}
    return stage


def listed(chat: Chat) -> list[str]:
    """The names in the list."""
    return chat.page.get_by_role("option").locator(".prompt-name").all_text_contents()


def test_a_slash_lists_the_prompts_and_typing_narrows_them(stage: Stage) -> None:
    chat = stage.served()
    chat.box.press("/")
    expect(chat.page.get_by_role("listbox", name="Saved prompts")).to_be_visible()
    assert listed(chat) == ["/outline", "/summary", "/to-summer"]
    chat.box.press_sequentially("SUM")
    chat.until(lambda: listed(chat) == ["/summary", "/to-summer"])
    chat.box.press_sequentially("x")
    expect(chat.page.get_by_role("listbox")).to_be_hidden()
    assert not chat.box.get_attribute("aria-activedescendant")


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_a_key_puts_the_prompt_into_the_message_and_sends_nothing(stage: Stage, key: str) -> None:
    chat = stage.served()
    chat.box.press("/")
    chat.box.press("ArrowUp")
    chat.box.press("ArrowUp")
    marked = chat.page.get_by_role("option", selected=True)
    expect(marked).to_contain_text("/summary")
    expect(chat.box).to_have_attribute("aria-activedescendant", marked.get_attribute("id") or "?")
    chat.box.press(key)
    expect(chat.box).to_have_value(PROMPTS[1]["text"])
    expect(chat.box).to_be_focused()
    expect(chat.page.get_by_role("listbox")).to_be_hidden()
    chat.box.press("Enter")
    (frame,) = stage.frames("message")
    assert frame["text"] == PROMPTS[1]["text"]


def test_escape_closes_the_list_and_what_was_written_can_be_sent(stage: Stage) -> None:
    chat = stage.served()
    chat.box.press_sequentially("/out")
    chat.box.press("Escape")
    expect(chat.page.get_by_role("listbox")).to_be_hidden()
    chat.box.press("Enter")
    (frame,) = stage.frames("message")
    assert frame["text"] == "/out"


def test_a_prompt_can_be_pressed(stage: Stage) -> None:
    chat = stage.served()
    chat.box.press("/")
    chat.page.get_by_role("option").last.click()
    expect(chat.box).to_have_value(PROMPTS[2]["text"])
    expect(chat.box).to_be_focused()


def test_a_slash_within_a_message_is_a_slash(stage: Stage) -> None:
    chat = stage.served()
    chat.box.press_sequentially("and /")
    expect(chat.page.get_by_role("listbox")).to_be_hidden()
    chat.box.fill("/usr/bin")
    expect(chat.page.get_by_role("listbox")).to_be_hidden()


def test_without_prompts_a_slash_is_a_slash(chat: Chat) -> None:
    chat.ask("/")
    expect(chat.messages("You")).to_have_text(["/"])
    expect(chat.page.get_by_role("listbox")).to_be_hidden()
