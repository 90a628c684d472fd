"""A running call's progress in its card, and the card that a site draws itself."""

import json
from html import escape

import pytest
from playwright.sync_api import Page, Route, expect

from conversations.protocol.agui.events import custom
from tests.browser.calls import Calls, opened
from tests.browser.looks import OVERFLOW

TOOLS = {"top_song": {"label": "Song of the day", "card": True}}


@pytest.fixture
def own(page: Page) -> Calls:
    """A conversation of a site that has a label and a card for `top_song`; it draws the first call alone."""
    calls = Calls(page)

    def served(route: Route) -> None:
        response = route.fetch()
        tools = f' data-tools="{escape(json.dumps(TOOLS))}" data-replay='
        route.fulfill(response=response, body=response.text().replace(" data-replay=", tools, 1))

    def drawn(route: Route) -> None:
        if calls.ids[0] not in route.request.url:
            route.fulfill(status=204)
        else:
            state = "asked" if "asked" in route.request.url else "answered"
            route.fulfill(content_type="text/html", body=f"<p><strong>Drawn</strong> as {state}</p>")

    page.route(calls.stage.address, served)
    page.route("**/card/?*", drawn)
    return calls


def progress(calls: Calls, call: str, **value: object) -> None:
    calls.record.write(custom("progress", {"toolCallId": call, **value}))


def test_a_running_call_shows_its_progress_and_then_the_sites_own_card(own: Calls) -> None:
    first, second = own.round(("top_song", {"sign": "WZPZ"}), ("top_song", {"sign": "WKRP"}))
    progress(own, first, done=1, of=4, text="Looking at 1978")
    progress(own, second, done=1200)
    chat = own.live()
    cards = chat.tool("top_song")
    card, other = cards.nth(0), cards.nth(1)
    expect(card.locator(".tool-name")).to_have_text("Song of the day")
    bar = card.get_by_role("progressbar", name="Progress")
    expect(bar).to_have_js_property("position", 0.25)
    expect(card.locator(".progress")).to_have_text("1 of 4 · Looking at 1978")
    expect(other.locator(".progress")).to_have_text("1,200")
    expect(other.get_by_role("progressbar")).to_have_js_property("position", -1)
    chat.page.set_viewport_size({"width": 390, "height": 800})
    assert not chat.page.evaluate(OVERFLOW)
    progress(own, first, done=4, of=4)
    own.stage.play()
    expect(bar).to_have_js_property("position", 1)

    own.answer(first, {"song": "Elemental Hotel"})
    own.answer(second, {"song": "Brick Lane"})
    own.stage.play()
    expect(card.locator(".progress")).to_be_hidden()
    opened(card)
    expect(card.get_by_text("Drawn as answered")).to_be_visible()
    expect(card.locator(".outcome")).to_be_hidden()
    card.get_by_role("button", name="As text").click()
    expect(card.locator(".result")).to_be_visible()
    expect(card.get_by_text("Drawn as answered")).to_be_hidden()
    opened(other)
    expect(other.locator(".outcome .view")).to_contain_text("Brick Lane")
