"""The main path in Chromium, Firefox and WebKit, from the first message to its playback."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chat import UNENDING
from tests.browsers.conversing import ANSWER, QUESTION, Chat

pytestmark = pytest.mark.processes

DELETE = 'delete_file "old.csv"'
CARD = "#transcript .tool"
LAST_PARAGRAPH = "Inline code is rpm = 100 / 3, and <b>HTML</b> stays as it was written."
"""The end of `show markdown`."""

# Safari: the Enter that confirms a candidate comes when the composition has ended, and only its code tells.
CONFIRM = """const box = document.querySelector("#message");
    box.focus();
    for (const type of ["compositionstart", "compositionend"]) box.dispatchEvent(new CompositionEvent(type, {bubbles: true}));
    const code = {keyCode: arguments[0], which: arguments[0]};
    const enter = {key: "Enter", bubbles: true, cancelable: true, isComposing: false, ...code};
    box.dispatchEvent(new KeyboardEvent("keydown", enter));"""
# The room that lists leave at their side, less what their widest numbers take.
ROOM = """return [...document.querySelectorAll("#transcript .assistant ol")].map((list) => {
    const mark = document.createElement("span");
    mark.textContent = `${list.start + list.children.length - 1}. `;
    mark.style.whiteSpace = "pre";
    list.lastElementChild.append(mark);
    const { width } = mark.getBoundingClientRect();
    mark.remove();
    return parseFloat(getComputedStyle(list).paddingInlineStart) - width;
})"""
STOPPED = "return document.querySelector('#transcript').innerText.includes('Stopped.')"
# The slider takes whole milliseconds.
PLAYED = """const {value, max} = document.querySelector("#track input");
    return Number(max) > 1 && Number(value) > Number(max) - 1 && document.querySelector("#play").innerText === "Play";"""


def test_words_stream_in_and_the_page_follows_them(chat: Chat) -> None:
    chat.say("show a long answer")
    for length in (500, 1500, 3000):
        chat.grown(length)
        assert chat.run("return document.querySelector('#stop').hidden") is False
        chat.followed()
    chat.settled()
    chat.followed()
    assert chat.run("return scrollY") > 500


def test_a_reader_who_has_scrolled_up_stays_there(chat: Chat) -> None:
    chat.ask("show markdown")
    chat.say("show a long answer")
    chat.grown(1000)
    chat.until("return scrollY > 200")
    chat.run("scrollBy({top: -150, behavior: 'instant'})")
    place = chat.run("return scrollY")
    chat.settled()
    assert chat.run("return scrollY") == place
    chat.press("Jump to the newest")
    chat.followed()


def test_stop_ends_an_answer_at_once_and_keeps_it(chat: Chat) -> None:
    chat.say(UNENDING)
    chat.grown(10)
    chat.press("Stop")
    chat.until(STOPPED)
    chat.settled()
    text = chat.texts(ANSWER)
    chat.driver.refresh()
    chat.eventually(lambda: chat.texts(ANSWER) == text)


def test_an_approved_call_runs_and_the_answer_goes_on(chat: Chat) -> None:
    chat.say(DELETE)
    chat.press("Approve", CARD)
    chat.until("return document.querySelector('.tool-state').innerText === 'Succeeded'")
    chat.settled()
    chat.eventually(lambda: "old.csv" in chat.texts(ANSWER)[-1])


def test_a_changed_message_begins_a_branch_and_the_first_stays_reachable(chat: Chat) -> None:
    chat.ask("first")
    chat.press("Edit", "#transcript .you")
    chat.type(", changed\ue007", ".rewording textarea")
    chat.eventually(lambda: chat.texts(QUESTION) == ["first, changed"])
    chat.settled()
    chat.element("#transcript .which", "2 of 2")
    chat.press("Previous version")
    chat.eventually(lambda: chat.texts(QUESTION) == ["first"])
    chat.element("#transcript .which", "1 of 2")


def test_the_player_plays_a_turn_to_its_end(chat: Chat) -> None:
    chat.ask("show markdown")
    chat.eventually(lambda: chat.texts(f"{ANSWER} p")[-1:] == [LAST_PARAGRAPH])
    answer = chat.texts(ANSWER)
    chat.press("Play this turn")
    chat.until("return document.activeElement.id === 'play'")
    chat.press("Play")
    chat.until(PLAYED)
    chat.eventually(lambda: chat.texts(ANSWER) == answer)


def test_a_reload_in_the_middle_goes_on(chat: Chat) -> None:
    chat.say("show a long answer")
    chat.grown(500)
    chat.driver.refresh()
    chat.grown(1000)
    chat.settled()
    [answer] = chat.texts(ANSWER)
    chat.driver.refresh()
    chat.eventually(lambda: chat.texts(ANSWER) == [answer])


def test_the_enter_that_ends_a_composition_does_not_send(chat: Chat) -> None:
    chat.box.send_keys("にほん")
    chat.run(CONFIRM, 229)
    assert chat.run("return document.querySelector('#message').value") == "にほん"
    chat.run(CONFIRM, 13)
    chat.eventually(lambda: chat.texts(QUESTION) == ["にほん"])


def test_a_long_message_without_line_ends_grows_its_box(chat: Chat) -> None:
    height = chat.run("return arguments[0].offsetHeight", chat.box)
    chat.box.send_keys("x" * 400)
    chat.until("return document.querySelector('#message').offsetHeight > arguments[0]", height * 1.5)
    assert (
        chat.run("const box = document.querySelector('#message'); return box.scrollHeight - box.clientHeight")
        <= 1
    )


def test_the_numbers_of_a_list_stand_within_it_however_long_they_are(chat: Chat) -> None:
    chat.ask("show numbers")
    chat.eventually(lambda: len(chat.run(ROOM)) == 4)
    assert min(chat.run(ROOM)) >= 0


def test_escape_closes_the_menu_then_the_drawer_and_stops_nothing(chat: Chat) -> None:
    chat.driver.set_window_size(800, 900)
    try:
        chat.say(UNENDING)
        chat.grown(10)
        chat.press("Conversations", ".bar")
        chat.until("return document.activeElement.closest('#sidebar:popover-open') !== null")
        chat.type(Keys.ENTER, "#groups [aria-current=page] ~ .dots")
        chat.until("return document.activeElement.innerText === 'Rename'")
        chat.key(Keys.ESCAPE)
        chat.until("return document.querySelector('.row-menu') === null")
        assert chat.run("return document.querySelector('#sidebar').matches(':popover-open')")
        chat.key(Keys.ESCAPE)
        chat.until("return !document.querySelector('#sidebar').matches(':popover-open')")
        chat.until("return document.activeElement.id === 'sidebar-button'")
        chat.key(Keys.CONTROL + "k")
        chat.type(UNENDING, "dialog input")
        chat.until("return document.querySelectorAll('dialog [role=option]').length > 0")
        chat.key(Keys.ESCAPE)
        chat.until("return document.querySelector('dialog') === null")
        assert chat.run("return document.querySelector('#stop').hidden") is False
        chat.key(Keys.ESCAPE)
        chat.until(STOPPED)
    finally:
        chat.driver.set_window_size(1280, 900)
