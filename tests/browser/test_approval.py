"""A call that waits for a person: the question, the possible answers, and what the page says of them."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.calls import Calls, opened, press
from tests.browser.chat import Chat
from tests.browser.tape import Tape

ARGUMENTS = {"path": "/srv/old.csv", "size": 3}


@pytest.fixture
def calls(page: Page) -> Calls:
    """A turn that waits for a decision on `delete_file`; `top_song` of the same round needs none."""
    calls = Calls(page)
    calls.waits(*calls.round(("delete_file", ARGUMENTS), ("top_song", {"sign": "WZPZ"}))[:1])
    return calls


@pytest.fixture
def chat(calls: Calls) -> Chat:
    chat = calls.live()
    expect(chat.tool("delete_file").get_by_role("button", name="Approve")).to_be_visible()
    return chat


@pytest.fixture
def card(chat: Chat) -> Locator:
    return chat.tool("delete_file")


def answer(calls: Calls) -> dict[str, Any]:
    """The page's answer."""
    [entry] = calls.frame("resume")["resume"]
    assert entry["interruptId"] == calls.ids[0]
    assert entry["status"] == "resolved"
    return dict(entry["payload"])


def test_a_waiting_call_shows_what_would_run_and_until_when(card: Locator, chat: Chat) -> None:
    expect(card).to_have_attribute("open", "")
    expect(card.locator(".tool-state")).to_have_text("Waiting for approval")
    expect(card).to_contain_text("Run delete_file?")
    expect(card.locator("time")).to_have_text(re.compile(r"Expires in 23 h 5\d min"))
    expect(card.locator(".request").get_by_role("listitem")).to_have_text(["path/srv/old.csv", "size3"])
    other = chat.tool("top_song")
    expect(other.locator(".tool-state")).to_have_text("Waits for the others")
    expect(opened(other).get_by_role("button", name="Approve")).to_have_count(0)


def test_approving_sends_it_once_and_says_that_it_is_on_its_way(card: Locator, calls: Calls) -> None:
    press(card, "Approve")
    assert answer(calls) == {"approved": True}
    expect(card).to_contain_text("Approving delete_file …")
    approve = card.get_by_role("button", name="Approve")
    expect(approve).to_be_disabled()
    expect(approve).to_be_focused()
    approve.press("Enter")
    card.get_by_role("button", name="Deny").press("Enter")
    card.get_by_label("Reason").press("Enter")
    calls.stage.chat.page.wait_for_timeout(100)
    assert len(calls.stage.frames("resume")) == 1


def test_a_decision_is_told_and_the_focus_stays_with_the_card(
    card: Locator, chat: Chat, calls: Calls
) -> None:
    press(card, "Approve")
    calls.frame("resume")
    calls.decide(calls.ids[0], "approved")
    calls.stage.play()
    expect(card.locator(".decision")).to_have_text("Approved by owner")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    expect(card.locator("summary").first).to_be_focused()
    expect(card.locator(".tool-state")).to_have_text("Running")
    expect(chat.tool("top_song").locator(".tool-state")).to_have_text("Running")


def test_denying_tells_the_model_why(card: Locator, calls: Calls) -> None:
    card.get_by_label("Reason").fill("not that one")
    card.get_by_label("Reason").press("Enter")
    assert answer(calls) == {"approved": False, "reason": "not that one"}
    expect(card).to_contain_text("Denying delete_file …")
    calls.decide(calls.ids[0], "denied", reason="not that one")
    calls.answer(calls.ids[0], "Not run: the user denied it.", "denied", ms=0)
    calls.stage.play()
    expect(card.locator(".decision")).to_have_text("Denied by owner: not that one")
    expect(card.locator(".tool-state")).to_have_text("Denied")
    expect(card.locator(".outcome")).to_contain_text("The model was told")


def test_denying_needs_no_reason(card: Locator, calls: Calls) -> None:
    press(card, "Deny")
    assert answer(calls) == {"approved": False}


def test_a_standing_permission_is_asked_for_with_the_approval(card: Locator, calls: Calls) -> None:
    card.get_by_role("checkbox", name="Always for this tool with these arguments").press("Space")
    press(card, "Approve")
    assert answer(calls) == {"approved": True, "always": True}


def test_a_whole_tool_is_let_through_where_it_may_be(page: Page) -> None:
    calls = Calls(page)
    [call] = calls.round(("delete_file", ARGUMENTS))
    calls.waits(call, whole_tool=True)
    for way in ("live", "served"):  # the choice is in the events and in the page
        card = getattr(calls.stage, way)().tool("delete_file")
        these = card.get_by_role("checkbox", name="Always for these arguments", exact=True)
        whole = card.get_by_role("checkbox", name="Always for this tool", exact=True)
        these.press("Space")
        whole.press("Space")
        expect(these).not_to_be_checked()
        expect(whole).to_be_checked()
    press(card, "Approve")
    assert answer(calls) == {"approved": True, "always": "tool"}


def test_arguments_are_changed_and_shown_beside_the_model_s(card: Locator, calls: Calls) -> None:
    press(card, "Edit arguments")
    box = card.get_by_role("textbox", name="Arguments")
    expect(box).to_be_focused()
    assert json.loads(box.input_value()) == ARGUMENTS
    expect(card.get_by_role("button", name="Approve", exact=True)).to_be_hidden()
    box.fill('{"path": "/srv/new.csv", "size": 12345678901234567890}')
    press(card, "Approve and run")
    assert answer(calls) == {
        "approved": True,
        "editedArgs": {"path": "/srv/new.csv", "size": 12345678901234567890},
    }
    calls.decide(calls.ids[0], "approved", editedArgs={"path": "/srv/new.csv"})
    calls.stage.play()
    expect(card.locator(".decision")).to_have_text("Approved by owner with changed arguments")
    expect(card.locator(".request")).to_contain_text("The model asked with")
    expect(card.locator(".request").get_by_role("listitem").first).to_have_text("path/srv/old.csv")
    expect(card.locator(".changed").get_by_role("listitem")).to_have_text("path/srv/new.csv")


BROKEN = {
    '{"a": 1,\n "b" 2}': "This is not JSON: line 2, character 6, at 2.",
    '{"a": 1': "This is not JSON: line 1, character 8, where it ends too early.",
    "": "This is not JSON: line 1, character 1, where it ends too early.",
    "[1]": "The arguments have to be an object: { … }.",
    "null": "The arguments have to be an object: { … }.",
}


def test_what_is_no_json_object_is_not_sent_and_the_place_is_told(card: Locator, calls: Calls) -> None:
    press(card, "Edit arguments")
    box = card.get_by_role("textbox", name="Arguments")
    for text, sentence in BROKEN.items():
        box.fill(text)
        box.press("Control+Enter")
        expect(card.get_by_role("alert")).to_have_text(sentence)
        expect(box).to_have_attribute("aria-invalid", "true")
        expect(box).to_be_focused()
    box.fill("{}")
    expect(card.get_by_role("alert")).to_be_hidden()
    assert not [frame for frame in calls.stage.received if frame["type"] == "resume"]


def test_escape_leaves_the_editor_and_the_focus_comes_back(card: Locator, calls: Calls) -> None:
    press(card, "Edit arguments")
    card.get_by_role("textbox", name="Arguments").press("Escape")
    expect(card.get_by_role("button", name="Edit arguments")).to_be_focused()
    press(card, "Edit arguments")
    press(card, "Cancel")
    expect(card.get_by_role("button", name="Edit arguments")).to_be_focused()


def test_a_refusal_gives_the_buttons_back_and_says_why(card: Locator, calls: Calls) -> None:
    press(card, "Approve")
    calls.refuses(calls.frame("resume"), "This call does not wait for a decision any more.")
    expect(card).to_contain_text("This call does not wait for a decision any more.")
    expect(card.get_by_role("button", name="Approve")).to_be_enabled()
    expect(calls.stage.chat.page.locator("#refusal")).to_be_hidden()
    press(card, "Deny")
    calls.stage.chat.until(lambda: len(calls.stage.frames("resume")) == 2)


def test_without_a_connection_nothing_is_decided(card: Locator, calls: Calls) -> None:
    calls.stage.cut()
    expect(calls.stage.chat.page.locator("#connection")).not_to_be_empty()
    press(card, "Approve")
    expect(card).to_contain_text("Not sent: there is no connection.")
    expect(card.get_by_role("button", name="Approve")).to_be_enabled()


def test_calls_are_decided_one_by_one(page: Page) -> None:
    calls = Calls(page)
    first, second = calls.round(("one", {}), ("two", {}))
    calls.waits(first, second)
    chat = calls.live()
    press(chat.tool("one"), "Approve")
    calls.frame("resume")
    calls.stage.tell("decided", {"interrupts": [first]})
    expect(chat.tool("one").locator(".tool-state")).to_have_text("Decided, waits for the others")
    expect(chat.tool("one").get_by_role("button", name="Approve")).to_have_count(0)
    expect(chat.tool("two").locator(".tool-state")).to_have_text("Waiting for approval")
    expect(chat.tool("two").get_by_role("button", name="Approve")).to_be_enabled()


def test_a_decision_made_elsewhere_takes_the_form_away(card: Locator, calls: Calls) -> None:
    press(card, "Edit arguments")
    calls.decide(calls.ids[0], "denied", by="other")
    calls.answer(calls.ids[0], "Not run: the user denied it.", "denied", ms=0)
    calls.stage.play()
    expect(card.locator(".decision")).to_have_text("Denied by other")
    expect(card.get_by_role("textbox")).to_have_count(0)
    expect(card.locator("summary").first).to_be_focused()


DECISIONS = {
    "Approved by owner": ("approved", {}),
    "Denied by owner": ("denied", {}),
    "Allowed by your standing permission": ("approved", {"standing": True}),
    "Expired: nobody decided in time": ("expired", {"by": ""}),
    "Withdrawn by owner: the turn was stopped before a decision": ("withdrawn", {}),
}


def test_what_was_decided_is_told_live_and_on_a_served_page(page: Page) -> None:
    calls = Calls(page)
    for decision, detail in DECISIONS.values():
        [call] = calls.round(("delete_file", {}))
        calls.decide(call, decision, **{"by": "owner", **detail})
        calls.answer(call, "done", {"denied": "denied", "expired": "expired"}.get(decision, ""))
    calls.finish()
    for way in ("live", "served"):
        chat = getattr(calls.stage, way)()
        expect(chat.log.locator(".decision")).to_have_text(list(DECISIONS))


def test_waiting_and_decisions_are_announced(page: Page) -> None:
    calls = Calls(page)
    [call] = calls.round(("delete_file", {}))
    chat = calls.live()
    expect(chat.tool("delete_file")).to_be_visible()
    calls.waits(call)
    calls.stage.play()
    announcer = page.locator("#announcer")
    expect(announcer).to_contain_text("Waiting for your approval: tool call delete_file.")
    press(chat.tool("delete_file"), "Deny")
    expect(announcer).to_contain_text("Denying delete_file …")
    calls.decide(call, "denied", reason="no")
    calls.stage.play()
    expect(announcer).to_contain_text(
        "The assistant is answering. Tool call delete_file: Denied by owner: no."
    )
    calls.answer(call, "Not run.", "denied", ms=0)
    calls.stage.play()
    expect(announcer).to_contain_text("Tool call delete_file was denied.")


def test_the_player_shows_what_was_decided_and_asks_nothing(page: Page) -> None:
    calls = Calls(page)
    [call] = calls.round(("delete_file", {}))
    calls.waits(call)
    waiting = len(calls.record.events)
    calls.decide(call, "approved")
    calls.answer(call, "done")
    calls.finish()
    tape = Tape(calls.record)
    playing = tape.open(page)
    playing.at(tape.times[waiting - 1])
    card = playing.log.get_by_role("group", name="Tool call delete_file")
    expect(card.locator(".tool-state")).to_have_text("Waiting for approval")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    playing.at(tape.times[-1])
    expect(card.locator(".decision")).to_have_text("Approved by owner")
    expect(opened(card).get_by_role("button", name="Copy result")).to_be_visible()
    expect(card.get_by_role("button", name="Run again")).to_have_count(0)


def test_a_call_that_has_not_ended_is_not_run_again(card: Locator, chat: Chat) -> None:
    for one in (card, opened(chat.tool("top_song"))):
        expect(one.get_by_role("button", name="Copy arguments")).to_be_visible()
        expect(one.get_by_role("button", name="Run again")).to_have_count(0)
