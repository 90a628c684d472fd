"""An answer as a person sees it, in one tab or two, before and after a reload."""

import re

from playwright.sync_api import BrowserContext, expect

from tests.browser.chat import Chat, words

SONG = "What is the most popular song on WZPZ?"
STOP_REASONS = {
    "max_tokens": "The answer was cut: it reached the limit on its length.",
    "guardrail_intervened": "A guardrail stepped in. The model will not see this question and answer again.",
    "content_filtered": "A content filter stepped in and ended the answer.",
    "tea_time": "The model stopped for a reason that is not known here: tea_time.",
}


def test_a_reload_changes_nothing(chat: Chat) -> None:
    for question in (
        SONG,
        "show parallel calls",
        "show reasoning",
        "show markdown",
        "show redacted reasoning",
    ):
        chat.ask(question)
    expect(chat.log.locator(".hljs-keyword")).not_to_have_count(0)  # colours of code may come a moment later
    before = chat.transcript()
    chat.page.reload()
    chat.until(lambda: chat.transcript() == before)


def test_a_reload_in_mid_answer_loses_and_repeats_nothing(chat: Chat) -> None:
    chat.say("show a long answer")
    for length in (200, 1000, 2000):
        chat.grown(length)
        chat.page.reload()
    chat.settled()
    question, answer = chat.stored_messages()
    assert question == "show a long answer"
    expect(chat.messages("You")).to_have_text([question])
    assert words(chat.messages("Assistant").text_content() or "") == words(answer)


def test_two_tabs_see_the_same(chat: Chat, context: BrowserContext) -> None:
    other = Chat(context.new_page())
    other.page.goto(chat.page.url)
    chat.say(SONG)
    expect(other.messages("Assistant").last).to_contain_text("Elemental Hotel")
    other.ask("show markdown")
    chat.settled()
    expect(chat.messages("You")).to_have_count(2)
    chat.until(lambda: chat.transcript() == other.transcript())  # colours of code may come a moment later


def test_thoughts_in_a_text_are_folded_and_not_copied(chat: Chat, context: BrowserContext) -> None:
    chat.ask("show thinking as text")
    before, [_, answer] = chat.transcript(), chat.stored_messages()
    expect(chat.messages("Assistant")).to_have_text([answer])
    thought = chat.log.locator("details.reasoning")
    expect(thought.locator(".text")).to_be_hidden()
    thought.locator("summary").click()
    expect(thought.locator(".text")).to_contain_text("The user wants to see how reasoning looks.")
    expect(chat.log).not_to_contain_text("thinking>")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.log.get_by_role("button", name="Copy").click()
    chat.until(lambda: chat.page.evaluate("navigator.clipboard.readText()") == answer)
    chat.page.reload()
    chat.until(lambda: chat.transcript() == before)


def test_a_failed_tool_call_is_told_as_failed(chat: Chat) -> None:
    chat.ask("What is the most popular song on WKRP?")
    call = chat.tool("top_song")
    expect(call).to_contain_text("Failed")
    expect(call).to_contain_text("Station WKRP not found.")
    expect(call).not_to_contain_text("Succeeded")


def test_broken_arguments_are_shown_as_they_were_sent(chat: Chat) -> None:
    chat.ask("show broken tool input")
    call = chat.log.get_by_role("group")
    expect(call).to_contain_text("Failed")
    arguments = call.locator(".arguments").text_content() or ""
    assert arguments
    assert not arguments.endswith("}")


def test_reasoning_is_folded_and_can_be_read(chat: Chat) -> None:
    chat.ask("show reasoning")
    thinking = chat.log.locator("details", has_text="Thinking")
    text = thinking.locator(".text")
    expect(text).to_be_hidden()
    thinking.get_by_text("Thinking").click()
    expect(text).to_be_visible()
    expect(text).not_to_be_empty()


def test_a_failure_is_an_alert_and_what_was_shown_stays(chat: Chat) -> None:
    chat.ask("fail cut")
    expect(chat.alert).to_have_count(1)
    expect(chat.alert).to_be_visible()
    partial = chat.messages("Assistant").text_content()
    assert partial
    sentence = chat.alert.text_content()
    chat.page.reload()
    expect(chat.alert).to_have_text(sentence or "?")
    expect(chat.messages("Assistant")).to_have_text(partial)
    chat.ask(SONG)
    expect(chat.messages("Assistant").last).to_contain_text("Elemental Hotel")


def test_a_further_attempt_is_announced_while_it_waits(chat: Chat) -> None:
    chat.say("fail gateway once")
    waiting = re.compile(r"^The gateway \w.*\. Trying again( in \d+ s)? \(2 of 3\)$")
    expect(chat.log.get_by_text(waiting)).to_be_visible()
    chat.settled()
    expect(chat.messages("Assistant")).to_contain_text("second try")
    expect(chat.alert).to_have_count(0)


def test_an_unusual_stop_reason_is_told(chat: Chat) -> None:
    for reason, sentence in STOP_REASONS.items():
        chat.ask(f"show stop reason {reason}")
        expect(chat.log.locator(".notice").last).to_have_text(sentence)
    chat.page.reload()
    expect(chat.log.locator(".notice")).to_have_text(list(STOP_REASONS.values()))


def test_an_answer_can_be_copied_as_it_is_stored(chat: Chat, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.ask("show markdown")
    chat.log.get_by_role("button", name="Copy", exact=True).click()
    chat.until(lambda: chat.page.evaluate("navigator.clipboard.readText()") == chat.stored_messages()[1])


def test_what_begins_and_ends_is_announced_and_tokens_are_not(chat: Chat) -> None:
    chat.page.evaluate(
        """() => {
            window.announcements = [];
            const region = document.getElementById("announcer");
            new MutationObserver(() => announcements.push(region.textContent)).observe(region, {childList: true});
        }"""
    )
    chat.ask(SONG)
    chat.until(lambda: "finished" in chat.page.evaluate("announcements.join(' ')"))
    announcements = " ".join(chat.page.evaluate("announcements"))
    assert announcements == (
        "The assistant is answering. Tool call top_song started. Tool call top_song succeeded. The answer is finished."
    )
    expect(chat.log).to_have_attribute("aria-live", "off")
