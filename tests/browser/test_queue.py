"""Messages that wait for their turn: changed in place, taken back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import UNENDING, Chat
from tests.browser.stage import Stage


@pytest.fixture
def waiting(chat: Chat) -> Chat:
    """A conversation with an answer that does not end and two messages that wait."""
    chat.say(UNENDING)
    expect(chat.messages("Assistant")).not_to_be_empty()
    for text in ("one", "two"):
        chat.say(text)
    expect(chat.log.get_by_role("button", name="Withdraw")).to_have_count(2)
    return chat


def test_a_message_that_waits_is_changed_in_its_place(waiting: Chat) -> None:
    log = waiting.log
    log.get_by_role("button", name="Edit").first.click()
    editor = log.get_by_role("textbox", name="New wording")
    expect(editor).to_be_focused()
    expect(editor).to_have_value("one")
    editor.fill("one, changed")
    editor.press("Enter")
    expect(editor).to_have_count(0)
    expect(waiting.messages("You")).to_have_text([UNENDING, "one, changed", "two"])
    expect(waiting.box).to_be_focused()
    waiting.page.reload()
    expect(waiting.messages("You")).to_have_text([UNENDING, "one, changed", "two"])


def test_a_message_that_is_taken_back_can_be_written_anew(waiting: Chat) -> None:
    waiting.log.get_by_role("button", name="Withdraw").first.click()
    expect(waiting.messages("You")).to_have_text([UNENDING, "two"])
    expect(waiting.box).to_have_value("one")
    expect(waiting.box).to_be_focused()
    waiting.stop_button.click()
    waiting.settled()
    expect(waiting.messages("You")).to_have_text([UNENDING, "two"])


def test_what_is_being_written_stays_when_a_message_is_taken_back(waiting: Chat) -> None:
    waiting.box.fill("a third")
    waiting.log.get_by_role("button", name="Withdraw").first.click()
    expect(waiting.messages("You")).to_have_text([UNENDING, "two"])
    expect(waiting.box).to_have_value("a third")


def test_a_message_that_has_begun_is_not_taken_back(page: Page) -> None:
    stage = Stage(page)
    stage.record.ask("first")
    chat = stage.live()
    expect(chat.messages("You")).to_have_text(["first"])
    stage.tell("queued", [{"id": "question-2", "text": "second"}])
    chat.log.get_by_role("button", name="Withdraw").click()
    assert stage.frames("withdraw")[0]["message"] == "question-2"
    stage.record.finish()
    stage.record.ask("second")
    stage.play()
    stage.tell(
        "refused", {"id": None, "code": "invalid_request", "message": "This message does not wait any more."}
    )
    expect(chat.page.locator("#refusal")).to_have_text("This message does not wait any more.")
    expect(chat.messages("You")).to_have_text(["first", "second"])
    expect(chat.box).to_have_value("")
