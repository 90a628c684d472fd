"""The conversations beside a page: menu, names, deletion and undo, the drawer, loading on scroll."""

import re

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.chat import Chat

PHONE = {"width": 390, "height": 844}
FOCUS = "document.activeElement.closest('#sidebar, #undo') !== null"


def begin_conversations(page: Page, *titles: str) -> None:
    """Begins conversations by the address that makes one each time."""
    page.goto("/settings/")
    token = page.locator("#sidebar [name=csrfmiddlewaretoken]").first.input_value()
    for title in titles:
        form = {"title": title, "csrfmiddlewaretoken": token}
        page.request.post("/conversations/", form=form, headers={"Referer": page.url}, max_redirects=0)


def beside(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Conversations", exact=True)


def row(page: Page, title: str) -> Locator:
    link = page.get_by_role("link", name=title, exact=True)
    return beside(page).get_by_role("listitem").filter(has=link)


def choose(page: Page, title: str, name: str) -> None:
    """Chooses from a row's menu by the keyboard alone."""
    page.get_by_role("button", name="Menu", description=title, exact=True).first.press("Enter")
    item = page.get_by_role("menuitem", name=name, exact=True)
    expect(page.get_by_role("menuitem").first).to_be_focused()
    for _ in range(10):
        if item.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def test_a_conversation_is_named_pinned_put_away_deleted_and_brought_back_by_the_keyboard(page: Page) -> None:
    begin_conversations(page, "Flying turkeys", "Another one")
    page.goto("/settings/")
    choose(page, "Flying turkeys", "Rename")
    page.keyboard.type("Swimming ducks")
    page.keyboard.press("Escape")
    expect(row(page, "Flying turkeys").get_by_role("link")).to_be_focused()
    choose(page, "Flying turkeys", "Rename")
    page.keyboard.type("Walking birds")
    page.keyboard.press("Enter")
    expect(row(page, "Walking birds").get_by_role("link")).to_be_focused()
    choose(page, "Walking birds", "Pin")
    pinned = beside(page).get_by_role("list", name="Pinned")
    expect(pinned.get_by_role("link", name="Walking birds")).to_be_visible()
    choose(page, "Walking birds", "Export")
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export as Markdown").click()
    assert download.value.suggested_filename == "walking-birds.md"
    choose(page, "Walking birds", "Export")
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(row(page, "Walking birds").get_by_role("button")).to_be_focused()
    choose(page, "Walking birds", "Archive")
    expect(row(page, "Walking birds")).to_have_count(0)
    expect(beside(page).locator("li .dots:focus")).to_have_count(1)
    choose(page, "Another one", "Delete")
    expect(row(page, "Another one")).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="“Another one” is deleted.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row(page, "Another one").get_by_role("button")).to_be_focused()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_a_menu_opens_even_if_its_list_is_fetched_anew_meanwhile(page: Page) -> None:
    begin_conversations(page, "Fetched anew")
    scripts: list[Route] = []
    page.route(re.compile(r"/library/rows\b"), lambda route: scripts.append(route))  # noqa: PLW0108 (it takes no built-in)
    page.goto("/settings/")
    dots = row(page, "Fetched anew").get_by_role("button")
    dots.evaluate("button => button.closest('li').classList.add('stale')")
    dots.press("Enter")
    Chat(page).until(lambda: scripts)
    page.evaluate("document.dispatchEvent(new CustomEvent('turntable:library'))")
    expect(page.locator("li.stale")).to_have_count(0)
    scripts[0].continue_()
    expect(row(page, "Fetched anew").get_by_role("menuitem").first).to_be_focused()


def test_whoever_puts_away_or_deletes_the_open_conversation_is_offered_the_way_back(page: Page) -> None:
    begin_conversations(page, "Open and shut")
    page.goto("/")
    row(page, "Open and shut").get_by_role("link").click()
    expect(beside(page).locator("[aria-current=page]")).to_have_text("Open and shut")
    other = page.context.new_page()
    other.goto(page.url)
    row(page, "Open and shut").click(button="right")
    page.get_by_role("menuitem", name="Archive").click()
    for tab in (page, other):
        expect(row(tab, "Open and shut")).to_have_count(0)
        expect(tab.get_by_text("This conversation is in the archive.")).to_be_visible()
    page.get_by_role("button", name="Unarchive").click()
    expect(page.get_by_role("button", name="Unarchive")).to_be_hidden()
    expect(row(other, "Open and shut")).to_be_visible()
    row(page, "Open and shut").click(button="right")
    page.get_by_role("menuitem", name="Delete").click()
    expect(page).to_have_url(re.compile("/$"))
    expect(row(other, "Open and shut")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    for tab in (page, other):
        expect(row(tab, "Open and shut")).to_be_visible()


def test_a_name_that_somebody_gave_stays_whatever_is_said_then(chat: Chat) -> None:
    chat.ask("**help**")
    heading = chat.page.locator("#title")
    expect(heading).to_have_text("help")
    choose(chat.page, "help", "Rename")
    chat.page.keyboard.type("What it can do")
    chat.page.keyboard.press("Enter")
    expect(heading).to_have_text("What it can do")
    chat.ask("help")
    expect(heading).to_have_text("What it can do")
    expect(row(chat.page, "What it can do")).to_be_visible()


LONG_PRESS = """link => {
    const {x, y} = link.getBoundingClientRect();
    const finger = {bubbles: true, pointerType: "touch", clientX: x + 5, clientY: y + 5};
    link.dispatchEvent(new PointerEvent("pointerdown", finger));
    document.dispatchEvent(new CustomEvent("turntable:library")); // it is fetched anew meanwhile
}"""
RELEASE = """link => {
    link.dispatchEvent(new PointerEvent("pointerup", {bubbles: true, pointerType: "touch"}));
    link.click();
}"""


def test_a_long_press_opens_the_menu_and_is_no_click(page: Page) -> None:
    begin_conversations(page, "Pressed long")
    page.goto("/settings/")
    link = row(page, "Pressed long").get_by_role("link")
    link.evaluate(LONG_PRESS)
    expect(row(page, "Pressed long").get_by_role("menuitem", name="Rename")).to_be_focused()
    link.evaluate(RELEASE)
    expect(page).to_have_url(re.compile("/settings/$"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(row(page, "Pressed long").get_by_role("button", name="Menu")).to_be_focused()


def test_the_drawer_takes_the_focus_and_gives_it_back(page: Page) -> None:
    begin_conversations(page, "In the drawer")
    page.set_viewport_size(PHONE)
    page.goto("/settings/")
    opener = page.get_by_role("button", name="Conversations")
    expect(beside(page)).to_be_hidden()
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(380, 400)):
        opener.focus()
        page.keyboard.press("Enter")
        expect(beside(page)).to_be_visible()
        expect(opener).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS)
        close()
        expect(beside(page)).to_be_hidden()
        expect(opener).to_have_attribute("aria-expanded", "false")
    opener.click()
    choose(page, "In the drawer", "Delete")
    expect(row(page, "In the drawer")).to_have_count(0)
    page.get_by_role("button", name="Undo").press("Enter")
    expect(row(page, "In the drawer")).to_be_visible()
    page.mouse.wheel(0, 5_000)
    expect(opener).to_be_in_viewport()


def test_a_sidebar_that_is_put_away_is_away_on_the_next_page(page: Page) -> None:
    page.goto("/settings/")
    page.get_by_role("button", name="Conversations").click()
    expect(beside(page)).to_be_hidden()
    page.goto("/")
    expect(beside(page)).to_be_hidden()
    page.get_by_role("button", name="Conversations").click()
    expect(beside(page)).to_be_visible()


def test_the_list_goes_on_as_one_scrolls_and_begins_where_the_page_is(page: Page) -> None:
    begin_conversations(page, *(f"scrolled {number}" for number in range(90)))
    page.goto("/settings/")
    expect(row(page, "scrolled 89")).to_be_visible()
    expect(row(page, "scrolled 0")).to_have_count(0)
    for number in (60, 20, 0):
        row(page, f"scrolled {number}").hover()  # scrolls there, even if the list is fetched anew
    link = row(page, "scrolled 30").get_by_role("link")
    page.goto(link.get_attribute("href") or "")
    expect(beside(page).locator("[aria-current=page]")).to_be_in_viewport()
    expect(beside(page).get_by_role("link", name="scrolled 30", exact=True)).to_have_count(1)
    page.goto("/")
    boxes, every = page.locator("[name=ids]"), page.get_by_role("checkbox", name="Choose all")
    every.check()
    expect(page.locator("[name=ids]:checked")).to_have_count(boxes.count())
    boxes.nth(2).uncheck()
    expect(every).to_be_checked(indeterminate=True)
    every.check()
    every.uncheck()
    expect(page.locator("[name=ids]:checked")).to_have_count(0)
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="2 conversations are deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "scrolled 89")).to_be_visible()
