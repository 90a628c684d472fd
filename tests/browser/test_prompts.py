"""Saved prompts: a slash at the start of a message lists them, here and on the start page."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chat import Chat
from tests.browser.stage import Stage

PROMPTS = {
    1: ("outline", "Write an outline of this."),
    2: ("summary", "Sum up what was said.\nIn three sentences."),
    3: ("to-summer", "Make {{what}} summery, {{ how much }}: {{what}}."),
}
COMPOSE = """box => {
    box.value = "/";
    box.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing: true}));
}"""


def name(pk: int) -> dict[str, object]:
    return {"id": pk, "name": PROMPTS[pk][0], "start": PROMPTS[pk][1]}


def serve(route: Route) -> None:
    """Answers as the server does."""
    _, _, key = route.request.url.partition("?id=")
    body = {"text": PROMPTS[int(key)][1]} if key else {"prompts": [name(pk) for pk in PROMPTS]}
    route.fulfill(body=json.dumps(body), content_type="application/json")


@pytest.fixture
def stage(page: Page) -> Stage:
    page.route("**/settings/prompts/*", serve)
    return Stage(page)


def listed(chat: Chat) -> list[str]:
    """The names in the list."""
    return chat.page.get_by_role("option").locator(".prompt-name").all_text_contents()


def taken_by(chat: Chat, *keys: str) -> None:
    chat.box.fill("")
    chat.box.press("/")
    expect(chat.page.get_by_role("option")).to_have_count(3)
    for key in keys:
        chat.box.press(key)
    expect(chat.page.get_by_role("listbox")).to_be_hidden()


def test_a_slash_lists_the_prompts_and_typing_narrows_them(stage: Stage) -> None:
    chat = stage.served()
    chat.box.evaluate(COMPOSE)
    expect(chat.page.get_by_role("listbox")).to_be_hidden()
    chat.box.fill("")
    chat.box.press("/")
    expect(chat.page.get_by_role("listbox", name="Saved prompts")).to_be_visible()
    chat.until(lambda: listed(chat) == ["/outline", "/summary", "/to-summer"])
    chat.box.press_sequentially("SUM")
    chat.until(lambda: listed(chat) == ["/summary", "/to-summer"])
    chat.box.press_sequentially("x")
    expect(chat.page.get_by_role("listbox")).to_be_hidden()
    expect(chat.box).not_to_have_attribute("aria-activedescendant", re.compile("."))
    for text in ("and /", "/usr/bin"):
        chat.box.fill(text)
        expect(chat.page.get_by_role("listbox")).to_be_hidden()
    chat.box.fill("/out")
    expect(chat.page.get_by_role("option")).to_have_count(1)
    chat.box.press("Escape")
    expect(chat.page.get_by_role("listbox")).to_be_hidden()
    chat.box.press("Enter")
    (frame,) = stage.frames("message")
    assert frame["text"] == "/out"


def test_a_prompt_is_put_into_the_message_and_not_sent(stage: Stage) -> None:
    chat = stage.served()
    for key in ("Tab", "Enter"):
        taken_by(chat, "ArrowUp", "ArrowUp", key)
        expect(chat.box).to_have_value(PROMPTS[2][1])
        expect(chat.box).to_be_focused()
    chat.box.fill("/")
    chat.page.get_by_role("option").first.click()
    expect(chat.box).to_have_value(PROMPTS[1][1])
    expect(chat.box).to_be_focused()
    assert [frame for frame in stage.received if frame["type"] == "message"] == []


def test_variables_are_asked_for_by_keyboard_and_put_in_as_text(stage: Stage) -> None:
    chat = stage.served()
    taken_by(chat, "ArrowUp", "Enter")
    form = chat.page.get_by_role("dialog", name="/to-summer")
    expect(form.get_by_role("textbox")).to_have_count(2)
    expect(form.get_by_role("textbox", name="what", exact=True)).to_be_focused()
    chat.page.keyboard.type("$& {{how much}}")
    chat.page.keyboard.press("Tab")
    chat.page.keyboard.type("a lot")
    chat.page.keyboard.press("Shift+Enter")
    chat.page.keyboard.press("Enter")
    expect(form).to_have_count(0)
    expect(chat.box).to_have_value("Make $& {{how much}} summery, a lot\n: $& {{how much}}.")
    expect(chat.box).to_be_focused()
    taken_by(chat, "ArrowUp", "Enter")
    expect(form.get_by_role("textbox", name="what", exact=True)).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(chat.box).to_have_value("/")
    expect(chat.box).to_be_focused()


def test_names_that_are_fetched_again_leave_the_mark_where_it_is(stage: Stage) -> None:
    chat, routes = stage.served(), list[Route]()
    taken_by(chat, "Escape")
    chat.page.route("**/settings/prompts/", lambda route: routes.append(route))  # noqa: PLW0108 (it takes no built-in)
    chat.box.fill("")
    chat.box.press("/")
    options = chat.page.get_by_role("option")
    expect(options).to_have_count(3)
    chat.box.press("ArrowUp")
    prompts = [name(2), name(3)]
    chat.until(lambda: routes != [])
    routes[0].fulfill(json={"prompts": prompts})
    expect(options).to_have_count(2)
    expect(options.last).to_have_attribute("aria-selected", "true")


def test_escape_calls_off_a_prompt_that_is_on_its_way(stage: Stage) -> None:
    chat, routes = stage.served(), list[Route]()
    page = chat.page
    page.route("**/settings/prompts/?id=*", lambda route: routes.append(route))  # noqa: PLW0108 (it takes no built-in)
    taken_by(chat, "ArrowUp", "ArrowUp", "Enter")
    expect(page.locator(".prompts-state")).to_have_text("Fetching /summary.")
    chat.box.press("Escape")
    expect(page.locator(".prompts-state")).to_be_hidden()
    chat.until(lambda: routes)
    with page.expect_request_finished():
        serve(routes[0])
    page.evaluate("() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve)))")
    expect(chat.box).to_have_value("/")


def test_what_is_awaited_what_has_failed_and_what_is_empty_is_said(page: Page) -> None:
    waiting: list[Route] = []
    page.route("**/settings/prompts/*", lambda route: waiting.append(route))  # noqa: PLW0108 (it takes no built-in)
    chat = Chat.new(page)
    state = page.locator(".prompts-state")
    answers: list[tuple[str, Callable[[Route], None]]] = [
        ("Your prompts could not be fetched.", lambda route: route.fulfill(status=500)),
        ("You have no saved prompts yet.", lambda route: route.fulfill(json={"prompts": []})),
    ]
    for sentence, answer in answers:
        chat.box.press("/")
        expect(state).to_have_text("Fetching your prompts.")
        chat.box.press("Enter")
        expect(chat.box).to_have_value("/")
        chat.until(lambda: waiting)
        answer(waiting.pop())
        expect(state).to_contain_text(sentence)
        chat.box.fill("")
        expect(state).to_be_hidden()
    page.route("**/settings/prompts/*", serve)
    page.route("**/asking.*js", lambda route: route.abort())
    chat.box.press("/")
    page.get_by_role("option").filter(has_text="to-summer").click()
    expect(state).to_have_text("/to-summer could not be fetched.")


def test_the_start_page_has_them_too_and_begins_with_what_was_taken(page: Page) -> None:
    page.goto("/settings/")
    page.get_by_label("Name").last.fill("greet")
    page.get_by_label("Text").last.fill("hello {{who}}")
    page.get_by_role("button", name="Add").click()
    page.goto("/")
    page.get_by_role("button", name="/greet").click()
    page.get_by_role("textbox", name="who").fill("you")
    page.get_by_role("button", name="Insert").click()
    chat = Chat(page)
    expect(chat.box).to_have_value("hello you")
    chat.box.fill("/gr")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_text("/greethello {{who}}")
    chat.box.fill("  ")
    chat.send_button.click()
    chat.box.fill("hello me")
    chat.box.press("Enter")
    page.wait_for_url("**/conversations/*/")
    expect(chat.messages("You")).to_have_text("hello me")
    page.goto("/settings/")
    page.get_by_text("/greet", exact=True).click()
    page.get_by_role("button", name="Delete /greet").click()
    expect(page.get_by_text("/greet is deleted.")).to_be_visible()
