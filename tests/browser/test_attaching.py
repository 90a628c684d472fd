"""Files attached by button, drop and paste; removed, sent alone, there after a reload."""

import base64
import io
import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.chat import Chat
from tests.files import HTML, picture

DROP_OR_PASTE = """(target, [kind, name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent(kind, { ...options, clipboardData: transfer })
    : new DragEvent(kind, { ...options, dataTransfer: transfer });
  target.dispatchEvent(event);
}"""


def drop_or_paste(target: Locator, kind: str, name: str, mime: str, data: bytes) -> None:
    """Drops or pastes a file."""
    target.evaluate(DROP_OR_PASTE, [kind, name, mime, base64.b64encode(data).decode()])


def choose(page: Page, *files: tuple[str, str, bytes]) -> None:
    """Chooses files by the button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach", exact=True).click()
    chooser.value.set_files([{"name": name, "mimeType": mime, "buffer": data} for name, mime, data in files])


def files_of(place: Page | Locator) -> Any:
    return place.get_by_role("list", name="Attached files").get_by_role("listitem")


def test_files_are_attached_removed_sent_and_seen_again(chat: Chat) -> None:
    page = chat.page
    output = io.BytesIO()
    Image.effect_mandelbrot((320, 200), (-2, -1.2, 1, 1.2), 60).save(output, "PNG")
    choose(page, ("turkey drop.png", "image/png", output.getvalue()), ("notes.txt", "text/plain", b"WKRP"))
    drop_or_paste(chat.box, "paste", "pasted.png", "image/png", picture())
    drop_or_paste(page.locator("body"), "drop", "dropped.csv", "text/csv", b"a,b")
    for name in ("turkey drop.png", "notes.txt", "pasted.png", "dropped.csv"):
        expect(files_of(page).filter(has_text=name).locator(".file-about")).to_have_text(
            re.compile("(PNG|TXT|CSV), ")
        )
    page.get_by_role("button", name="Remove pasted.png").click()
    expect(page.get_by_role("button", name="Remove dropped.csv")).to_be_focused()
    page.keyboard.press("Enter")
    expect(files_of(page)).to_have_count(2)

    drop_or_paste(chat.box, "paste", "photo.png", "image/png", HTML)
    wrong = files_of(page).filter(has_text="photo.png")
    expect(wrong.get_by_role("alert")).to_have_text("This is no PNG file, though its name says so.")
    chat.send_button.click()
    expect(page.locator("#refusal")).to_contain_text("could not be attached")
    page.get_by_role("button", name="Remove photo.png").click()

    page.reload()
    expect(files_of(page)).to_have_count(2)
    expect(files_of(page).filter(has_text="turkey").locator("img")).to_have_js_property("naturalWidth", 320)
    chat.send_button.click()
    chat.settled()
    expect(page.locator("#attached")).to_be_hidden()
    expect(files_of(chat.messages("You"))).to_have_count(2)
    expect(chat.messages("Assistant")).to_contain_text("a picture: PNG,")
    for _ in range(2):
        thumbnail = chat.messages("You").get_by_role("link", name="Open turkey drop.png")
        expect(thumbnail.locator("img")).to_have_js_property("naturalWidth", 320)
        link = chat.messages("You").get_by_role("link", name="notes.txt")
        assert page.request.get(str(link.get_attribute("href"))).body() == b"WKRP"
        page.reload()  # the server draws the same
    chat.messages("You").get_by_role("link", name="Open turkey drop.png").click()
    large = page.get_by_role("dialog", name="turkey drop.png").get_by_role("img", name="turkey drop.png")
    chat.until(lambda: large.evaluate("(one) => one.naturalWidth") > 0)
    page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    expect(page.get_by_role("button", name="Regenerate").first).to_be_visible()

    leave = page.get_by_role("button", name="Leave out of later turns: notes.txt")
    leave.click()
    pressed = page.get_by_role("button", name="Left out of later turns: notes.txt", pressed=True)
    expect(pressed).to_be_visible()
    page.reload()
    expect(pressed).to_be_visible()


def uploads(page: Page) -> list[Route]:
    """The uploads of files, which wait for the test to let them through."""
    routes: list[Route] = []

    def keep(route: Route) -> None:
        routes.append(route)

    page.route("**/attachments/", keep)
    return routes


@pytest.mark.own_browser
def test_send_waits_for_a_file_that_is_on_its_way(chat: Chat) -> None:
    page = chat.page
    routes = uploads(page)
    choose(page, ("notes.txt", "text/plain", b"WKRP"))
    chat.box.fill("Read this")
    chat.box.press("Enter")
    expect(page.locator("#refusal")).to_have_text("It is sent as soon as its files are there.")
    expect(chat.messages("You")).to_have_count(0)
    chat.until(lambda: routes)
    routes[0].continue_()
    expect(chat.messages("You")).to_contain_text("Read this")
    expect(files_of(chat.messages("You"))).to_have_count(1)
    chat.settled()


def test_a_file_that_is_removed_while_the_server_takes_it_is_forgotten(chat: Chat) -> None:
    page = chat.page
    routes = uploads(page)
    choose(page, ("notes.txt", "text/plain", b"WKRP"))
    chat.until(lambda: routes)
    answer = routes[0].fetch()
    page.get_by_role("button", name="Remove notes.txt").click()
    with page.expect_response(lambda response: response.request.method == "DELETE"):
        routes[0].fulfill(response=answer)
    page.reload()
    expect(chat.box).to_be_visible()
    expect(files_of(page)).to_have_count(0)


def test_files_are_attached_on_the_start_page_too(page: Page) -> None:
    page.goto("/")
    choose(page, ("notes.txt", "text/plain", b"WKRP"), ("more.txt", "text/plain", b"more"))
    expect(files_of(page).filter(has_text="TXT")).to_have_count(2)
    page.get_by_role("button", name="Remove more.txt").click()
    page.get_by_role("textbox", name="Message").fill("Read this")
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_url(re.compile("/conversations/[0-9a-f-]{36}/$"))
    expect(page.get_by_role("article", name="You")).to_contain_text("Read this")
    expect(page.get_by_role("article", name="Assistant")).to_contain_text("It begins \u201cWKRP\u201d")
    expect(files_of(page)).to_have_count(1)
