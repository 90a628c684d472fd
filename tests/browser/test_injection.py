"""Nothing that a user, a model or a tool writes may run, load or lead away by itself."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from conversations.protocol.text import visible
from tests.browser.attacks import ELSEWHERE, MARKED, RAW, check_nothing_lives
from tests.browser.chat import Chat


@pytest.fixture
def watched(page: Page) -> Iterator[list[str]]:
    """The requests to elsewhere, none of which may happen; nor may the page be left or anything be run."""
    elsewhere: list[str] = []
    page.context.on("request", lambda request: "attacker" in request.url and elsewhere.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    yield elsewhere
    assert elsewhere == []


def test_text_of_a_message_and_of_an_answer_stays_text(chat: Chat, watched: list[str]) -> None:
    attack = "\n\n".join(attack for attack in MARKED + RAW if visible(attack) == attack)
    chat.ask(attack)
    chat.ask("What did I ask first?")
    expect(chat.messages("You").first).to_have_text(attack)
    expect(chat.messages("Assistant").last).to_contain_text("<img src=x onerror=window.owned=1>")
    check_nothing_lives(chat)
    chat.page.reload()
    expect(chat.messages("Assistant").last).to_contain_text("<img src=x onerror=window.owned=1>")
    check_nothing_lives(chat)


def test_a_tool_call_and_its_result_stay_text(chat: Chat, watched: list[str]) -> None:
    chat.ask("What is the most popular song on <img src=x onerror=window.owned=1>?")
    chat.ask(f"What is the most popular song on <svg onload=window.owned=1> ![x]({ELSEWHERE}/1.png)?")
    check_nothing_lives(chat)


def test_a_title_stays_text(page: Page, watched: list[str]) -> None:
    attack = "".join([RAW[0], RAW[2], RAW[-2]])
    page.goto("/")
    page.get_by_text("Title and instructions").click()
    page.get_by_role("textbox", name="Title").fill(attack)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(attack)
    page.goto("/")
    expect(page.get_by_role("link", name=attack, exact=True).first).to_be_visible()
    assert page.evaluate("window.owned") is None


def test_even_without_escaping_the_sanitiser_and_the_policy_hold(chat: Chat, watched: list[str]) -> None:
    """The second and third line of defence, by themselves."""
    chat.page.evaluate(
        """async (attacks) => {
            const {default: purifier} = await import("/static/conversations/vendor/purify.mjs");
            const box = document.getElementById("transcript");
            for (const attack of attacks) box.append(purifier.sanitize(attack, {RETURN_DOM_FRAGMENT: true, FORBID_TAGS: ["img",
                "image", "svg", "math", "style", "form", "input", "video", "audio"],
                FORBID_ATTR: ["style", "ping", "target", "background"]}));
        }""",
        list(RAW),
    )
    assert chat.page.evaluate("window.owned") is None
    refused = chat.page.evaluate(
        """() => { try { document.createElement("div").innerHTML = "<b>x</b>"; } catch (error) { return error.name; } }"""
    )
    assert refused == "TypeError"


def test_a_link_tells_where_it_leads(chat: Chat) -> None:
    chat.ask("[my bank](https://attacker.invalid/login) and https://honest.example/page")
    chat.ask("What did I ask first?")
    disguised, honest = chat.messages("Assistant").last.locator("a").all()
    expect(disguised).to_have_attribute("title", "https://attacker.invalid/login")
    label = disguised.evaluate("link => getComputedStyle(link, '::after').content")
    assert "attacker.invalid" in label
    assert honest.evaluate("link => getComputedStyle(link, '::after').content") == "none"


def test_characters_that_reorder_text_are_made_visible(chat: Chat) -> None:
    chat.ask("access\u202eresu\u2066")
    expect(chat.messages("You")).to_have_text("access[U+202E]resu[U+2066]")
