"""Two tabs of one reader: what happens in a conversation is marked, counted and decided in both."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from conversations import demo_gateway as demo
from tests.browser.chat import Chat
from tests.browser.sites import TOOLS, filing
from tests.servers import Server

DELETE = 'delete_file "{}"'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, quick_gateway: demo.DemoGateway) -> Iterator[Server]:
    """A site with a tool that asks before it runs."""
    with filing(tmp_path_factory.mktemp("filing"), quick_gateway.url, TOOLS) as running:
        yield running


def waiting(page: Page, name: str) -> Chat:
    """A conversation of the tab in which a call waits."""
    chat = Chat.new(page)
    chat.say(DELETE.format(name))
    expect(chat.tool("delete_file").get_by_role("button", name="Approve")).to_be_visible()
    return chat


def row(page: Page, name: str) -> Locator:
    """The conversation in the list beside the page."""
    return page.get_by_role("navigation", name="Conversations").get_by_role("listitem").filter(has_text=name)


def test_what_waits_is_marked_counted_and_decided_in_every_tab(page: Page, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto("/settings/")
    first = waiting(page, "old.csv").page.url
    expect(row(other, "old.csv")).to_contain_text("Waiting for approval")
    waiting(page, "older.csv")
    for tab in (page, other):
        expect(tab).to_have_title(re.compile(r"^\(2\) .+ · Turntable$"))
        tab.get_by_role("link", name="2 waiting for your approval").click()
        expect(tab.get_by_role("heading", name="Waiting for you")).to_be_visible()
    calls = page.get_by_role("group", name="Tool call delete_file")
    reason = calls.last.get_by_label("Reason")
    reason.fill("it is still needed")
    with page.expect_response("**/waiting/"):  # what has changed is fetched
        other.get_by_role("group", name="Tool call delete_file").first.get_by_role(
            "button", name="Approve"
        ).click()
        expect(other.get_by_role("status")).to_contain_text("delete_file is approved.")
    expect(calls).to_have_count(1)
    expect(reason).to_have_value("it is still needed")
    expect(reason).to_be_focused()
    expect(row(page, "old.csv")).to_contain_text("Unread")
    reason.press("Enter")
    expect(page.locator("main")).to_contain_text("Nothing waits for you.")
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_focused()
    expect(page).to_have_title("Waiting for you · Turntable")
    expect(other.get_by_role("link", name="waiting for your approval")).to_be_hidden()
    expect(row(page, "older.csv")).to_contain_text("Unread")
    other.goto(first)
    expect(row(page, "old.csv").first).not_to_contain_text("Unread")
    expect(row(page, "older.csv")).to_contain_text("Unread")


NOTIFICATIONS = "JSON.parse(localStorage.getItem('notifications') ?? '[]')"
UNSEEN = """
    Object.defineProperty(document, "hidden", { get: () => true });
    window.Notification = class {
        static permission = "granted";
        static requestPermission = async () => "granted";
        constructor(title, { body }) {
            const earlier = JSON.parse(localStorage.getItem("notifications") ?? "[]");
            localStorage.setItem("notifications", JSON.stringify([...earlier, `${title}: ${body}`]));
            window.newest = this;
        }
        close() {}
    };
"""
"""A tab that is never in sight, whose notifications are kept where each tab can read them."""


@pytest.mark.own_browser
def test_what_happens_out_of_sight_is_told_once_by_a_notification_that_leads_there(
    page: Page, context: BrowserContext
) -> None:
    context.add_init_script(UNSEEN)
    tabs = [page, context.new_page()]
    for tab in tabs:
        tab.goto("/settings/")
    page.get_by_role("button", name="Turn notifications on").click()
    expect(page.get_by_role("button", name="Turn notifications off")).to_be_visible()
    texts = ("hello", DELETE.format("oldest.csv"))  # what an earlier test began may end now
    notifications: list[str] = []
    for text, body in zip(texts, ("The answer has ended.", "A call waits for your approval."), strict=True):
        begin(page, text)
        notifications.append(f"{text}: {body}")
        Chat(page).until(
            lambda: [one for one in page.evaluate(NOTIFICATIONS) if one.startswith(texts)] == notifications
        )
    clicked = [tab for tab in tabs if tab.evaluate("'newest' in window")]
    assert len(clicked) == 1
    clicked[0].evaluate("window.newest.onclick()")
    expect(clicked[0].get_by_role("group", name="Tool call delete_file")).to_contain_text("oldest.csv")
    row(page, "hello").get_by_role("link").click()  # which is then open, and not in sight
    begin(page, "show markdown")
    expect(row(page, "show markdown")).to_contain_text("Unread")
    expect(row(page, "hello")).to_contain_text("Unread")


def begin(page: Page, text: str) -> None:
    """Starts a conversation in no tab."""
    [token] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken"]
    page.request.post(
        "/conversations/", form={"csrfmiddlewaretoken": token, "message": text}, max_redirects=0
    )
