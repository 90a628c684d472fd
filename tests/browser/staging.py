"""A conversation's page whose record the test writes: live through the socket, as a snapshot, or as the page is served."""

import json
import re
import time
from typing import Any

from django.template.loader import render_to_string
from playwright.sync_api import Page, Route, WebSocketRoute

from conversations.layout import SENTENCES, sections, visible
from conversations.models import Conversation
from conversations.protocol.events import Event
from tests.browser.conversing import Chat
from tests.reducing.record import Record


class Stage:
    """The server's side of one page. What the record holds is played when the page comes, and when `play` is called."""

    def __init__(self, page: Page, title: str = "Turkeys", model: str = "cohere.command-r-v1:0") -> None:
        self.chat = Chat.begun(page)
        self.record, self.title, self.model = Record(), title, model
        self.received: list[dict[str, Any]] = []
        self.sockets: list[WebSocketRoute] = []
        self._sent = 0
        self._skips = False
        page.route_web_socket(re.compile("/ws/"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self.received.append(json.loads(text)))
        self._sent = int(re.findall(r"after=(\d+)", socket.url)[0])
        if self._skips:
            self._sent, self._skips = len(self.record.events), False
            self.send(self.record.page().event())
        self.play()

    def play(self) -> None:
        """Sends what was written since."""
        told, self._sent = self.record.events[self._sent :], len(self.record.events)
        for event in told:
            self.send(event)

    def send(self, event: Event) -> None:
        """Sends a frame."""
        self.sockets[-1].send(json.dumps(event))

    def live(self) -> Chat:
        """The page, which is told everything event by event."""
        self.chat.page.reload()
        return self.chat

    def snapshot(self) -> Chat:
        """The page after a snapshot of all that is written."""
        self._skips = True
        return self.live()

    def served(self) -> Chat:
        """The page as the server makes it of all that is written, with the real one's headers."""
        body = render_to_string("conversations/conversation.html", self._context())
        address = self.chat.page.url

        def fulfil(route: Route) -> None:
            route.fulfill(response=route.fetch(), body=body)

        self.chat.page.route(address, fulfil)
        self.chat.page.goto(address)
        self.chat.page.unroute(address)
        return self.chat

    def _context(self) -> dict[str, Any]:
        page = self.record.page()
        pk = re.findall(r"/conversations/([^/]+)/", self.chat.page.url)[0]
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
        }
