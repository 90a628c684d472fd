"""Every page can be used by those who see, press or move otherwise than most."""

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from conversations import demo_gateway as demo
from tests.browser.barriers import RULES, RUNNING, barriers, mismeasured, show, stops
from tests.browser.calls import press
from tests.browser.chat import UNENDING, Chat
from tests.browser.sites import Places, filing, furnish
from tests.servers import Server

UNFOLD = "for (const one of document.querySelectorAll('main details:not(.menu)')) one.open = true;"
LOST = "document.activeElement === document.body || !document.activeElement.checkVisibility()"
COLOURS = ("color-contrast",)
NARROW = (*COLOURS, "scrollable-region-focusable")
LOOKS = ((1440, "light", RULES), (1440, "dark", COLOURS), (768, "light", ()), (360, "dark", NARROW))
# KaTeX's formulas are hundreds of nodes that say little each, what is read out is their MathML; and a model may leave a table's head empty.
OF_THE_MODEL = {"exclude": (".katex",), "off": ("empty-table-header",)}
MEASURED = (
    "target-size",
)  # axe counts what the dock happens to cover; here each target is measured, and has to be larger
# Django's own faults: a label that is a picture, a link that has no line below it.
OF_DJANGO = {"exclude": ("#searchbar", "#changelist-search .small"), "impacts": ("critical", "serious")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, quick_gateway: demo.DemoGateway) -> Iterator[Server]:
    """A site of two models, whose app `filing` has tools."""
    models = "cohere.command-r-v1:0,other.model-v1"
    with filing(tmp_path_factory.mktemp("access"), quick_gateway.url, GATEWAY_MODELS=models) as running:
        yield running


@pytest.fixture(scope="module")
def places(browser: Browser, server: Server, signed_in: StorageState) -> Places:
    """The conversations that are looked at, made once."""
    context = browser.new_context(base_url=server.url, storage_state=signed_in)
    context.set_default_timeout(30_000)
    places = furnish(context.new_page())
    context.close()
    return places


@pytest.fixture
def stranger(browser: Browser, server: Server) -> Iterator[Page]:
    """The tab of somebody who is not signed in."""
    context = browser.new_context(base_url=server.url, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def faults(page: Page, exclude: tuple[str, ...] = (), off: tuple[str, ...] = ()) -> list[str]:
    """Everything that is wrong with a page, by axe and by measure, for each of the looks."""
    wrong = []
    page.wait_for_load_state()
    for width, scheme, rules in LOOKS:
        show(page, width, scheme)
        sentences = mismeasured(page) + (barriers(page, rules, exclude, MEASURED + off) if rules else [])
        wrong += [f"{page.url} {width} {scheme}: {sentence}" for sentence in sentences]
    return wrong


def test_nobody_is_kept_from_signing_in_or_from_what_an_error_says(stranger: Page) -> None:
    stranger.goto("/accounts/login/")
    wrong = faults(stranger)
    stranger.get_by_label("User name").fill("owner")
    stranger.get_by_label("Password").fill("wrong")
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_role("alert")).to_be_visible()
    wrong += faults(stranger)
    stranger.goto("/conversations/none/")
    wrong += faults(stranger)
    stranger.goto("/accounts/login/")
    stranger.evaluate("document.querySelector('[name=csrfmiddlewaretoken]').remove()")
    stranger.locator("form").evaluate("(form) => { form.noValidate = true; form.submit(); }")
    expect(stranger.get_by_role("heading")).to_have_text("This was refused")
    wrong += faults(stranger)
    assert not wrong, "\n".join(wrong)


def test_no_page_beside_the_chat_keeps_anybody_from_using_it(page: Page, places: Places) -> None:
    pages = (
        "/", "/?q=hello", "/?q=zebra", "/waiting/", "/settings/", f"{places.rich}tree/", f"{places.plain}again/",
        f"{places.rerun}compare/", f"{places.plain}delete/", f"{places.rich}delete/", f"{places.rich}replay/",
    )  # fmt: skip
    wrong = []
    for path in pages:
        page.goto(path)
        filled(page)
        page.evaluate(UNFOLD)
        wrong += faults(page, **OF_THE_MODEL)
    assert not wrong, "\n".join(wrong)


def test_nothing_in_a_conversation_keeps_anybody_from_using_it(page: Page, places: Places) -> None:
    chat = Chat(page)
    page.goto(places.rich)
    page.evaluate(UNFOLD)
    for line in chat.log.locator(".sum:visible").all():
        line.press("Enter")
    expect(chat.log.locator(".figures:visible")).not_to_have_count(0)
    chat.messages("You").last.get_by_role("button", name="Edit").click()
    page.get_by_text("Menu", exact=True).press("Enter")
    expect(page.get_by_role("link", name="Playback")).to_be_visible()
    wrong = faults(page, **OF_THE_MODEL)
    assert not wrong, "\n".join(wrong)


def test_what_opens_over_a_conversation_keeps_nobody_from_using_it(page: Page, places: Places) -> None:
    chat = Chat(page)
    page.goto(places.empty)
    wrong = faults(page)
    chat.box.press_sequentially("/")
    expect(page.get_by_role("listbox").get_by_role("option")).to_be_visible()
    wrong += faults(page)
    page.goto(places.plain)
    chat.log.get_by_role("button", name="With another model").click()
    expect(page.locator("#models")).to_be_visible()
    wrong += faults(page)
    page.goto(places.plain)
    chat.messages("You").get_by_role("button", name="Edit").click()
    wrong += faults(page)
    assert not wrong, "\n".join(wrong)


def test_staff_can_look_up_what_happened_however_they_see_or_move(page: Page, places: Places) -> None:
    conversation = places.rich.split("/")[-2]
    pages = ["/admin/conversations/toolcall/", f"/admin/conversations/conversation/{conversation}/change/"]
    for kind in ("round", "approval"):
        page.goto(f"/admin/conversations/{kind}/")
        pages.append(page.locator("#result_list th a").first.get_attribute("href") or "")
    wrong = []
    for path, (width, scheme) in product(pages, ((1440, "light"), (360, "dark"))):
        show(page, width, scheme)
        page.goto(path)  # anew, for Django's colours fade into one another
        wrong += [f"{path} {width} {violation}" for violation in barriers(page, **OF_DJANGO)]
    assert not wrong, "\n".join(wrong)


def test_the_tab_key_leads_through_each_page_in_its_order_and_is_seen(page: Page, places: Places) -> None:
    small = ("/", "/settings/", f"{places.rich}tree/", f"{places.plain}again/")
    large = (f"{places.rich}replay/", places.rich)
    wrong = []
    for path, width in (*product(small, (360,)), *product(large, (360, 1440))):
        page.goto(path)
        show(page, width, "light")
        filled(page)
        names = stops(page)
        assert len(names) > 4, path
        wrong += [f"{path} {width} {stop}" for stop in names if not stop.endswith(": ")]
    assert not wrong, "\n".join(wrong)


def filled(page: Page) -> None:
    """Waits until the last turn is there, in the player after going to the end."""
    if page.url.endswith("replay/"):
        expect(page.locator("#play")).to_be_focused()  # the player stands where it opens
        page.get_by_role("slider").press("End")
    if page.get_by_role("log").count():
        expect(page.get_by_role("log")).to_contain_text("new.csv")


def test_the_focus_is_somewhere_after_everything_that_is_done(chat: Chat) -> None:
    page, log = chat.page, chat.log
    lost: list[str] = []

    def note(act: str) -> None:
        lost.extend([act] if page.evaluate(LOST) else [])

    chat.say(UNENDING)
    expect(chat.messages("Assistant")).not_to_be_empty()
    note("send")
    chat.say("later")
    log.get_by_role("button", name="Withdraw").press("Enter")
    expect(chat.messages("You")).to_have_count(1)
    note("withdraw")
    chat.stop_button.press("Enter")
    chat.settled()
    note("stop")
    for key in ("Escape", "Enter"):
        chat.messages("You").get_by_role("button", name="Edit").press("Enter")
        editor = log.get_by_role("textbox", name="New wording")
        expect(editor).to_be_focused()
        editor.fill("hello")
        editor.press(key)
        expect(editor).to_have_count(0)
        chat.settled()
        note(f"edit, {key}")
    for name in ("Regenerate", "Previous version", "Copy", "1 round"):
        log.get_by_role("button", name=name).press("Enter")
        chat.settled()
        note(name)
    menu = page.get_by_text("Menu", exact=True)
    for key in ("Enter", "Escape"):
        menu.press(key)
        note(f"menu, {key}")
    assert lost == []


def test_the_focus_is_somewhere_after_a_tool_call_is_decided_on(chat: Chat) -> None:
    card = chat.tool("delete_file").last
    lost = []
    for buttons in (
        ("Edit arguments", "Cancel", "Approve"),
        ("Deny",),
        ("Edit arguments", "Approve and run"),
    ):
        chat.say(f'delete_file "{buttons[0]} first.csv"')
        for name in buttons:
            press(card, name)
            expect(card.get_by_role("button", name=name, exact=True)).to_be_hidden()
            lost += [name] if chat.page.evaluate(LOST) else []
        chat.settled()
        lost += [f"{name}, settled"] if chat.page.evaluate(LOST) else []
    press(card, "Run again")
    expect(chat.tool("delete_file")).to_have_count(4)
    lost += ["run again"] if chat.page.evaluate(LOST) else []
    assert lost == []


def test_nothing_moves_for_who_wants_less_motion(chat: Chat) -> None:
    chat.say(UNENDING)
    expect(chat.log.locator(".doing")).to_be_visible()
    assert chat.page.evaluate(RUNNING) == []
    chat.page.emulate_media(reduced_motion="no-preference")
    chat.until(lambda: set(chat.page.evaluate(RUNNING)) == {"turn", "pulse"})
    chat.page.emulate_media(reduced_motion="reduce")
    chat.stop_button.click()
    expect(chat.log).to_contain_text("Stopped.")
    assert chat.page.evaluate(RUNNING) == []
