"""A call that has ended is run again, as it was or with other arguments."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.calls import Calls, opened, press


@pytest.fixture
def ended(page: Page) -> Calls:
    """A call that has ended."""
    calls = Calls(page)
    calls.one({"sign": "WZPZ"}, {"song": "Elemental Hotel"})
    calls.finish()
    return calls


def test_a_call_is_run_again(ended: Calls) -> None:
    card = opened(ended.live().tool("top_song"))
    press(card, "Run again")
    frame = ended.frame("run")
    assert frame["call"] == ended.ids[0]
    assert "arguments" not in frame
    expect(card).to_contain_text("Running top_song again …")
    expect(card.get_by_role("button", name="Run again", exact=True)).to_be_disabled()
    ended.stage.tell("queued", [{"id": frame["id"], "text": "Run top_song again."}])
    expect(card.get_by_role("button", name="Run again", exact=True)).to_be_enabled()
    expect(card).not_to_contain_text("Running top_song again …")


def test_a_call_is_run_again_with_changes(ended: Calls) -> None:
    card = opened(ended.live().tool("top_song"))
    press(card, "Run again with changes")
    card.get_by_role("textbox", name="Arguments").fill('{"sign": "WKRP"}')
    press(card, "Run")
    assert ended.frame("run")["arguments"] == {"sign": "WKRP"}
    expect(card.get_by_role("button", name="Run again with changes")).to_be_focused()


def test_a_run_that_is_refused_says_why(ended: Calls) -> None:
    card = opened(ended.live().tool("top_song"))
    press(card, "Run again")
    ended.refuses(ended.frame("run"), "There is no tool top_song here.")
    expect(card).to_contain_text("There is no tool top_song here.")
    expect(card.get_by_role("button", name="Run again", exact=True)).to_be_enabled()
