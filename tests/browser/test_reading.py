"""The page reads frames as the server does, and does not touch again what it has rendered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat
from tests.browser.stage import Stage
from tests.reducing.machine import Reading

AT_ONCE = 50
BLOCKS = (
    "# A heading",
    "A paragraph with *words*\nin two lines, $x$ and `code`.",
    "- one\n- two\n\n  and more\n- three",
    "| A | B |\n| --- | --- |\n| 1 | 2 |",
    "```python\nimport json\n```",
    "> a quote",
    "$$\nx\n$$",
    "The last *paragraph*.",
)
MARK = """() => {
    const blocks = document.querySelectorAll(".assistant .piece > *");
    for (const block of [...blocks].slice(0, -1)) if (!block.marked) {
        block.marked = block.offsetTop;
        window.watcher ??= new MutationObserver((changes) => changed.push(...changes.map(({target}) => target.nodeName)));
        window.changed ??= [];
        if (!block.querySelector("code[class], .math")) watcher.observe(block, {subtree: true, childList: true, characterData: true});
    }
    return blocks.length;
}"""
REDUCE = """async (batch) => {
    const {EMPTY, reduce} = await import("/static/conversations/transcript/reducer.js");
    const states = JSON.parse(batch).map((frames) => {
        const {cursor, messages, turns} = frames.reduce(reduce, EMPTY);
        return {cursor, messages, turns};
    });
    return JSON.stringify(states);
}"""


@pytest.fixture(scope="module")
def vectors() -> list[dict[str, Any]]:
    """The frames of each example's tabs, and the state that they add up to; the same every time."""
    Reading.vectors.clear()
    chosen = settings(max_examples=100, stateful_step_count=40, derandomize=True, database=None)
    run_state_machine_as_test(Reading, settings=chosen)
    return [vector for vector in Reading.vectors if vector["frames"]]


def batches(vectors: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Some at a time."""
    for start in range(0, len(vectors), AT_ONCE):
        yield vectors[start : start + AT_ONCE]


def test_the_script_comes_to_what_the_server_would_tell(page: Page, vectors: list[dict[str, Any]]) -> None:
    page.goto("/")
    kinds = {frame["type"] for vector in vectors for frame in vector["frames"]}
    assert {"MESSAGES_SNAPSHOT", "RUN_ERROR", "TOOL_CALL_RESULT"} <= kinds
    ends = [message for vector in vectors for message in vector["end"]["messages"]]
    assert any(message["metadata"].get("interrupted") for message in ends)
    for batch in batches(vectors):
        frames = json.dumps([vector["frames"] for vector in batch])
        reduced = json.loads(page.evaluate(REDUCE, frames))
        for vector, state in zip(batch, reduced, strict=True):
            assert state == vector["end"]


def test_what_is_finished_is_neither_made_anew_nor_moved(page: Page) -> None:
    stage = Stage(page)
    stage.begin_answer()
    for number, block in enumerate(BLOCKS, 1):
        for part in (block[:5], block[5:], "\n\n"):
            if part:
                stage.record.part(part)
                stage.play()
        stage.chat.until(lambda number=number: page.evaluate(MARK) == number)
    chat = stage.end_answer()
    expect(chat.log.locator(".hljs-keyword")).to_have_count(1)
    expect(chat.log.locator(".katex-html")).to_have_count(2)
    marks = chat.log.locator(".assistant .piece > *").evaluate_all(
        "blocks => blocks.map((block) => block.marked)"
    )
    assert None not in marks[:-1]
    assert len(marks) == len(BLOCKS)
    assert page.evaluate("changed") == []
    tops = chat.log.locator(".assistant .piece > *").evaluate_all(
        "blocks => blocks.map((block) => block.offsetTop)"
    )
    assert [abs(top - mark) < 40 for top, mark in zip(tops[:-1], marks[:-1], strict=True)] == [True] * 7


def test_what_is_streamed_comes_to_the_same_elements_as_what_is_opened(page: Page) -> None:
    stage = Stage(page)
    stage.begin_answer()
    text = "\n\n".join(BLOCKS * 40)
    for start in range(0, len(text), 97):
        stage.record.part(text[start : start + 97])
        stage.play()
    chat = stage.end_answer()
    answer = chat.log.locator(".assistant > .text")
    expect(answer.locator(".katex-html")).to_have_count(80)
    expect(answer.locator(".hljs-keyword")).to_have_count(40)
    streamed = answer.evaluate("element => element.outerHTML")
    stage.served()
    chat.until(lambda: answer.evaluate("element => element.outerHTML") == streamed)


def test_what_may_still_become_something_else_is_not_drawn(page: Page) -> None:
    stage = Stage(page)
    stage.begin_answer()
    answer = stage.chat.log.locator(".assistant > .text")
    for part, words in (("Options:\n-", "Options:"), (" **on", "Options:"), ("e**", "Options:\none")):
        stage.record.part(part)
        stage.play()
        expect(answer).to_have_text(words, use_inner_text=True)
        expect(answer.locator("h2, h3")).to_have_count(0)
    expect(answer.locator("li strong")).to_have_text("one")


def test_a_target_that_is_given_after_its_link_changes_that_block_alone(page: Page) -> None:
    stage = Stage(page)
    stage.begin_answer()
    stage.record.part("Read [this][late], and [that].\n\nA second one.\n\n")
    stage.play()
    second = stage.chat.log.locator(".piece:not(.raw) > p", has_text="A second one.")
    second.evaluate("element => { element.mark = 'kept'; }")
    stage.record.part("[late]: https://example.com/late\n[That]: https://example.com/that\n")
    chat = stage.end_answer()
    links = chat.messages("Assistant").get_by_role("link")
    expect(links).to_have_text(["this", "that"])
    assert [link.get_attribute("href") for link in links.all()] == [
        f"https://example.com/{name}" for name in ("late", "that")
    ]
    assert second.evaluate("element => element.mark") == "kept"


HEIGHT_IN_BOX = """heading => heading.getBoundingClientRect().top
    - heading.closest(".scroll").getBoundingClientRect().top"""


def test_a_wide_or_long_table_scrolls_in_itself_and_its_heading_stays(page: Page) -> None:
    columns = 30
    rows = ["|".join(f"column {number}" for number in range(columns)), "|".join(["---"] * columns)]
    rows += ["|".join(f"cell {row}" for _ in range(columns)) for row in range(100)]
    chat = Stage(page).answer_page("\n".join(f"|{row}|" for row in rows))
    box = chat.log.locator(".scroll")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth && box.scrollHeight > box.clientHeight")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    heading = chat.log.get_by_role("columnheader", name="column 3", exact=True)
    before = heading.evaluate(HEIGHT_IN_BOX)
    box.evaluate("box => box.scrollTo(0, 500)")
    expect(heading).to_be_visible()
    assert abs(heading.evaluate(HEIGHT_IN_BOX) - before) < 2


def test_tasks_are_ticked_and_what_is_struck_is_struck(page: Page) -> None:
    chat = Stage(page).answer_page("- [x] done\n- [ ] open\n- plain\n\n~~gone~~")
    expect(chat.log.locator(".assistant li")).to_have_text(["☑ done", "☐ open", "plain"])
    expect(chat.log.locator("s, del")).to_have_text("gone")


def test_earlier_messages_come_by_themselves_and_the_reader_stays_where_he_is(chat: Chat) -> None:
    big = "word " * 19_000
    for number in range(8):
        chat.ask(f"{number} {big}")
    chat.page.reload()
    expect(chat.page.get_by_role("link", name="Earlier messages")).to_be_visible()
    count = chat.messages("You").count()
    assert count < 8
    chat.page.mouse.wheel(0, -2_000_000)
    expect(chat.messages("You")).not_to_have_count(count)
    chat.until(lambda: chat.page.evaluate("scrollY") > 1_000)  # what stood there stands there
    while chat.messages("You").count() < 8:
        chat.page.mouse.wheel(0, -2_000_000)
        chat.page.wait_for_timeout(50)
    expect(chat.page.get_by_role("link", name="Earlier messages")).to_be_hidden()
    beginnings = [text[:2] for text in chat.messages("You").all_text_contents()]
    assert beginnings == [f"{number} " for number in range(8)]


MIXED = """שלום *world*.

# كتاب with a title

- مرحبا
- hello
  1. עברית

> `code` ציטוט

| שם | Name |
|---|---|
| א | b |

$x$ הוא משתנה ו `npm` כלי.

1. `pip` קודם

```
text
```

Hello שלום.
"""


def test_each_part_has_its_own_direction_and_code_is_left_to_right(page: Page) -> None:
    chat = Stage(page).answer_page(MIXED)
    answer = chat.log.locator(".assistant > .text")

    def directions(selector: str) -> list[str]:
        computed = "all => all.map((one) => getComputedStyle(one).direction)"
        return answer.locator(selector).evaluate_all(computed)  # type: ignore[no-any-return]

    assert directions("p") == ["rtl", "rtl", "rtl", "ltr"]
    assert directions("h2") == ["rtl"]
    assert directions("ul, ol") == ["rtl", "rtl", "rtl"]
    assert directions("ul > li") == ["rtl", "ltr"]
    assert directions("blockquote") == ["rtl"]
    assert directions("table, th, td") == ["rtl", "rtl", "ltr", "rtl", "ltr"]
    assert set(directions("code, pre, .math")) == {"ltr"}
    side = "element => getComputedStyle(element).borderRightWidth"
    assert answer.locator("blockquote").evaluate(side) == "3px"
