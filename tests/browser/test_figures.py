"""The figures of a turn below it, and those of the whole conversation."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat
from tests.browser.looks import OVERFLOW
from tests.browser.stage import Stage

PRICES = {"m": {"input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75}}
FIRST = {"inputTokens": 100, "outputTokens": 20, "cacheReadInputTokens": 1000, "totalTokens": 1120}
SECOND = {"inputTokens": 1200, "outputTokens": 80, "totalTokens": 1280}


@pytest.fixture
def stage(page: Page) -> Stage:
    stage = Stage(page)
    stage.extra_context = {"prices": json.dumps(PRICES), "currency": "USD"}
    return stage


def end_round(stage: Stage, number: int, usage: dict[str, int], model: str = "m") -> None:
    """Writes a round's end with its usage and model."""
    record = stage.record
    record.finish_step()
    record.events[-1]["metadata"] |= {"usage": usage, "model": model, "firstTokenMs": 250 * number}


def two_rounds(stage: Stage, model: str = "m") -> None:
    """A turn with two calls at the same time, an event a second."""
    record = stage.record
    record.ask("the question")
    record.step()
    for name in ("top_song", "weather"):
        record.call(name=name)
        record.end()
    end_round(stage, 1, FIRST)
    record.answer("yes", "success")
    record.answer("no", "error")
    record.step()
    record.text()
    record.part("Here it is.")
    record.end()
    end_round(stage, 2, SECOND, model)
    record.finish()


def test_a_finished_turn_says_in_one_line_what_it_took(stage: Stage) -> None:
    two_rounds(stage)
    line = stage.served().log.locator(".sum")
    # 1300 in at 3, 100 out at 15, 1000 cached at 0.3 a million
    expect(line).to_have_text("2 rounds, 17.0 s, 2,400 tokens, $0.0057")
    expect(line).to_have_attribute("aria-expanded", "false")


def test_behind_the_line_is_a_row_for_each_round_and_call(stage: Stage) -> None:
    two_rounds(stage)
    chat = stage.served()
    expect(chat.log.locator(".sum")).to_be_visible()
    chat.log.locator(".sum").press("Enter")
    expect(chat.log.locator(".sum")).to_have_attribute("aria-expanded", "true")
    table = chat.log.get_by_role("table", name="What each round and tool call took")
    expect(table).to_be_visible()
    heads = table.get_by_role("columnheader").all_text_contents()
    assert heads == ["Step", "First token", "Time", "Tokens in", "Of them cached", "Tokens out", "Cost"]
    cells = [row.get_by_role("cell").all_text_contents() for row in table.get_by_role("row").all()[1:]]
    names = [row.get_by_role("rowheader").text_content() for row in table.get_by_role("row").all()[1:]]
    assert names == ["Round 1", "top_song", "weather", "Round 2"]
    assert cells[0][1:] == ["250 ms", "5.0 s", "1,100", "1,000", "20", "$0.0009"]
    assert cells[1][1:] == ["", "7 ms", "", "", "", ""]
    assert cells[3][1:] == ["500 ms", "4.0 s", "1,200", "", "80", "$0.0048"]
    chat.log.locator(".sum").press("Enter")
    expect(table).to_be_hidden()
    expect(chat.log.locator(".sum")).to_be_focused()


def test_calls_begin_together_where_their_round_ended(stage: Stage) -> None:
    two_rounds(stage)
    chat = stage.served()
    chat.log.locator(".sum").click()
    begins = "(bars) => bars.map((bar) => Number(bar.querySelector('rect').getAttribute('x')))"
    bars = chat.log.locator("svg.stretch")
    expect(bars).to_have_count(4)
    first, one, other, second = bars.evaluate_all(begins)
    assert first == 0
    assert one == other
    assert first < one < second


def test_nothing_is_said_of_cost_where_a_model_has_no_price(stage: Stage) -> None:
    two_rounds(stage, model="another")
    chat = stage.served()
    expect(chat.log.locator(".sum")).to_have_text("2 rounds, 17.0 s, 2,400 tokens")


def test_a_turn_that_runs_has_no_figures_yet(stage: Stage) -> None:
    stage.record.ask("the question")
    stage.record.step()
    stage.record.text()
    chat = stage.live()
    expect(chat.log.locator(".doing")).to_be_visible()
    expect(chat.log.locator(".sum")).to_be_hidden()


def test_the_conversation_s_totals_are_counted_on(stage: Stage) -> None:
    used = {"m": {"inputTokens": 1_000_000, "outputTokens": 0, "rounds": 3}}
    stage.extra_context |= {"totals": json.dumps(used)}
    chat = stage.served()
    totals = chat.page.locator("#totals")
    expect(totals).to_have_text("1,000,000 tokens, $3.00")
    two_rounds(stage)
    stage.play()
    expect(totals).to_have_text("1,002,400 tokens, $3.01")


def test_the_figures_fit_a_phone(stage: Stage) -> None:
    two_rounds(stage)
    chat = stage.served()
    chat.page.set_viewport_size({"width": 360, "height": 780})
    chat.log.locator(".sum").click()
    expect(chat.log.get_by_role("table")).to_be_visible()
    assert chat.page.evaluate(OVERFLOW) == 0


def test_the_real_gateway_s_tokens_are_counted(chat: Chat) -> None:
    chat.ask("What is the most popular song on WZPZ?")
    line = chat.log.locator(".sum")
    expect(line).to_contain_text("2 rounds, ")
    expect(line).to_contain_text(" tokens")
    expect(chat.page.locator("#totals")).to_contain_text(" tokens")
    totals = chat.page.locator("#totals").text_content()
    chat.page.reload()
    expect(chat.page.locator("#totals")).to_have_text(totals or "?")
