"""The owner's first steps on a fresh site: the printed link, the demo gateway, the first question."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat import Chat
from tests.servers import serving_as_is, site

SONG = "What is the most popular song on WZPZ?"


@pytest.fixture
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page that the sign-in link leads to, on a site with no setting but its database."""
    with serving_as_is(site(tmp_path_factory.mktemp("fresh"))) as server:
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        page.goto(server.path)
        yield page
        context.close()


def test_the_first_question_is_answered_with_a_tool_call(page: Page) -> None:
    chat = Chat(page)
    expect(page.get_by_role("banner")).to_contain_text("cohere.command-r-v1:0")
    expect(page.get_by_role("banner")).to_contain_text("demo gateway")
    expect(chat.log).to_be_visible()
    page.get_by_role("button", name=SONG).click()
    expect(chat.box).to_have_value(SONG)
    expect(chat.box).to_be_focused()
    chat.box.press("Enter")
    chat.settled()
    expect(page.get_by_role("button", name=SONG, exact=True)).to_be_hidden()
    expect(chat.messages("You")).to_have_text([SONG])
    expect(chat.messages("Assistant").last).to_contain_text("Elemental Hotel")
    call = chat.tool("top_song")
    expect(call).to_contain_text('{"sign": "WZPZ"}')
    expect(call).to_contain_text('{"song": "Elemental Hotel", "artist": "8 Storey Hike"}')
    expect(call).to_contain_text(re.compile(r"Succeeded\s+\d+ ms"))
    expect(page.get_by_role("heading", level=1)).to_have_text(SONG)
    expect(page).to_have_title(f"{SONG} · Turntable")
    expect(page.get_by_role("navigation", name="Conversations")).to_contain_text(SONG)
