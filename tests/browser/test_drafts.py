"""A draft: on the server soon after it is written, and never lost or overwritten without a word."""

import time

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.chat import Chat, Connection
from tests.browser.stage import Stage


def drafts(stage: Stage) -> list[str]:
    """The drafts that the page has sent to the server."""
    return [frame["text"] for frame in stage.received if frame["type"] == "draft"]


def another_device(chat: Chat, context: BrowserContext) -> Chat:
    """The same conversation where nothing of the first tab's storage is known."""
    other = Chat(context.new_page())
    other.page.goto(chat.page.url)
    return other


def test_a_draft_is_there_on_another_device(chat: Chat, context: BrowserContext) -> None:
    chat.box.press_sequentially("half a thou")
    chat.box.blur()
    chat.until(lambda: 'data-draft="half a thou"' in chat.page.request.get(chat.page.url).text())
    other = another_device(chat, context)
    expect(other.box).to_have_value("half a thou")
    other.box.press_sequentially("ght")
    expect(chat.box).to_have_value("half a thought")
    other.box.press("Enter")
    expect(chat.messages("You")).to_have_text(["half a thought"])
    expect(chat.box).to_have_value("")


def test_the_server_is_told_when_typing_pauses_and_when_one_leaves(stage: Stage) -> None:
    chat = stage.live()
    chat.box.fill("abc")
    chat.until(lambda: drafts(stage))
    assert drafts(stage) == ["abc"]
    chat.box.press_sequentially("d")
    chat.box.blur()
    chat.until(lambda: len(drafts(stage)) == 2)
    assert drafts(stage)[-1] == "abcd"


def test_what_is_sent_is_no_draft_any_more(stage: Stage) -> None:
    chat = stage.live()
    chat.box.fill("abc")
    chat.until(lambda: drafts(stage) == ["abc"])
    chat.box.press("Enter")
    stage.frames("message")
    chat.until(lambda: drafts(stage) == ["abc", ""])


def test_what_is_typed_before_the_script_has_come_is_kept(chat: Chat) -> None:
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    chat.page.route("**/chat/conversation*.js", hold)
    chat.page.reload(wait_until="commit")
    chat.box.press_sequentially("early")
    chat.send_button.click()
    chat.until(lambda: waiting)
    for route in waiting:
        route.continue_()
    chat.page.unroute("**/chat/conversation*.js")
    chat.page.wait_for_load_state()
    chat.box.press("Enter")
    expect(chat.messages("You")).to_have_text(["early"])


@pytest.mark.own_browser
def test_a_draft_from_elsewhere_is_shown(stage: Stage) -> None:
    stage.chat.page.clock.install()
    chat = stage.live()
    stage.tell("draft", {"text": "from elsewhere"})
    expect(chat.box).to_have_value("from elsewhere")
    chat.page.clock.run_for(700)
    assert drafts(stage) == []


@pytest.mark.own_browser
def test_who_is_writing_is_not_written_over(stage: Stage) -> None:
    stage.chat.page.clock.install()
    chat = stage.live()
    chat.page.clock.pause_at(time.time() + 10)
    chat.box.fill("mine")
    stage.tell("draft", {"text": "from elsewhere"})
    stage.tell("refused", {"id": None, "code": "throttled", "message": "That was heard."})
    expect(chat.page.locator("#refusal")).to_have_text("That was heard.")
    expect(chat.box).to_have_value("mine")
    chat.page.clock.run_for(600)
    chat.until(lambda: drafts(stage) == ["mine"])


def test_one_s_own_draft_told_back_changes_nothing(stage: Stage) -> None:
    chat = stage.live()
    chat.box.fill("ab")
    chat.until(lambda: drafts(stage) == ["ab"])
    chat.box.press_sequentially("c")
    stage.tell("draft", {"text": "ab"})
    chat.until(lambda: drafts(stage) == ["ab", "abc"])
    expect(chat.box).to_have_value("abc")
    expect(chat.page.locator("#other-draft")).to_be_hidden()


def test_a_draft_that_was_on_its_way_when_the_connection_broke_is_sent_again(stage: Stage) -> None:
    chat = stage.live()
    chat.box.fill("abc")
    chat.until(lambda: drafts(stage) == ["abc"])
    stage.socket().close(code=1001)
    chat.until(lambda: drafts(stage) == ["abc", "abc"])


def test_a_draft_written_without_a_connection_survives_a_reload(chat: Chat, connection: Connection) -> None:
    connection.cut()
    chat.box.press_sequentially("offline")
    chat.page.reload()
    expect(chat.box).to_have_value("offline")
    connection.mend()
    chat.until(lambda: 'data-draft="offline"' in chat.page.request.get(chat.page.url).text())


@pytest.mark.own_browser
def test_what_was_written_offline_does_not_take_the_place_of_a_newer_draft(stage: Stage) -> None:
    stage.chat.page.clock.install()
    chat = stage.live()
    chat.box.fill("mine")
    chat.until(lambda: drafts(stage) == ["mine"])
    stage.tell("draft", {"text": "mine"})
    stage.cut()
    chat.box.press_sequentially(", offline")
    stage.greeting = ("draft", {"text": "a newer one"})
    stage.mend()
    expect(chat.page.get_by_text("There are two drafts")).to_be_visible()
    expect(chat.box).to_have_value("mine, offline")
    chat.page.clock.run_for(1500)
    assert drafts(stage) == ["mine"]


@pytest.mark.own_browser
@pytest.mark.parametrize("choice", ["this one", "the other"])
def test_between_two_drafts_the_writer_chooses(stage: Stage, choice: str) -> None:
    stage.chat.page.clock.install()
    chat = stage.live()
    chat.box.fill("mine")
    chat.until(lambda: drafts(stage) == ["mine"])
    stage.extra_context = {"draft": "a newer one"}
    served = stage.served()
    expect(served.box).to_have_value("mine")
    expect(chat.page.get_by_text("There are two drafts")).to_be_visible()
    chat.page.clock.run_for(1500)
    assert drafts(stage) == ["mine"]
    if choice == "the other":
        chat.page.get_by_role("button", name="Show the other").click()
        expect(chat.box).to_have_value("a newer one")
    chat.page.get_by_role("button", name="Keep this one").click()
    expect(chat.page.get_by_text("There are two drafts")).to_be_hidden()
    expect(chat.box).to_be_focused()
    if choice == "this one":
        chat.until(lambda: drafts(stage) == ["mine", "mine"])
    else:
        chat.page.clock.run_for(700)
        assert drafts(stage) == ["mine"]
