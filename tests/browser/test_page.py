"""The page itself: widths, keyboard, scrolling, older messages."""

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.chat import UNENDING, Chat
from tests.browser.looks import OVERFLOW, colour, contrast, small_targets

SKIP = ".skip"
RGB = "element => getComputedStyle(element).color.match(/[0-9]+/g).map(Number)"

WIDE = (
    "`"
    + "x" * 400
    + "`\n\n"
    + "y" * 400
    + "\n\n|"
    + "column|" * 40
    + "\n|"
    + "-|" * 40
    + "\n\n```\n"
    + "z " * 400
    + "\n```"
)


def test_nothing_is_wider_than_the_screen(chat: Chat) -> None:
    for question in (WIDE, "What did I ask first?", "show markdown", "show parallel calls", "fail cut"):
        chat.ask(question)
    for path in (chat.page.url, "/", "/conversations/none/"):
        chat.page.goto(path)
        for width in (320, 390, 1280):
            chat.page.set_viewport_size({"width": width, "height": 800})
            assert chat.page.evaluate(OVERFLOW) == 0, (path, width)


def tab_to(button: Locator) -> None:
    """Presses Tab until the button has the focus, past what can be chosen for the message."""
    for _ in range(6):
        button.page.keyboard.press("Tab")
        if button.evaluate("button => button === document.activeElement"):
            return
    expect(button).to_be_focused()


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    page.goto("/")
    focused = page.locator(":focus")
    expect(focused).to_have_attribute("name", "message")
    page.keyboard.type(UNENDING)
    page.keyboard.press("Enter")
    page.wait_for_url("**/conversations/*/")
    chat = Chat(page)
    expect(chat.messages("Assistant")).not_to_be_empty()
    expect(chat.box).to_be_focused()
    tab_to(chat.stop_button)
    page.keyboard.press("Space")
    expect(chat.log).to_contain_text("Stopped.")
    expect(chat.box).to_be_focused()
    page.keyboard.type("What is the most popular song on WZPZ?")
    tab_to(chat.send_button)
    page.keyboard.press("Enter")
    expect(chat.messages("Assistant").last).to_contain_text("Elemental Hotel")
    card = chat.tool("top_song").locator("summary")
    card.focus()
    expect(chat.tool("top_song").locator(".outcome")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(chat.tool("top_song").locator(".outcome")).to_be_visible()
    page.keyboard.press("Enter")
    expect(chat.tool("top_song").locator(".outcome")).to_be_hidden()
    expect(card).to_be_focused()


def test_the_first_tab_leads_to_the_content(page: Page) -> None:
    page.goto("/conversations/none/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_newest_stays_in_sight_until_the_reader_scrolls_up(chat: Chat) -> None:
    chat.page.set_viewport_size({"width": 800, "height": 500})
    jump = chat.page.get_by_role("button", name="Jump to the newest")
    chat.ask("show a long answer")
    expect(jump).to_be_hidden()
    at_end = "Math.abs(document.scrollingElement.scrollHeight - innerHeight - scrollY) < 2"
    assert chat.page.evaluate(at_end)
    chat.say("show a long answer")
    expect(chat.messages("Assistant")).to_have_count(2)
    chat.grown(300)
    chat.page.mouse.wheel(0, -200)
    expect(jump).to_be_visible()
    place = chat.resting_place()
    chat.settled()
    assert chat.page.evaluate("scrollY") == place
    jump.click()
    expect(jump).to_be_hidden()
    assert chat.page.evaluate(at_end)
    expect(chat.log).to_be_focused()


SHORTER_FOR_A_FRAME = """log => new Promise((done) => {
    const channel = new MessageChannel(), last = log.lastElementChild;
    channel.port1.onmessage = () => {
        last.style.display = "";
        requestAnimationFrame(() => requestAnimationFrame(done));
    };
    last.style.display = "none";
    requestAnimationFrame(() => channel.port2.postMessage(null));  // comes once the page has been laid out without it
})"""


def test_the_newest_stays_in_sight_though_the_page_was_shorter_for_a_moment(chat: Chat) -> None:
    chat.page.set_viewport_size({"width": 800, "height": 500})
    chat.ask("show a long answer")
    jump = chat.page.get_by_role("button", name="Jump to the newest")
    expect(jump).to_be_hidden()
    for _ in range(5):
        chat.log.evaluate(SHORTER_FOR_A_FRAME)
        expect(jump).to_be_hidden()


def test_a_conversation_is_printed_as_a_document_dark_on_light(chat: Chat) -> None:
    chat.ask("show markdown")
    chat.page.emulate_media(media="print", color_scheme="dark")
    expect(chat.messages("Assistant")).to_be_visible()
    for control in (chat.box, chat.page.get_by_role("button"), chat.page.get_by_role("banner"), SKIP):
        places = chat.page.locator(control) if isinstance(control, str) else control
        expect(places.filter(visible=True)).to_have_count(0)
    red, green, blue = chat.messages("Assistant").evaluate(RGB)
    assert max(red, green, blue) < 80


def test_one_s_own_message_is_brought_into_sight(chat: Chat) -> None:
    chat.page.set_viewport_size({"width": 800, "height": 500})
    chat.ask("show a long answer")
    chat.page.mouse.wheel(0, -5000)
    expect(chat.page.get_by_role("button", name="Jump to the newest")).to_be_visible()
    chat.resting_place()
    chat.ask("hello")
    expect(chat.messages("You").last).to_be_in_viewport()


def test_older_messages_are_put_before_the_newer_ones(chat: Chat) -> None:
    big = "word " * 19_000
    for number in range(6):
        chat.ask(f"{number} {big}")
    chat.page.reload()
    older = chat.page.get_by_role("link", name="Earlier messages")
    expect(older).to_be_visible()
    assert chat.messages("You").count() < 6
    requests: list[Route] = []
    chat.page.route("**/?before=*", lambda route: requests.append(route))  # noqa: PLW0108 (it takes no built-in)
    older.evaluate("link => link.click()")
    chat.until(lambda: requests)
    chat.ask("7 comes while they are on their way")
    for request in reversed(requests):  # the one that was sent before the question comes last
        with chat.page.expect_response("**/?before=*"):
            request.continue_()
    chat.page.unroute("**/?before=*")
    while (count := chat.messages("You").count()) < 7:
        if older.is_visible():  # in sight it is followed by itself
            older.evaluate("link => link.click()")
        expect(chat.messages("You")).not_to_have_count(count)
    beginnings = [text[:2] for text in chat.messages("You").all_text_contents()]
    assert beginnings == [f"{number} " for number in (*range(6), 7)]


def test_an_older_page_by_itself_leads_back_to_the_newest(chat: Chat) -> None:
    chat.ask("hello")
    chat.ask("show markdown")
    last = chat.messages("You").last.get_attribute("data-key")
    address = chat.page.url
    chat.page.goto(f"{address}?before={last}")
    expect(chat.messages("You")).to_have_text(["hello"])
    expect(chat.box).to_have_count(0)
    chat.page.get_by_role("link", name="Back to the newest messages").click()
    expect(chat.page).to_have_url(address)


def test_text_can_be_told_from_its_ground(page: Page) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for each pair of tokens that is used as text on ground."""
    page.goto("/accounts/login/")
    inks = ("ink", "soft", "accent", "bad", "good")
    pairs = [(ink, ground) for ink in inks for ground in ("paper", "raised", "tint")]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for ink, ground in [*pairs, ("on-accent", "accent"), ("bad", "bad-tint")]:
            assert contrast(colour(page, ink), colour(page, ground)) >= 4.5, (scheme, ink, ground)


def test_targets_are_large_enough_for_a_finger(chat: Chat) -> None:
    chat.page.set_viewport_size({"width": 390, "height": 844})
    chat.ask("show markdown")
    assert small_targets(chat.page) == []
    chat.page.goto("/")
    assert small_targets(chat.page) == []
