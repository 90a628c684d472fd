"""The base of both kinds of sockets: they let a signed-in user in, send, and leave."""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any
from uuid import UUID

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

from conversations.errors import NotFound
from conversations.journal import HUB

from .cursor import TooSlow
from .inbound import Inbox, Meter
from .sessions import BROKEN, NO_SESSION, NOT_FOUND, RESTART, SOCKETS, TOO_SLOW

logger = logging.getLogger(__name__)


class Gone(Exception):
    """The server could not send: the client has left."""


class SignedOut(Exception):
    """The session of the socket has ended."""


class SignedInConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """A socket of a signed-in user, which ends with their session and with the process."""

    channel_layer_alias = "none"
    """No layer: the journal's doorbell listens for the whole process."""

    has_left = False
    is_open = False
    conversation_id: UUID | None = None
    tasks: "tuple[asyncio.Task[None], ...]" = ()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Calls the handler at once: Channels' own dispatch goes through its one database thread."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        """Accepts a signed-in user, and begins the socket's work."""
        await self.accept()
        user = self.scope["user"]
        if SOCKETS.is_finishing or not user.is_authenticated:
            await self.leave(RESTART if SOCKETS.is_finishing else NO_SESSION)
            return
        self.owner, self.session = user.pk, self.scope["session"].session_key
        self.meter, self.inbox = Meter(), Inbox()
        self._send = self.scope.get("turntable.send", self.base_send)
        HUB.attach(asyncio.get_running_loop())
        self.is_open = True
        work = self.begin()
        SOCKETS.add(self)
        self.tasks = tuple(asyncio.create_task(self._closing_when_it_fails(part)) for part in work)

    def begin(self) -> tuple[Awaitable[None], ...]:
        """Prepares the socket; returns its work, a coroutine that sends and one that does commands."""
        raise NotImplementedError

    def forget(self) -> None:
        """Undoes what `begin` prepared."""
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        """Forgets the socket once its commands are done."""
        if not self.is_open:
            return
        self.forget()
        SOCKETS.remove(self)
        sending, commands = self.tasks
        sending.cancel()
        self.inbox.end()
        await commands

    async def leave(self, code: int) -> None:
        """Closes with the code, and does no further command."""
        if self.has_left:
            return
        self.has_left = True
        with suppress(OSError):  # some servers raise it when the client has left before
            await self.close(code)
        if self.tasks:
            self.inbox.clear()
            self.tasks[0].cancel()

    async def _closing_when_it_fails(self, work: Awaitable[None]) -> None:
        try:
            await work
        except NotFound:
            await self.leave(NOT_FOUND)
        except SignedOut:
            await self.leave(NO_SESSION)
        except TooSlow:
            await self.leave(TOO_SLOW)
        except Gone:
            logger.info("a socket of %s is gone", self.scope["path"])
        except Exception:
            logger.exception("the socket of %s broke", self.scope["path"])
            await self.leave(BROKEN)

    async def _send_text(self, text: str) -> None:
        try:
            await self._send({"type": "websocket.send", "text": text})
        except Exception as error:
            raise Gone from error
