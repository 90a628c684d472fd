"""Long results and code: the first lines, and all of them when the reader wants them."""

from playwright.sync_api import Locator, expect

from tests.browser.calls import Calls, opened
from tests.browser.chat import Chat

LOG = "\n".join(f"line {n} of the log" for n in range(1, 3001))
CODE = "\n".join(f"value_{n} = {n}" for n in range(1, 71))

LONG = "\n".join(f"the line number {n}" for n in range(1, 3001))  # more than is rendered as one block


def height(box: Locator) -> float:
    """How high it is, in pixels."""
    return float(box.evaluate("(one) => one.offsetHeight"))


def read(calls: Calls) -> Chat:
    """A conversation with a long log, a short one, and long and short code."""
    calls.one({"path": "/srv/log"}, LOG, name="read_log")
    calls.one({"path": "/srv/short"}, "\n".join(["short"] * 40), name="read_short")
    calls.record.step()
    calls.record.text()
    calls.record.part(
        f"```python\n{CODE}\n```\n\n```python\nshort = 1\n```\n\n```\n{LONG}\n```\n\nThat was it."
    )
    calls.record.end()
    calls.record.finish_step()
    calls.record.finish()
    chat = calls.live()
    expect(chat.messages("Assistant").last).to_contain_text("That was it.")
    return chat


def test_long_results_and_code_are_folded_until_the_reader_wants_all_lines(calls: Calls) -> None:
    chat = read(calls)
    card = opened(chat.tool("read_log"))
    result, more = card.locator(".result"), card.get_by_role("button", name="Show all 3,000 lines")
    expect(more).to_have_attribute("aria-expanded", "false")
    folded = height(result)
    assert folded < 500
    assert result.text_content() == LOG  # for who listens, copies or searches
    more.press("Enter")
    expect(result).to_be_focused()
    assert height(result) > 10 * folded
    card.get_by_role("button", name="Show fewer lines").press("Enter")
    assert height(result) == folded
    # what is found in it comes into sight
    result.evaluate("(one) => { one.scrollTop = 500; }")
    expect(card.get_by_role("button", name="Show fewer lines")).to_have_attribute("aria-expanded", "true")
    short = opened(chat.tool("read_short"))
    expect(short.locator(".unfold")).to_have_count(0)
    code = chat.log.locator(".code")
    expect(code).to_have_count(3)
    expect(code.locator(".unfold")).to_have_text(["Show all 70 lines", "Show all 3,000 lines"])
    assert height(code.first) < 700
    code.get_by_role("button", name="Show all 70 lines").click()
    assert height(code.first) > 1000
    card.get_by_role("button", name="Show fewer lines").click()
    chat.tool("read_short").locator("summary").first.click()
    chat.page.emulate_media(media="print")
    assert height(result) > 10 * folded
    expect(short.locator(".result")).to_be_visible()  # a folded card too
