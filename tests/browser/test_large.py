"""Answers far longer than any reader reads: all of it arrives, and the page can be used."""

import pytest
from playwright.sync_api import Page, expect

from conversations.protocol.agui.events import chunks
from tests.browser.stage import Stage

PARAGRAPH = "A turntable turns a *record* at a steady speed while a needle follows its groove.\n\n"
WATCH = """() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const {duration} of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({type: "longtask", buffered: true});
}"""
FROZEN_MS = 5_000


def letters_of(page: Page) -> str:
    """The letters of the answer in the page, without blanks."""
    return "".join(page.evaluate("document.querySelector('.assistant .text').textContent").split())


@pytest.mark.parametrize(
    "text",
    [(PARAGRAPH * 12_500)[:1_000_000], "x" * 2 * 1024 * 1024, "é word " * 100_000],
    ids=["paragraphs", "one word of 2 MiB", "one paragraph"],
)
def test_a_very_long_answer_arrives_whole_and_the_page_stays_of_use(page: Page, text: str) -> None:
    stage = Stage(page)
    chat = stage.live()
    page.evaluate(WATCH)
    stage.record.ask("Tell me everything")
    stage.record.step()
    stage.record.text()
    for piece in chunks(text):
        stage.record.part(piece)
    stage.play()
    chat.box.fill("still here")
    expect(chat.box).to_have_value("still here")
    stage.record.end()
    stage.record.finish_step()
    stage.record.finish()
    stage.play()
    chat.settled()
    letters = "".join(text.replace("*", "").split())
    while (letters_so_far := letters_of(page)) != letters:  # a busy machine takes its time, but goes on
        chat.until(lambda before=letters_so_far: letters_of(page) != before)
    assert page.evaluate("longest") < FROZEN_MS
    expect(chat.stop_button).to_be_hidden()


def test_forty_calls_at_once_can_be_told_apart(page: Page) -> None:
    stage = Stage(page)
    record = stage.record
    record.ask("forty")
    record.step()
    for number in range(40):
        record.call()
        record.part(f'{{"sign": "W{number:03}"}}')
        record.end()
    record.finish_step()
    for number in range(39):
        record.answer(f'{{"song": "Song {number}"}}', "error" if number % 4 == 3 else "success")
    chat = stage.live()
    calls = chat.tool("top_song")
    expect(calls).to_have_count(40)
    expect(calls.nth(17)).to_contain_text('{"sign": "W017"}')
    expect(calls.nth(17).locator(".result")).to_have_text('{"song": "Song 17"}')
    expect(calls.nth(19)).to_contain_text("Failed")
    expect(calls.nth(39)).to_contain_text("Running")
