"""A conversation's page as its users know it, by roles and names, and its connection to the server."""

import re
import time
from collections.abc import Callable
from urllib.parse import urljoin

from playwright.sync_api import Locator, Page, WebSocketRoute, expect

UNENDING = "fail silent"
"""A question that the demo gateway answers with some words, and then does not end."""

UNDRAWN = ".markdown:not(.rendered), .markdown > .raw"
"""Texts that are still raw, whole or in part: a busy machine draws them over several frames."""

RESTING_PLACE = """() => new Promise((resolve) => {
    let place, frames = 0;
    const look = () => {
        frames = scrollY === place ? frames + 1 : 0;
        place = scrollY;
        if (frames < 5) requestAnimationFrame(look);
        else resolve(place);
    };
    look();
})"""

TEXTS = """log => {
    const texts = [], walker = document.createTreeWalker(log, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) texts.push(walker.currentNode.data.trim());
    return texts.filter(Boolean);
}"""


def new_conversation(page: Page) -> str:
    """The address of a new conversation, made as by the start page's form; the tab stays where it is."""
    tokens = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken"]
    answer = page.request.post("/conversations/", form={"csrfmiddlewaretoken": tokens[0]}, max_redirects=0)
    return urljoin(answer.url, answer.headers["location"])


class Chat:
    """The page of one conversation."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.log = page.get_by_role("log", name="Conversation")
        self.box = page.get_by_role("textbox", name="Message")
        self.send_button = page.get_by_role("button", name="Send", exact=True)
        self.stop_button = page.get_by_role("button", name="Stop", exact=True)
        self.alert = self.log.get_by_role("alert")

    @classmethod
    def new(cls, page: Page) -> "Chat":
        """A new conversation without a message."""
        page.goto(new_conversation(page))
        return cls(page)

    def messages(self, name: str) -> Locator:
        """The messages of `You` or the `Assistant`."""
        return self.log.get_by_role("article", name=name, exact=True)

    def tool(self, name: str) -> Locator:
        """The calls of a tool."""
        return self.log.get_by_role("group", name=f"Tool call {name}", exact=True)

    def say(self, text: str) -> None:
        """Writes a message and sends it by Enter."""
        self.box.fill(text)
        self.box.press("Enter")

    def ask(self, text: str) -> None:
        """Says something and waits until the answer has ended."""
        before = self.messages("You").count()
        self.say(text)
        expect(self.messages("You")).to_have_count(before + 1)
        self.settled()

    def begin(self, text: str) -> None:
        """Says something and waits until its answer is under way."""
        before = self.messages("Assistant").count()
        self.say(text)
        expect(self.stop_button).to_be_visible()
        expect(self.messages("Assistant")).to_have_count(before + 1)
        self.grown(10)

    def stop(self) -> None:
        """Presses Stop."""
        self.stop_button.click()

    def settled(self) -> None:
        """Waits until nothing runs or waits any more, and all that was written is drawn."""
        expect(self.log.locator(".doing")).to_have_count(0, timeout=30_000)
        expect(self.stop_button).to_be_hidden()
        self.drawn()

    def drawn(self) -> None:
        """Waits until no text stands there as it was written."""
        expect(self.log.locator(UNDRAWN)).to_have_count(0, timeout=60_000)

    def grown(self, length: int) -> None:
        """Waits until the newest answer is longer than that."""
        self.until(lambda: len(self.messages("Assistant").last.text_content() or "") > length)

    def until(self, condition: Callable[[], object]) -> None:
        """Waits until the condition holds.

        Playwright's own way to do so needs `eval`, which the page forbids.
        """
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            self.page.wait_for_timeout(20)

    def resting_place(self) -> float:
        """Where the page is scrolled to, once a turn of the wheel has ended: it takes several frames."""
        return float(self.page.evaluate(RESTING_PLACE))

    def transcript(self) -> str:
        """The text of the transcript, its folded parts too, a line a text node."""
        return "\n".join(self.log.evaluate(TEXTS))

    def stored_messages(self) -> list[str]:
        """The messages as the server has them, from its page without any script."""
        browser = self.page.context.browser
        assert browser is not None
        plain = browser.new_context(
            storage_state=self.page.context.storage_state(), java_script_enabled=False
        )
        page = plain.new_page()
        page.goto(self.page.url)
        texts = page.get_by_role("log").get_by_role("article").all_text_contents()
        plain.close()
        return texts


def words(text: str) -> list[str]:
    """The words of a text, with or without its markdown."""
    return re.findall(r"[^\W\d]+", text)


class Connection:
    """The websocket of a page, which can be cut and mended."""

    def __init__(self, page: Page) -> None:
        self.urls: list[str] = []
        self._up = True
        self._sockets: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("/ws/"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        self.urls.append(socket.url)
        if not self._up:
            socket.close()
            return
        socket.connect_to_server()
        self._sockets.append(socket)

    def cut(self, code: int = 1001) -> None:
        """Closes what is open and lets nothing through."""
        self._up = False
        while self._sockets:
            self._sockets.pop().close(code=code)

    def mend(self) -> None:
        """Lets the next attempt through."""
        self._up = True
