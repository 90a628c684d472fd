"""Answers far longer than any reader reads: they come, end and open without the page standing still."""

import pytest
from playwright.sync_api import Page, expect

from conversations.demo_gateway.texts import sections as long
from conversations.protocol.agui.events import chunks
from tests.browser.stage import Stage, write_turn

CLOCK = """(() => {
    let time = 0;
    performance.now = () => (time += 1);  // a millisecond passes between any two looks at the clock
    const request = window.requestAnimationFrame.bind(window);
    const length = (elements) => Array.from(elements).reduce((sum, {textContent}) => sum + textContent.length, 0);
    const rendered = () => length(document.querySelectorAll(".assistant .piece:not(.raw) > *"));
    window.frames_ = [];
    window.requestAnimationFrame = (draw) => request((now) => {
        const before = rendered();
        draw(now);
        frames_.push(rendered() - before);
    });
})()"""
MOST = 60_000  # characters that a frame has time for by that clock: seven steps of 8,000
TEXT = "document.querySelector('.assistant > .text').textContent"
UNFINISHED = ".markdown:not(.rendered), .raw"


def write_answer(stage: Stage, text: str) -> None:
    """Writes a turn with this answer, in parts as a model sends them."""
    write_turn(stage.record, "Tell me everything", *chunks(text))


@pytest.mark.parametrize("way", ["live", "snapshot", "served"])
def test_all_of_a_long_answer_is_rendered_over_many_frames_and_laid_out_when_it_comes_into_sight(
    page: Page, way: str
) -> None:
    stage = Stage(page)
    page.add_init_script(CLOCK)
    write_answer(stage, long(300_000))
    chat = getattr(stage, way)()
    expect(chat.log.locator("h3").last).to_contain_text("About the groove", timeout=60_000)
    expect(chat.log.locator(UNFINISHED)).to_have_count(0, timeout=60_000)
    assert chat.log.locator("h3").count() == long(300_000).count("## ")
    assert chat.log.locator(".code").count() == long(300_000).count("```python")
    lengths = [length for length in page.evaluate("frames_") if length > 0]
    assert max(lengths) < MOST
    assert sum(lengths) > 200_000
    full = chat.log.locator(".piece.full")
    assert full.count() > 30
    assert full.first.evaluate("piece => getComputedStyle(piece).contentVisibility") == "auto"


def test_the_server_puts_a_long_text_into_the_page_in_pieces(page: Page) -> None:
    stage = Stage(page)
    write_answer(stage, long(100_000))
    page.route("**/*.js", lambda route: route.abort())
    chat = stage.served()
    assert page.evaluate(TEXT) == long(100_000)
    assert chat.log.locator(".assistant .piece.full").count() > 20


@pytest.mark.parametrize(
    "text",
    [
        "```python\n" + "answer = 42  # and so on\n" * 20_000 + "```\n\nThat *was* it.",
        "é word " * 50_000 + "\n\nThat *was* it.",
    ],
    ids=["code", "paragraph"],
)
def test_a_block_that_is_too_long_is_shown_as_it_was_written_and_what_follows_is_rendered(
    page: Page, text: str
) -> None:
    stage = Stage(page)
    write_answer(stage, text)
    chat = stage.live()
    expect(chat.log.locator("em")).to_have_text("was", timeout=60_000)
    chat.settled()
    answer = page.evaluate(TEXT)
    body = text.partition("\n\n")[0].removeprefix("```python\n").removesuffix("```")
    assert body.strip() in answer
    expect(chat.log.locator(".code")).to_have_count(int(text.startswith("```")))


def test_a_long_list_goes_on_in_further_lists_with_its_numbers(page: Page) -> None:
    stage = Stage(page)
    write_answer(
        stage, "".join(f"{number}. A turntable turns, and turns, and turns.\n" for number in range(1, 1001))
    )
    chat = stage.live()
    expect(chat.log.locator(".assistant li")).to_have_count(1000)
    chat.settled()
    lists = chat.log.locator(".assistant ol")
    assert lists.count() > 2
    starts = lists.evaluate_all("lists => lists.map((list) => list.start)")
    lengths = lists.evaluate_all("lists => lists.map((list) => list.children.length)")
    assert starts == [1 + sum(lengths[:at]) for at in range(len(lengths))]
