"""Cards of tool calls: states by word and mark, times, texts to copy, the calls of a round together."""

import json
import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.calls import Calls, opened
from tests.browser.looks import COLOUR, OVERFLOW, small_targets

ENDED = {
    "": "Succeeded",
    "tool_error": "Failed",
    "exception": "Failed",
    "timeout": "Timed out",
    "invalid_input": "Failed, arguments do not fit",
    "unknown_tool": "Failed, no such tool",
    "round_limit": "Not run",
    "not_recorded": "Not recorded",
    "denied": "Denied",
    "expired": "Expired",
    "interrupted": "Interrupted",
    "stopped": "Stopped",
    "cut": "Not finished",
}


def test_each_end_of_a_call_has_its_word_and_only_success_is_green(calls: Calls) -> None:
    for error in ENDED:
        calls.one({}, "a result", error, name=error or "success")
    chat = calls.live()
    expect(chat.tool("cut")).to_be_visible()
    green = chat.page.evaluate(COLOUR, "good")
    for error, word in ENDED.items():
        state = chat.tool(error or "success").locator(".tool-state")
        expect(state).to_have_text(word)
        assert (state.evaluate("(one) => getComputedStyle(one).color") == green) == (not error)


def test_states_that_differ_in_colour_differ_in_shape(calls: Calls) -> None:
    for error in ("", "tool_error", "denied", "expired", "interrupted", "stopped", "cut"):
        calls.one({}, "a result", error)
    calls.waits(*calls.round(("top_song", {}), ("other", {}))[:1])
    chat = calls.live()
    expect(chat.log.locator(".mark")).to_have_count(9)
    shapes = chat.log.locator(".mark path").evaluate_all("(all) => all.map((one) => one.getAttribute('d'))")
    assert len(set(shapes)) == 9
    assert chat.log.locator(".mark:not([aria-hidden])").count() == 0


def test_a_call_is_followed_from_its_first_argument_to_its_result(calls: Calls) -> None:
    calls.record.ask("Look it up.")
    calls.record.step()
    calls.record.call()
    calls.record.part('{"sign": "W')
    chat = calls.live()
    card = opened(chat.tool("top_song"))
    state = card.locator(".tool-state")
    expect(state).to_have_text("Writing arguments")
    expect(card.locator(".arguments")).to_have_text('{"sign": "W')
    expect(card.locator(".arguments")).to_be_visible()
    calls.record.part('ZPZ"}')
    calls.record.end()
    calls.record.finish_step()
    calls.stage.play()
    expect(state).to_have_text("Running")
    expect(card.locator(".elapsed")).to_have_text(re.compile(r"^[\d.]+ (ms|s|min)"))
    expect(card.get_by_role("listitem")).to_have_text("signWZPZ")
    expect(card.locator(".preview")).to_have_text("sign: WZPZ")
    calls.answer(calls.record._calls[0], {"song": "Elemental Hotel"}, ms=61_000)
    calls.stage.play()
    expect(state).to_have_text("Succeeded")
    expect(card.locator(".elapsed")).to_have_text("1 min 1 s")


def test_a_call_that_never_ran_was_cut_off_or_got_no_answer_says_so(calls: Calls) -> None:
    calls.one({}, "No.", "denied", ms=0, name="denied")
    calls.round(("unanswered", {}))
    calls.record.fail()
    calls.record.ask("Look it up.")
    calls.record.step()
    calls.request("cut", {"sign": "WZPZ"})
    calls.record.crash()
    chat = calls.live()
    for name, state in (("denied", "Denied"), ("unanswered", "Not finished"), ("cut", "Interrupted")):
        expect(chat.tool(name).locator(".tool-state")).to_have_text(state)
    expect(chat.tool("denied").locator(".elapsed")).to_be_empty()


def test_the_very_texts_can_be_seen_and_copied(calls: Calls, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    arguments, result = '{ "b" : 1.50,"a":"\u202e" }', '{"n":12345678901234567890.10}'
    calls.one(arguments, result)
    chat = calls.live()
    card = opened(chat.tool("top_song"))
    expect(card.locator(".arguments")).to_be_hidden()
    as_text = card.get_by_role("button", name="As text")
    as_text.click()
    expect(as_text).to_have_attribute("aria-pressed", "true")
    expect(card.locator(".arguments")).to_be_visible()
    assert card.locator(".arguments").text_content() == arguments.replace("\u202e", "[U+202E]")
    assert card.locator(".result").text_content() == result
    expect(card.locator(".json")).to_have_count(2)
    expect(card.locator(".json").first).to_be_hidden()
    for name, text in (("Copy arguments", arguments), ("Copy result", result)):
        card.get_by_role("button", name=name).click()
        chat.until(lambda text=text: chat.page.evaluate("navigator.clipboard.readText()") == text)


def test_a_card_is_one_line_until_the_reader_opens_it_or_it_has_failed(calls: Calls) -> None:
    calls.one({"sign": "WZPZ", "more": "words " * 90}, "fine", name="good")
    calls.one({"sign": "WKRP"}, "Station not found.", "tool_error", name="bad")
    first, second = calls.round(("one", {"list": [1]}), ("two", {}))
    chat = calls.live()
    good, bad = chat.tool("good"), chat.tool("bad")
    expect(good.locator(".preview")).to_have_text("sign: WZPZ, more: " + ("words " * 10)[:59] + "…")
    expect(chat.tool("one").locator(".preview")).to_have_text("list: [1]")
    expect(bad.locator(".result")).to_be_visible()
    expect(good.locator(".result")).to_be_hidden()
    for width in (1280, 390, 320):
        chat.page.set_viewport_size({"width": width, "height": 800})
        assert height(good) < 50, width
        assert height(bad.locator("summary").first) < 50, width
    # what the reader has done stays, whatever comes
    bad.locator("summary").first.press("Enter")
    one = opened(chat.tool("one"))
    calls.answer(first, "done")
    calls.answer(second, "done", "timeout")
    calls.stage.play()
    expect(chat.tool("two")).to_have_attribute("open", "")
    expect(one.locator(".result")).to_be_visible()
    calls.stage.cut()
    expect(chat.page.locator("#connection")).not_to_be_empty()
    calls.one({}, "after a reconnect", name="later")
    calls.stage.mend()
    expect(chat.tool("later").locator(".tool-state")).to_have_text("Succeeded")
    expect(one.locator(".result")).to_be_visible()
    expect(bad.locator(".result")).to_be_hidden()


def height(box) -> float:  # type: ignore[no-untyped-def]
    """How high it is, in pixels."""
    return float(box.bounding_box()["height"])


# -- the calls of a round


def test_calls_of_a_round_stand_side_by_side_and_under_each_other_on_a_phone(calls: Calls) -> None:
    for call in calls.round(("one", {}), ("two", {})):
        calls.answer(call, "done")
    chat = calls.live()
    expect(chat.log.get_by_text("2 calls at the same time")).to_be_visible()
    assert top(chat.tool("one")) == top(chat.tool("two"))
    chat.page.set_viewport_size({"width": 360, "height": 800})
    assert top(chat.tool("one")) < top(chat.tool("two"))


def top(card) -> float:  # type: ignore[no-untyped-def]
    """The upper edge of a card in the page, wherever that is scrolled to."""
    return float(card.evaluate("one => one.getBoundingClientRect().top + scrollY"))


def test_rounds_that_follow_each_other_are_told_apart(calls: Calls) -> None:
    calls.one({}, "first", name="one")
    calls.one({}, "second", name="two")
    chat = calls.live()
    expect(chat.tool("two")).to_contain_text("second")
    expect(chat.log.locator(".calls")).to_have_count(2)
    expect(chat.log.get_by_text("at the same time")).to_have_count(0)
    assert top(chat.tool("one")) < top(chat.tool("two"))


def test_a_round_s_times_are_drawn_once_all_calls_have_ended(calls: Calls) -> None:
    slow, quick = calls.round(("slow", {"n": 1}), ("quick", {"n": 2}))
    calls.answer(slow, "done", ms=2000)
    chat = calls.live()
    expect(chat.tool("slow")).to_contain_text("done")
    lanes = chat.log.locator(".lanes")
    expect(lanes).to_be_hidden()
    calls.answer(quick, "done", ms=500)
    calls.stage.play()
    expect(lanes).to_contain_text("Times, 2.0 s in all")
    expect(lanes.get_by_role("listitem")).to_have_text(['slow {"n": 1}2.0 s', 'quick {"n": 2}500 ms'])
    widths = lanes.locator("rect").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().width)"
    )
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.02)


def test_a_second_call_of_the_round_takes_the_focus_from_nobody(calls: Calls) -> None:
    calls.record.ask("Look it up.")
    calls.record.step()
    calls.request("one", {})
    chat = calls.live()
    summary = chat.tool("one").locator("summary").first
    summary.focus()
    calls.request("two", {})
    calls.stage.play()
    expect(chat.tool("two")).to_be_visible()
    expect(summary).to_be_focused()


# -- the page


def test_cards_fit_the_screen_and_fingers(calls: Calls) -> None:
    wide = {
        "key " * 30: "x" * 500,
        "list": [{"a" * 30: "b" * 90, f"c{n}": n} for n in range(3)],
        "deep": {"er": {"est": [[1]]}},
    }
    calls.one(wide, wide, name="a_tool_with_a_name_of_some_length_" * 2)
    first, *_ = calls.round(("delete", wide), ("other", wide))
    calls.waits(first)
    chat = calls.live()
    expect(chat.log.locator(".approval")).to_be_visible()
    for card in chat.log.locator(".tool").all():
        opened(card)
    for width in (320, 360, 1280):
        chat.page.set_viewport_size({"width": width, "height": 800})
        assert chat.page.evaluate(OVERFLOW) == 0, width
        assert [name for name in small_targets(chat.page) if name] == [], width


def test_a_served_page_a_snapshot_and_the_events_show_the_same(page: Page, calls: Calls) -> None:
    calls.one({"sign": "WZPZ"}, {"songs": [{"n": 1}, {"n": 2}]})
    for call in calls.round(("one", {}), ("two", {"x": [1]})):
        calls.answer(call, json.dumps({"a": [{"b": None}]}))
    calls.finish()
    transcripts = []
    for way in ("live", "snapshot", "served"):
        chat = getattr(calls.stage, way)()
        expect(chat.log.locator("[data-count='2'] .lanes")).to_be_visible()
        chat.settled()
        transcripts.append(chat.transcript())
    assert transcripts[0] == transcripts[1] == transcripts[2]
