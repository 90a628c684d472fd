"""The player shows at a moment what was shown then, whichever way one has come there."""

import random
import re

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.chat import Chat
from tests.browser.looks import OVERFLOW
from tests.browser.tape import BEGUN, Playing, Tape, three_turns
from tests.reducing.record import Record
from tests.servers import Server

HEAR = """() => {
    window.errors = [];
    document.getElementById("conversation").addEventListener("applied", ({detail}) => {
        for (const {at} of detail.moments) window.errors.push(detail.position - (at - BEGUN));
    });
}"""

SLOW_FRAME = """(ms) => document.getElementById("conversation").addEventListener("applied", () => {
    for (const end = performance.now() + ms; performance.now() < end; );
}, {once: true})"""


def block_text(chat: Chat) -> str:
    """The text of messages and tool calls, without blanks, which templates have and clones do not."""
    return "".join("".join(chat.log.locator(".blocks").all_text_contents()).split())


@pytest.fixture
def tape() -> Tape:
    return Tape(three_turns())


# -- seeking


def test_a_seek_shows_the_very_transcript_that_playing_there_shows(page: Page, tape: Tape) -> None:
    playing = tape.open(page)
    playing.at(tape.times[0])
    transcripts = {tape.times[0]: playing.dom()}
    for time in tape.times[1:]:
        playing.step()
        transcripts[time] = playing.dom()
    assert len(set(transcripts.values())) > len(transcripts) / 2
    chance = random.Random(7)
    for time in [*chance.sample(tape.times, 25), tape.times[-1], tape.times[0]]:
        playing.at(time)
        assert playing.dom() == transcripts[time], time - BEGUN
    for time in reversed(tape.times[:12]):
        playing.at(time)
        assert playing.dom() == transcripts[time], time - BEGUN


def test_stepping_back_undoes_a_step(page: Page, tape: Tape) -> None:
    playing = tape.open(page, "#turn-2")
    transcripts = [playing.dom()]
    for _ in range(6):
        playing.step()
        transcripts.append(playing.dom())
    for transcript in transcripts[-2::-1]:
        playing.step("E")
        assert playing.dom() == transcript


def test_the_page_plays_what_the_server_recorded_and_ends_as_the_chat_does(
    browser: Browser, server: Server, signed_in: StorageState
) -> None:
    context = browser.new_context(base_url=server.url, storage_state=signed_in, reduced_motion="reduce")
    page = context.new_page()
    chat = Chat.new(page)
    for question in ("What is the most popular song on WZPZ?", "show reasoning", "show parallel calls"):
        chat.ask(question)
    page.reload()
    chat.log.get_by_role("link", name="Play this turn").nth(2).wait_for()
    whole = block_text(chat)
    chat.log.get_by_role("link", name="Play this turn").nth(1).click()
    playing = Playing(page)
    expect(chat.messages("You")).to_have_count(2)
    expect(chat.messages("You").last).to_have_text("show reasoning")
    playing.slider.press("End")
    expect(chat.messages("You")).to_have_count(3)
    chat.until(lambda: block_text(chat) == whole)
    context.close()


# -- playing


def test_space_plays_and_pauses(page: Page) -> None:
    record = three_turns()
    tape = Tape(record, waits={len(record.events): 60_000})  # does not end before it is paused
    playing = tape.open(page)
    expect(playing.play).to_be_focused()
    page.keyboard.press("Space")
    expect(playing.pause).to_be_visible()
    expect(playing.log).to_contain_text("first question")
    expect(playing.log.get_by_role("group", name="Tool call top_song")).to_be_visible()
    page.keyboard.press("Space")
    expect(playing.play).to_be_visible()
    stands = playing.position
    page.wait_for_timeout(150)
    assert playing.position == stands
    assert 0 < stands < tape.times[-1] - tape.times[0]
    playing.slider.focus()
    page.keyboard.press("Space")
    expect(playing.pause).to_be_visible()


def test_what_follows_a_slow_frame_is_shown_even_if_all_is_over_by_then(page: Page) -> None:
    tape = Tape(three_turns(), pace=2)
    playing = tape.open(page)
    playing.at(tape.times[-1])
    end = playing.dom()
    playing.at(tape.times[0])
    page.evaluate(SLOW_FRAME, tape.times[-1] - tape.times[0])
    playing.play.click()
    expect(playing.play).to_be_visible()
    assert playing.dom() == end


@pytest.mark.own_browser
def test_each_moment_is_shown_within_a_frame_of_its_time_at_every_speed(page: Page) -> None:
    page.clock.install(time=0)
    tape = Tape(three_turns(), pace=37)
    playing = tape.open(page)
    page.evaluate(HEAR.replace("BEGUN", str(tape.times[0])))
    for time in tape.times[::10]:  # so that all of it is there: fetching takes real time
        playing.at(time)
    for hour, speed in enumerate((0.5, 1, 4, 16), 1):
        playing.at(tape.times[-1])  # or the address of the beginning would be no news
        playing.at(tape.times[0])
        playing.player.get_by_label("Speed").select_option(f"{speed:g}")
        page.evaluate("errors.length = 0")
        page.clock.pause_at(hour * 3_600_000)
        playing.play.click()
        page.clock.run_for(int((tape.times[-1] - tape.times[0]) / speed) + 100)
        errors = sorted(abs(error) / speed for error in page.evaluate("errors"))
        expect(playing.play).to_be_visible()
        assert len(errors) >= len(tape.times) - 4
        p99 = errors[int(len(errors) * 0.99)]
        print(f"{speed}x: p99 {p99:.1f} ms")
        assert p99 < 20, speed
        page.clock.resume()


def test_played_in_real_time_it_does_not_drift(page: Page) -> None:
    tape = Tape(three_turns(), pace=25)
    playing = tape.open(page)
    page.evaluate(HEAR.replace("BEGUN", str(tape.times[0])))
    playing.play.click()
    expect(playing.play).to_be_visible(timeout=20_000)
    errors = sorted(page.evaluate("errors"))
    middle, p99 = errors[len(errors) // 2], errors[int(len(errors) * 0.99)]
    print(f"median {middle:.1f} ms, p99 {p99:.1f} ms")
    assert min(errors) > -20
    assert middle < 250  # the machine may be busy; what is late is not added up


def test_the_speed_can_be_changed_by_keys(page: Page, tape: Tape) -> None:
    playing = tape.open(page)
    speed = playing.player.get_by_label("Speed")
    for key, value in (("+", "2"), ("+", "4"), ("-", "2"), ("-", "1"), ("-", "0.5"), ("-", "0.5")):
        page.keyboard.press(key)
        expect(speed).to_have_value(value)


# -- waiting


def test_skipping_shortens_long_waits_and_marks_them(page: Page) -> None:
    tape = Tape(three_turns(), waits={7: 30_000})
    playing = tape.open(page)
    expect(playing.times).to_contain_text("/ 0:35")
    playing.at(tape.times[20])
    expect(playing.log).not_to_contain_text("shortened")
    page.keyboard.press("s")
    expect(playing.skipping).to_be_checked()
    expect(playing.times).to_contain_text("/ 0:06")
    assert playing.player.locator(".mark.wait").count() == 1
    waited = playing.log.locator("[data-waited]")
    expect(waited).to_have_count(1)
    expect(waited).to_have_attribute("data-waited", re.compile("^30.0 s "))
    playing.at(tape.times[3])
    expect(waited).to_have_count(0)
    playing.skipping.uncheck()
    expect(playing.times).to_contain_text("/ 0:35")


def test_the_time_between_turns_is_always_shortened(page: Page) -> None:
    record = three_turns()
    second = record.turns[1][0]["metadata"]["seq"]
    playing = Tape(record, waits={second: 3 * 24 * 3_600_000}).open(page, "#turn-2")
    expect(playing.times).to_contain_text("/ 0:06")
    playing.step()
    playing.step()
    playing.step()
    expect(playing.log.locator(".turn").nth(1)).to_have_attribute("data-waited", re.compile("shortened"))


def test_a_call_that_runs_shows_how_long_it_had_been_running(page: Page) -> None:
    record = three_turns()
    result = next(event for event in record.events if event["type"] == "TOOL_CALL_RESULT")["metadata"]["seq"]
    tape = Tape(record, waits={result: 5_000})
    playing = tape.open(page)
    playing.at(tape.times[result - 1] - 2_000)
    expect(playing.log.locator(".elapsed").first).to_have_text("3.1 s")
    page.wait_for_timeout(100)
    expect(playing.log.locator(".elapsed").first).to_have_text("3.1 s")


# -- going elsewhere


def test_addresses_lead_to_turns_and_calls(page: Page, tape: Tape) -> None:
    playing = tape.open(page, "#turn-2")
    expect(playing.player.locator("#place")).to_have_text("Turn 2 of 3")
    expect(playing.log.get_by_role("article", name="Assistant")).to_have_count(1)
    call = next(event for event in tape.turns[0] if event["type"] == "TOOL_CALL_START")
    page.goto(f"{page.url.partition('#')[0]}#call-{call['toolCallId']}")
    expect(playing.player.locator("#place")).to_have_text("Turn 1 of 3")
    card = playing.log.get_by_role("group", name="Tool call top_song")
    expect(card).to_contain_text("Writing arguments")
    expect(card).to_have_attribute("open", "")
    page.goto(f"{page.url.partition('#')[0]}#turn-{tape.turns[2][0]['runId']}")
    expect(playing.player.locator("#place")).to_have_text("Turn 3 of 3")


def test_marks_and_the_list_lead_to_all_that_is_of_note(page: Page, tape: Tape) -> None:
    playing = tape.open(page)
    kinds = {
        kind: playing.player.locator(f".mark.{kind}").count() for kind in ("turn", "round", "call", "error")
    }
    assert kinds == {"turn": 3, "round": 6, "call": 2, "error": 3}
    playing.player.locator(".mark.call").nth(1).click()
    expect(playing.player.locator("#place")).to_have_text("Turn 2 of 3")
    playing.player.get_by_text("Jump to", exact=True).click()
    playing.player.get_by_role("link", name="Tool call top_song").click()
    expect(playing.player.locator("#place")).to_have_text("Turn 1 of 3")
    playing.player.get_by_role("link", name="Turn 3: third question").click()
    expect(playing.player.locator("#place")).to_have_text("Turn 3 of 3")


def test_keys_step_by_event_round_and_turn(page: Page, tape: Tape) -> None:
    playing = tape.open(page)
    place = playing.player.locator("#place")
    playing.step("t")
    expect(place).to_have_text("Turn 2 of 3")
    playing.step("r")
    expect(playing.log.locator(".doing")).to_have_text("Waiting for the model")
    playing.step("R")
    expect(place).to_have_text("Turn 1 of 3")
    playing.step("T")
    playing.step("T")
    assert playing.position == 0
    playing.step("e")
    playing.player.get_by_role("button", name="Turn on").click()
    expect(place).to_have_text("Turn 2 of 3")


def test_a_screen_reader_hears_where_it_is(page: Page, tape: Tape) -> None:
    playing = tape.open(page)
    slider = playing.slider
    expect(slider).to_have_attribute("aria-valuetext", "0:00 of 0:05, Turn 1 of 3")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "0:05 of 0:05, Turn 2 of 3")
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "0:00 of 0:05, Turn 1 of 3")
    names = ["Event back", "Event on", "Round back", "Round on", "Turn back", "Turn on"]
    for name in names:
        expect(playing.player.get_by_role("button", name=name, exact=True)).to_be_visible()
    playing.step("t")
    expect(page.get_by_role("status")).to_contain_text("Turn 2 of 3")


# -- widths, and what may be missing


def test_nothing_is_wider_than_a_phone(page: Page, tape: Tape) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    playing = tape.open(page, "#turn-3")
    assert page.evaluate(OVERFLOW) == 0
    playing.player.get_by_text("Jump to", exact=True).click()
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate(OVERFLOW) == 0
    box = playing.play.bounding_box()
    assert box is not None
    assert box["height"] >= 44


def test_only_the_turns_nearby_are_on_the_page(page: Page) -> None:
    record = Record()
    for number in range(30):
        record.ask(f"question {number}")
        record.finish()
    playing = Tape(record).open(page, "#turn-30")
    questions = playing.log.get_by_role("article", name="You")
    expect(questions).to_have_count(5)
    page.get_by_role("button", name="Earlier turns").click()
    expect(questions).to_have_count(15)
    expect(questions.first).to_have_text("question 14")


def test_a_conversation_without_a_recording_says_so(page: Page) -> None:
    chat = Chat.new(page)
    page.goto(f"{chat.page.url}replay/")
    expect(page.get_by_text("Nothing has been recorded yet.")).to_be_visible()
    expect(page.get_by_role("region", name="Player")).to_be_hidden()


def test_a_recording_that_cannot_be_read_says_so(page: Page, tape: Tape) -> None:
    playing = tape.open(page)
    page.route(re.compile("/replay/turns/"), lambda route: route.fulfill(status=500))
    page.evaluate("location.hash = '#turn-3'")
    expect(page.get_by_role("alert")).to_contain_text("The recording cannot be read (500).")
    expect(playing.play).to_be_visible()


def test_the_menu_of_a_conversation_can_be_used_by_keyboard(chat: Chat) -> None:
    menu = chat.page.get_by_text("Menu", exact=True)
    playback = chat.page.get_by_role("link", name="Playback")
    menu.focus()
    chat.page.keyboard.press("Enter")
    expect(playback).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(playback).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    chat.box.click()
    expect(playback).to_be_hidden()
    menu.click()
    with chat.page.expect_download() as download:
        chat.page.get_by_role("link", name="Export as Markdown").click()
    assert download.value.suggested_filename == "conversation.md"
    menu.click() if playback.is_hidden() else None
    chat.page.get_by_role("link", name="Delete").click()
    chat.page.get_by_role("button", name="Delete").click()
    chat.page.wait_for_url(re.compile("/$"))
    expect(chat.page.get_by_role("heading", name="What is on your mind?")).to_be_visible()


def test_what_is_pressed_before_the_recording_is_there_does_no_harm(page: Page, tape: Tape) -> None:
    tape.pending = []
    playing = tape.open(page)
    for key in ("s", "e", "r", "Space", "Space", "E"):
        page.keyboard.press(key)
    expect(playing.log).to_be_empty()
    tape.release()
    expect(playing.log).to_contain_text("first question")
    expect(playing.play).to_be_visible()
