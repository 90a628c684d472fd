"""Websockets as a page opens them: through the whole ASGI application, with a session and an Origin."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Conversation
from project.asgi import application
from tests.conditions import PATIENCE

Event = dict[str, Any]


class Page:
    """An open websocket that acknowledges what it receives."""

    def __init__(self, communicator: WebsocketCommunicator, *, acknowledges: bool = True) -> None:
        self.communicator, self.acknowledges = communicator, acknowledges
        self.frames: list[Event] = []

    async def receive(self) -> Event:
        """The next frame."""
        event: Event = json.loads(await self.communicator.receive_from(timeout=PATIENCE))
        self.frames.append(event)
        seq = event.get("metadata", {}).get("seq")
        if self.acknowledges and seq is not None:
            await self.send({"type": "ack", "seq": seq})
        return event

    async def send(self, frame: object) -> None:
        """A frame of JSON."""
        await self.communicator.send_to(text_data=json.dumps(frame))

    async def ask(self, text: str, message_id: str | None = None) -> str:
        """Sends a message; its id."""
        message_id = message_id or str(uuid.uuid4())
        await self.send({"type": "message", "id": message_id, "text": text})
        return message_id

    async def until(self, *kinds: str) -> list[Event]:
        """The frames up to one of these types."""
        events = [await self.receive()]
        while events[-1]["type"] not in kinds:
            events.append(await self.receive())
        return events

    async def until_end(self) -> list[Event]:
        """The frames up to the end of a run."""
        return await self.until("RUN_FINISHED", "RUN_ERROR")

    async def closed(self) -> int:
        """The code with which the server closes."""
        message = await self.communicator.receive_output(timeout=PATIENCE)
        while message["type"] != "websocket.close":
            message = await self.communicator.receive_output(timeout=PATIENCE)
        return int(message["code"])


def _cookie(user: User | None) -> bytes:
    client = Client()
    if user is not None:
        client.force_login(user)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()).encode()


@asynccontextmanager
async def page_of(
    user: User | None, conversation: Conversation | uuid.UUID, query: str = "", **options: Any
) -> AsyncIterator[Page]:
    """A connected page, closed at the end."""
    key = conversation.pk if isinstance(conversation, Conversation) else conversation
    async with socket_of(user, f"/ws/conversations/{key}/{query}", **options) as page:
        yield page


@asynccontextmanager
async def socket_of(user: User | None, path: str, **options: Any) -> AsyncIterator[Page]:
    """A connected socket at the address, closed at the end."""
    host = settings.ALLOWED_HOSTS[0].encode()
    headers = [
        (b"host", host),
        (b"origin", b"http://" + host),
        (b"cookie", await sync_to_async(_cookie)(user)),
    ]
    communicator = WebsocketCommunicator(application, path, headers)
    connected, _ = await communicator.connect(timeout=PATIENCE)
    assert connected
    try:
        yield Page(communicator, **options)
    finally:
        await communicator.disconnect()
