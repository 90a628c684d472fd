"""Harmful arguments and results: deep, large, or written to be taken for something else."""

import json
import time

from playwright.sync_api import Page, expect

from tests.browser.calls import Calls, card_of, opened
from tests.browser.chat import Chat

FROZEN_S = 15  # far above what a busy machine needs, far below what grows with the square


DEEP = "[" * 100_000 + "]" * 100_000
HOSTILE = {
    "deep": DEEP,
    "deep objects": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "many": json.dumps([0] * 70_000),
    "many rows": json.dumps([{"a": n} for n in range(12_000)]),
    "many columns": json.dumps([{f"k{n}": n for n in range(10_000)}]),
    "one long text": json.dumps({"a": "x" * 150_000}),
    "one long number": json.dumps([{"a": 1}]).replace("1", "9" * 150_000),
    "escapes": json.dumps({"a": '\\"' * 40_000}),
    "blanks": "\n" * 150_000,
    "blanks in JSON": "[" + " " * 100_000 + "{" + "\n" * 50_000 + "}]",
    "words and JSON": "word\n" * 500 + '{"a": 1}\n' + "word\n" * 30_000,
    "lines": '{"a": 1}\n' * 15_000,
}


def test_hostile_results_are_shown_and_the_page_stays_of_use(calls: Calls) -> None:
    for result in HOSTILE.values():
        calls.one(result, result)
    chat = calls.live()
    cards = chat.tool("top_song")
    expect(cards).to_have_count(len(HOSTILE))
    for name, closed in zip(HOSTILE, cards.all(), strict=True):
        began = time.monotonic()
        card = opened(closed)
        for part in (".request", ".outcome"):
            expect(card.locator(part).locator(".view, pre").locator("visible=true"), name).to_have_count(1)
        assert time.monotonic() - began < FROZEN_S, name
        assert card.locator("*").count() < 5000, name
        chat.box.fill(f"still here after {name}")
        expect(chat.box).to_have_value(f"still here after {name}")
        closed.locator("summary").first.click()


def test_brackets_can_be_unfolded_one_level_at_a_time(calls: Calls) -> None:
    card = card_of(calls, DEEP[60_000:140_000])
    for level in range(5):
        card.locator(".outcome summary").nth(level).click()
    expect(card.locator(".outcome summary")).to_have_count(6)


def test_marks_that_reorder_text_are_seen_in_keys_values_and_tables(calls: Calls) -> None:
    card = card_of(
        calls, [{"a\u202eb": "c\u2066d"}], '{"x\\u202ey": "\\u2067z", "g": {"h\\u202e": [1, [2]]}}'
    )
    expect(card.get_by_role("columnheader")).to_have_text("a[U+202E]b")
    expect(card.get_by_role("cell")).to_have_text("c[U+2066]d")
    expect(card.locator(".request")).to_contain_text("x[U+202E]y")
    expect(card.locator(".request")).to_contain_text("[U+2067]z")
    assert not set("\u202e\u2066\u2067") & set(card.text_content() or "")


def test_markup_in_keys_and_values_is_text(calls: Calls, page: Page) -> None:
    attack = "<img src=x onerror=window.owned=1>"
    card = card_of(calls, [{attack: attack}], {attack: {attack: [attack, [attack]]}})
    expect(card.get_by_role("cell")).to_have_text(attack)
    expect(card.locator("img")).to_have_count(0)
    assert page.evaluate("window.owned") is None


def test_many_calls_with_large_results_are_drawn_only_when_opened(calls: Calls) -> None:
    for _ in range(30):
        calls.one({}, HOSTILE["many rows"][:100_000])
    chat: Chat = calls.live()
    expect(chat.log.locator(".tool")).to_have_count(30)
    expect(chat.log.locator("table")).to_have_count(0)
