"""A turn that broke, and what can be done: the same live, after a snapshot and on a new page."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Stage, write_turn

WAYS = ("live", "snapshot", "served")


def lost_twice(stage: Stage) -> None:
    """A turn with a tool call, whose second round was lost twice and is being written again."""
    record = stage.record
    record.ask("What is the song?")
    for move in (
        "step",
        "call",
        "part",
        "end",
        "finish_step",
        "answer",
        "step",
        "reasoning",
        "part",
        "end",
        "text",
    ):
        getattr(record, move)("{}")
    record.part("The song is Elem")
    record.crash()
    record.step()
    record.text()
    record.part("It is Elemental Hot")
    record.end()
    record.call()
    record.part('{"sign": "WZ')
    record.crash()


@pytest.mark.parametrize("way", WAYS)
def test_what_an_interrupted_attempt_had_written_stays_folded(stage: Stage, way: str) -> None:
    lost_twice(stage)
    chat = getattr(stage, way)()
    attempts = chat.log.locator("details.attempt")
    expect(attempts).to_have_count(2)
    expect(attempts.last).to_have_attribute("open", "")
    expect(attempts.last).to_contain_text("It is Elemental Hot")
    stage.record.step()
    stage.record.text()
    stage.record.part("Elemental Hotel, by 8 Storey Hike.")
    stage.play()
    expect(chat.messages("Assistant")).to_have_text(["Elemental Hotel, by 8 Storey Hike."])
    expect(chat.log.locator("details.attempt[open]")).to_have_count(0)
    first = attempts.first.get_by_text("Interrupted attempt")
    first.focus()
    chat.page.keyboard.press("Enter")
    expect(chat.messages("Assistant").first).to_have_text("The song is Elem")
    expect(attempts.last.locator(".tool")).to_contain_text("Interrupted")


def test_a_broken_turn_is_the_same_on_every_way_to_it(stage: Stage) -> None:
    lost_twice(stage)
    stage.record.fail("The server stopped while it was answering. Send the message again.", "interrupted")
    stage.extra_context = {"models": json.dumps(["cohere.command-r-v1:0", "other.model-v1"])}
    shapes = []
    for way in WAYS:
        chat = getattr(stage, way)()
        expect(chat.alert).to_have_count(1)
        expect(chat.log.get_by_role("button", name="Try again")).to_be_visible()
        chat.settled()
        shapes.append(chat.page.evaluate(SHAPE))
    assert shapes[0] == shapes[1] == shapes[2]


SHAPE = """() => Array.from(document.querySelectorAll("#transcript *"), (element) => [
    element.tagName, element.className, element.open ?? null, element.hidden, element.getAttribute("role"),
    element.getAttribute("aria-label"), element.children.length ? "" : element.textContent])"""


@pytest.mark.parametrize(
    ("code", "partial", "names"),
    [
        ("gateway_failed", "", ["Try again"]),
        ("stream_error", "Some", ["Try again"]),
        ("stream_cut", "", ["Try again"]),
        ("stream_cut", "Some", ["Continue", "Try again"]),
        ("round_limit", "Some", ["Continue", "Try again"]),
        ("max_tokens", "", ["Continue", "Try again"]),
        ("interrupted", "", ["Try again"]),
    ],
)
def test_a_failure_offers_what_can_be_done(stage: Stage, code: str, partial: str, names: list[str]) -> None:
    stage.record.ask("the question")
    stage.record.step()
    if partial:
        stage.record.text()
        stage.record.part(partial)
    stage.record.fail("It failed. Do this.", code)
    chat = stage.live()
    expect(chat.alert.locator(".failure")).to_have_text("It failed. Do this.")
    buttons = chat.log.locator(".actions button:not(.quiet):visible")
    expect(buttons).to_have_text(names)
    chat.box.fill("a draft")
    buttons.last.click()
    expect(chat.box).to_have_value("a draft")
    expect(chat.box).to_be_focused()
    (frame,) = stage.frames("regenerate")
    assert set(frame) == {"type", "id"}


def test_an_answer_that_was_cut_can_be_continued(stage: Stage) -> None:
    stage.record.ask("the question")
    stage.record.step()
    stage.record.text()
    stage.record.part("half an ans")
    stage.record.end()
    stage.record.finish_step(reason="max_tokens")
    stage.record.finish()
    chat = stage.served()
    expect(chat.log.locator(".notice")).to_have_text(
        "The answer was cut: it reached the limit on its length."
    )
    chat.log.get_by_role("button", name="Continue").click()
    assert [frame["text"] for frame in stage.frames("message")] == ["Continue."]


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_answer_is_told_and_a_retry_counts_down_until_the_next_news(stage: Stage, way: str) -> None:
    write_turn(stage.record, "the question", " \n")
    stage.record.ask("the question")
    stage.record.step()
    stage.record.retry(seconds=90)
    stage.record.events[-1]["timestamp"] = int(time.time() * 1000)
    chat = getattr(stage, way)()
    expect(chat.log.locator(".notice")).to_have_text("The model answered with nothing.")
    countdown = chat.log.locator(".doing")
    expect(countdown).to_have_text(re.compile(r"^The gateway is busy\. Trying again in \d\d s \(2 of 3\)$"))
    sentence = countdown.text_content()
    expect(countdown).not_to_have_text(sentence or "")
    expect(countdown).to_have_text(re.compile(r"in [1-8]\d s"))
    expect(chat.stop_button).to_be_enabled()
    announcement = chat.page.locator("#announcer").text_content() or ""
    assert announcement.count("Trying again") == (way == "live")
    stage.record.text()
    stage.record.part("Here")
    stage.play()
    expect(countdown).to_have_text("Writing")
