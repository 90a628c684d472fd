"""A conversation's page whose record the test writes.

The page gets it live through the socket, as a snapshot, or in its HTML.
"""

import json
import re
import time
from typing import Any

from django.template.loader import render_to_string
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from conversations.models import Conversation
from conversations.protocol.agui.events import Event, custom
from conversations.protocol.text import visible
from conversations.web.sections import sections
from conversations.web.sentences import SENTENCES
from tests.browser.chat import Chat, new_conversation
from tests.reducing.record import Record


def write_turn(record: Record, question: str, *parts: str) -> None:
    """Writes a turn whose question is answered by a text, which comes in these parts."""
    record.ask(question)
    record.step()
    record.text()
    for part in parts:
        record.part(part)
    record.end()
    record.finish_step()
    record.finish()


class Stage:
    """The server's side of one page.

    It plays what the record holds when the page connects, and when `play` is called.
    """

    def __init__(self, page: Page, title: str = "Turkeys", model: str = "cohere.command-r-v1:0") -> None:
        self.chat, self.address = Chat(page), new_conversation(page)
        self.record, self.title, self.model = Record(), title, model
        self.received: list[dict[str, Any]] = []
        self.sockets: list[WebSocketRoute] = []
        self.extra_context: dict[str, str] = {}  # what the page is served with, beside its messages
        self.greeting: tuple[str, Any] | None = None  # news that follow the record at once
        self.is_cut = False  # lets no socket through
        self._place = 0
        self._earlier = 0  # sockets of pages that are left
        self._skips = False
        page.route_web_socket(re.compile("/ws/"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self.is_cut:
            socket.close(code=1001)
            return
        self.sockets.append(socket)
        socket.on_message(lambda text: self.received.append(json.loads(text)))
        after = re.findall(r"after=(\d+)", socket.url)
        if self._skips or not after:
            self._place, self._skips = len(self.record.events), False
            self.send(self.record.page().event())
        else:
            self._place = int(after[0])
        self.play()
        if self.greeting:
            self.tell(*self.greeting)

    def socket(self) -> WebSocketRoute:
        """The page's newest socket, as soon as it has one."""
        self.chat.until(lambda: len(self.sockets) > self._earlier)
        return self.sockets[-1]

    def play(self) -> None:
        """Sends what was written since."""
        self.socket()
        events, self._place = self.record.events[self._place :], len(self.record.events)
        for event in events:
            self.send(event)

    def send(self, event: Event) -> None:
        """Sends a frame."""
        self.socket().send(json.dumps(event))

    def cut(self) -> None:
        """Closes the socket and lets no other through."""
        socket = self.socket()
        self.is_cut = True
        socket.close(code=1001)

    def mend(self) -> None:
        """Lets sockets through again, and tells the page, which might wait for many seconds."""
        self.is_cut = False
        self.chat.page.evaluate("dispatchEvent(new Event('online'))")

    def tell(self, name: str, value: Any) -> None:
        """Sends news that are not of the record."""
        self.send(custom(name, value))

    def frames(self, kind: str) -> list[dict[str, Any]]:
        """The page's frames of a type, once there is one."""
        self.chat.until(lambda: any(frame["type"] == kind for frame in self.received))
        return [frame for frame in self.received if frame["type"] == kind]

    def live(self) -> Chat:
        """The page, which gets everything event by event."""
        self._earlier = len(self.sockets)
        self.chat.page.goto(self.address)
        return self.chat

    def snapshot(self) -> Chat:
        """The page after a snapshot of all that is written."""
        self._skips = True
        return self.live()

    def served(self) -> Chat:
        """The page with all that is written in its HTML, and with the real one's headers."""
        body = render_to_string("conversations/conversation.html", self._context())

        def fulfil(route: Route) -> None:
            route.fulfill(response=route.fetch(), body=body)

        self.chat.page.route(self.address, fulfil)
        self.live()
        self.chat.page.unroute(self.address)
        return self.chat

    def answer_page(self, *texts: str) -> Chat:
        """The served page of questions that were answered with these texts, all of them rendered."""
        for text in texts:
            write_turn(self.record, "Show it", text)
        chat = self.served()
        expect(chat.log.locator(".assistant .rendered")).to_have_count(len(texts))
        chat.drawn()
        return chat

    def begin_answer(self) -> None:
        """Opens the page, on which an answer begins."""
        self.live()
        self.record.ask("Show it")
        self.record.step()
        self.record.text()

    def end_answer(self) -> Chat:
        """The page when the answer has ended."""
        self.record.end()
        self.record.finish_step()
        self.record.finish()
        self.play()
        self.chat.settled()
        return self.chat

    def _context(self) -> dict[str, Any]:
        page = self.record.page()
        pk = re.findall(r"/conversations/([^/]+)/", self.address)[0]
        conversation = Conversation(pk=pk, title=self.title, model=self.model)
        return {
            "conversation": conversation,
            "heading": visible(self.title),
            "page": page,
            "queue": json.dumps(page.queue),
            "sections": sections(page),
            "sentences": json.dumps(SENTENCES),
            "now": int(time.time() * 1000),
            "beside": [(conversation, visible(self.title))],
            "is_demo": False,
            "host": "gateway.example",
            **self.extra_context,
        }
