"""The websocket: frames in are commands, frames out are the journal's, from a cursor on. The only asynchronous module beside live.py."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar
from urllib.parse import parse_qs
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import connection

from conversations import turns
from conversations.errors import InternalError, NotFound, NotYet, Refused
from conversations.journal import Frame, head, page, read
from conversations.journal.reading import queue
from conversations.live import HUB, READERS, unnumbered
from conversations.models import Conversation
from conversations.outbox import Outbox, TooSlow
from conversations.protocol.events import custom

logger = logging.getLogger(__name__)

NO_SESSION, NOT_FOUND, TOO_SLOW, BROKEN = 4401, 4404, 4008, 1011


class Gone(Exception):
    """The server could not send: the client has left."""


class ChatConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One open page of a conversation."""

    channel_layer_alias = "none"
    """Nothing comes to a socket through a layer: live.py listens for the whole process."""

    outbox: Outbox | None = None
    pump: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        """Lets the conversation's owner in, and begins at `after` or with a snapshot."""
        await self.accept()
        self.user = self.scope["user"]
        self.conversation_id: UUID = self.scope["url_route"]["kwargs"]["conversation"]
        if not self.user.is_authenticated:
            await self.close(NO_SESSION)
            return
        self.outbox = Outbox(self._send_text, self._read)
        HUB.attach(asyncio.get_running_loop())
        HUB.subscribe(self.conversation_id, self.outbox)
        try:
            last, seq, snapshot, queued = await in_reader(self._begin)
        except NotFound:
            await self.close(NOT_FOUND)
            return
        except Exception:
            logger.exception("conversation %s could not be read", self.conversation_id)
            await self.close(BROKEN)
            return
        self.outbox.news(last)
        if queued:
            self.outbox.notice(unnumbered(custom("queued", queued)))
        self.pump = asyncio.create_task(self._pump(self.outbox, seq, snapshot))

    async def disconnect(self, code: int) -> None:
        """Forgets the socket; its turn goes on."""
        if self.outbox is not None:
            HUB.unsubscribe(self.conversation_id, self.outbox)
        if self.pump is not None:
            self.pump.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Does what a frame says, or answers why not."""
        if self.outbox is None:
            return
        frame: dict[str, Any] = {}
        try:
            frame = _parsed(text_data)
            await self._command(frame)(self, frame)
        except Refused as refused:
            self._refuse(frame, refused.code, str(refused))
        except NotFound:
            await self.close(NOT_FOUND)
        except Exception:
            logger.exception("a frame to conversation %s could not be taken", self.conversation_id)
            self._refuse(frame, InternalError.code, str(InternalError()))

    def _command(self, frame: dict[str, Any]) -> "Command":
        kind = frame.get("type")
        command = self.COMMANDS.get(kind) if isinstance(kind, str) else None
        if command is None:
            raise Refused(f"A frame's type is one of {', '.join(self.COMMANDS)}.")
        return command

    def _refuse(self, frame: dict[str, Any], code: str, message: str) -> None:
        value = {"id": frame.get("id"), "code": code, "message": message}
        if self.outbox is not None:
            self.outbox.notice(unnumbered(custom("refused", value)))

    # -- commands

    async def _message(self, frame: dict[str, Any]) -> None:
        await in_reader(self._start, frame.get("id"), frame.get("text"))

    async def _ack(self, frame: dict[str, Any]) -> None:
        seq = frame.get("seq")
        if not isinstance(seq, int) or isinstance(seq, bool):
            raise Refused("An acknowledgement needs a seq, a whole number.")
        if self.outbox is not None:
            self.outbox.acknowledge(seq)

    async def _stop(self, frame: dict[str, Any]) -> None:
        await in_reader(self._stop_turn)

    async def _not_yet(self, frame: dict[str, Any]) -> None:
        raise NotYet(f"{frame['type']} is not possible yet.")

    COMMANDS: ClassVar[dict[str, "Command"]] = {
        "message": _message,
        "ack": _ack,
        "stop": _stop,
        "regenerate": _not_yet,
        "edit": _not_yet,
        "resume": _not_yet,
    }

    # -- in a reader's thread

    def _conversation(self) -> Conversation:
        mine = Conversation.objects.owned_by(self.user).filter(pk=self.conversation_id, owner__is_active=True)
        conversation = mine.first()
        if conversation is None:
            raise NotFound
        return conversation

    def _begin(self) -> tuple[int, int, str | None, list[dict[str, Any]]]:
        """How far the record goes and where the socket begins: a seq, a snapshot unless `after` is in the record, and the queue."""
        conversation = self._conversation()
        after, last = _after(self.scope["query_string"]), head(self.conversation_id)
        if after is not None and after <= last:
            return last, after, None, queue(self.conversation_id)
        found = page(conversation)
        return last, found.seq, unnumbered(found.event()), found.queue

    def _start(self, message_id: Any, text: Any) -> None:
        turns.start(self._conversation(), message_id, text)

    def _stop_turn(self) -> None:
        turns.stop(self._conversation().pk)

    # -- out

    async def _send_text(self, text: str) -> None:
        try:
            await self.base_send({"type": "websocket.send", "text": text})
        except Exception as error:
            raise Gone from error

    async def _read(self, after: int) -> list[Frame]:
        found: list[Frame] = await in_reader(read, self.conversation_id, after)
        return found

    async def _pump(self, outbox: Outbox, seq: int, snapshot: str | None) -> None:
        try:
            await outbox.begin(seq, snapshot)
            await outbox.pump()
        except Gone:
            logger.info("a socket of conversation %s is gone", self.conversation_id)
        except TooSlow:
            await self.close(TOO_SLOW)
        except Exception:
            logger.exception("the socket of conversation %s broke", self.conversation_id)
            await self.close(BROKEN)


Command = Callable[[ChatConsumer, dict[str, Any]], Awaitable[None]]


async def in_reader(work: Callable[..., Any], *args: Any) -> Any:
    """Runs database work in a thread of the readers' pool."""
    return await asyncio.get_running_loop().run_in_executor(READERS, _closing, work, *args)


def _closing(work: Callable[..., Any], *args: Any) -> Any:
    try:
        return work(*args)
    finally:
        connection.close()


def _parsed(text: str | None) -> dict[str, Any]:
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        raise Refused("A frame is one JSON object.") from None
    if not isinstance(frame, dict):
        raise Refused("A frame is one JSON object.")
    return frame


def _after(query: bytes) -> int | None:
    given = parse_qs(query.decode("latin-1")).get("after", [""])[-1]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
