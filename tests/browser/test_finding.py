"""The palette, and the way from it to a message."""

from playwright.sync_api import Page, Route, expect

from tests.browser.chat import Chat

MARKED = "() => [...(CSS.highlights.get('hit') ?? [])].map(String)"
WITHOUT_HIGHLIGHTS = "delete CSS.highlights; Object.defineProperty(CSS, 'highlights', {value: undefined})"
COMPOSED = """box => {
    box.value += "x";
    box.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing: true}));
    box.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", keyCode: 229, bubbles: true, cancelable: true}));
}"""


def test_a_message_is_found_gone_to_and_marked(chat: Chat) -> None:
    page = chat.page
    chat.ask("What is the most popular song on WZPZ in Zanzibar?")  # where no other conversation asks from
    for question in ("show a long answer", "show a long answer"):
        chat.ask(question)
    conversation = page.url
    page.goto("/settings/")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Search")
    box = palette.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    expect(palette.get_by_role("option", name="Settings")).to_be_visible()
    box.press_sequentially("élémental hotel zanzibar")
    expect(palette.get_by_role("status")).to_have_text("1 conversation, 1 message.")
    hit = palette.get_by_role("option", name="Assistant: ")
    expect(hit.locator("mark")).to_have_text(["Zanzibar", "Elemental", "Hotel"])
    while hit.get_attribute("aria-selected") != "true":
        box.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", hit.get_attribute("id") or "?")
    box.press("Enter")
    page.wait_for_url(conversation)
    chat.until(lambda: page.evaluate(MARKED) == ["Zanzibar", "Elemental", "Hotel"])
    answer = chat.messages("Assistant").filter(has_text="Elemental")
    expect(answer).to_be_in_viewport()
    expect(answer).to_be_focused()
    expect(chat.page.get_by_role("button", name="Jump to the newest")).to_be_visible()


def test_a_call_is_opened_and_marked_where_no_highlight_can_be_painted(chat: Chat) -> None:
    page = chat.page
    chat.ask("What is the most popular song on WZPZ?")
    page.add_init_script(WITHOUT_HIGHLIGHTS)
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Search")
    palette.get_by_role("combobox").fill("Storey")
    palette.get_by_role("option", name="top_song: ").first.click()
    call = chat.tool("top_song")
    expect(call.locator("mark:visible").first).to_have_text("Storey")
    expect(call).to_be_focused()


def test_stale_answers_failures_and_compositions_go_no_further(page: Page) -> None:
    waiting: list[Route] = []
    page.route("**/find/?q=a*", lambda route: waiting.append(route))  # noqa: PLW0108 (it takes no built-in)
    page.route("**/find/?q=b*", lambda route: route.fulfill(status=500))
    page.goto("/settings/")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Search")
    box, status = palette.get_by_role("combobox"), palette.get_by_role("status")
    box.fill("a")
    expect(status).to_have_text("Searching.")
    box.fill("b")
    expect(status).to_contain_text("The search has failed.")
    box.evaluate(COMPOSED)
    expect(palette).to_be_visible()
    box.fill("keyb")
    palette.get_by_role("option", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    expect(palette).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)
