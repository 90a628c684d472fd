"""Approvals and calls that are run again, on a real server with tools of its own."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from conversations import demo_gateway as demo
from tests.browser.calls import opened, picture_in_base64, press
from tests.browser.chat import Chat
from tests.browser.sites import filing
from tests.servers import Server

TOOLS = f'''
import base64

from conversations.tools import Image, tool

@tool(approval=True)
def delete_file(path: str) -> dict[str, str]:
    """Delete a file."""
    return {{"deleted": path}}

@tool
def count_files(path: str) -> list[dict[str, object]]:
    """Count files."""
    return [{{"path": path, "files": 12}}, {{"path": "other", "files": 3}}]

@tool
def draw_cover(name: str) -> list[object]:
    """Draw a cover."""
    return [f"The cover of {{name}}:", Image(base64.b64decode("{picture_in_base64()}"))]
'''
DELETE = 'delete_file "old.csv"'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, quick_gateway: demo.DemoGateway) -> Iterator[Server]:
    """A site whose app `filing` has tools."""
    with filing(tmp_path_factory.mktemp("filing"), quick_gateway.url, TOOLS) as running:
        yield running


@pytest.fixture
def card(chat: Chat) -> Locator:
    """The card of a call that waits."""
    chat.say(DELETE)
    card = chat.tool("delete_file")
    expect(card.get_by_role("button", name="Approve")).to_be_visible()
    return card


def test_an_approved_call_runs_and_the_answer_goes_on(chat: Chat, card: Locator) -> None:
    expect(card).to_contain_text("Expires in")
    chat.page.reload()
    press(card, "Approve")
    expect(card.locator(".tool-state")).to_have_text("Succeeded")
    expect(card.locator(".decision")).to_have_text("Approved by owner")
    chat.settled()
    expect(chat.messages("Assistant").last).to_contain_text("old.csv")
    transcript = chat.transcript()
    chat.page.reload()
    chat.until(lambda: chat.transcript() == transcript)


def test_a_denied_call_does_not_run_and_the_model_is_told_why(chat: Chat, card: Locator) -> None:
    card.get_by_label("Reason").fill("it is still needed")
    press(card, "Deny")
    expect(card.locator(".tool-state")).to_have_text("Denied")
    expect(card.locator(".decision")).to_have_text("Denied by owner: it is still needed")
    expect(card.locator(".outcome")).to_contain_text("it is still needed")
    chat.settled()


def test_a_call_runs_with_changed_arguments(chat: Chat, card: Locator) -> None:
    press(card, "Edit arguments")
    card.get_by_role("textbox", name="Arguments").fill('{"path": "older.csv"}')
    press(card, "Approve and run")
    expect(card.locator(".decision")).to_have_text("Approved by owner with changed arguments")
    expect(card.locator(".changed")).to_contain_text("older.csv")
    expect(card.locator(".outcome").get_by_role("listitem").last).to_have_text("deletedolder.csv")
    chat.settled()


def approve(card: Locator) -> bool:
    """Presses the button; whether the page has a connection by then."""
    press(card, "Approve")
    return "there is no connection" not in (card.text_content() or "")


def test_a_second_tab_may_decide_and_the_first_one_is_told(
    chat: Chat, card: Locator, context: BrowserContext
) -> None:
    other = Chat(context.new_page())
    other.page.goto(chat.page.url)
    other.until(lambda: approve(other.tool("delete_file")))
    expect(card.locator(".decision")).to_have_text("Approved by owner")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    chat.settled()


def test_stopping_withdraws_the_question(chat: Chat, card: Locator) -> None:
    chat.stop_button.click()
    expect(card.locator(".tool-state")).to_have_text(re.compile("Stopped|Denied"))
    expect(card.locator(".decision")).to_contain_text("Withdrawn")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)


def test_what_is_always_allowed_is_not_asked_again(chat: Chat) -> None:
    chat.say('delete_file "always.csv"')
    card = chat.tool("delete_file")
    card.get_by_role("checkbox").check()
    press(card, "Approve")
    expect(card.locator(".tool-state")).to_have_text("Succeeded")
    chat.settled()
    chat.ask('delete_file "always.csv"')
    expect(card.last.locator(".decision")).to_have_text("Allowed by your standing permission")
    expect(card.last.locator(".tool-state")).to_have_text("Succeeded")


def test_a_call_is_run_again_as_it_was_and_with_changes(chat: Chat) -> None:
    chat.ask('count_files "here"')
    card = chat.tool("count_files")
    expect(opened(card).get_by_role("table")).to_be_visible()
    press(card, "Run again")
    expect(card).to_have_count(2)
    chat.settled()
    expect(opened(card.nth(1)).get_by_role("cell").first).to_have_text("here")
    press(card.nth(1), "Run again with changes")
    card.nth(1).get_by_role("textbox", name="Arguments").fill('{"path": "there"}')
    press(card.nth(1), "Run")
    expect(card).to_have_count(3)
    chat.settled()
    expect(opened(card.nth(2)).get_by_role("cell").first).to_have_text("there")
    expect(chat.messages("You").nth(1)).to_contain_text("Run count_files again.")


def test_a_picture_comes_through_the_page_s_policy(chat: Chat) -> None:
    chat.ask('draw_cover "Elemental Hotel"')
    card = opened(chat.tool("draw_cover"))
    expect(card.locator(".paragraph")).to_have_text("The cover of Elemental Hotel:")
    image = card.get_by_role("img")
    chat.until(lambda: image.evaluate("(one) => one.naturalWidth") == 96)
