"""What a model brings beside text, reasoning and calls, seen live, read again, and played."""

from playwright.sync_api import expect

from tests.browser.chat import Chat

QUESTIONS = ("show citations", "show a server tool", "show a picture")


def assert_all_is_seen(chat: Chat) -> None:
    """Pictures are pictures, sources are footnotes, a provider's tool is a card of its own kind."""
    picture = chat.log.get_by_role("img", name="Picture from the model")
    expect(picture).to_be_visible()
    chat.until(lambda: picture.evaluate("image => image.naturalWidth") == 64)
    sources = chat.log.get_by_label("Sources").get_by_role("listitem")
    expect(sources).to_have_count(2)
    expect(sources.first.get_by_role("link", name="Turntables")).to_have_attribute(
        "href", "https://example.com/turntables"
    )
    expect(sources.last).to_contain_text("thirty-three and a third turns a minute")
    card = chat.log.get_by_role("group", name="Server tool nova_code_interpreter", exact=True)
    expect(card).to_contain_text("Succeeded")
    expect(card).to_contain_text("7006652")
    expect(card.get_by_role("button", name="Run again")).to_have_count(0)


def test_pictures_sources_and_tools_of_the_provider_are_seen(chat: Chat) -> None:
    for question in QUESTIONS:
        chat.ask(question)
    assert_all_is_seen(chat)
    live = chat.log.inner_text()
    chat.page.reload()
    assert_all_is_seen(chat)
    chat.until(lambda: chat.log.inner_text() == live)
    chat.log.get_by_label("Source 2", exact=True).click()
    expect(chat.log.get_by_label("Sources").get_by_role("listitem").last).to_be_focused()
    chat.page.goto(f"{chat.page.url.partition('#')[0]}replay/")
    position = chat.page.get_by_label("Position")
    expect(chat.page.locator("#play")).to_be_focused()  # the player stands where it opens
    position.press("End")
    assert_all_is_seen(chat)
