"""The websocket: frames in are commands, frames out are the journal's, from a cursor on."""

import logging
from collections.abc import Awaitable
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from conversations import engine
from conversations.errors import InternalError, NotFound, Refused
from conversations.journal import (
    HUB,
    READERS,
    Frame,
    last_seq,
    one_snapshot,
    page,
    queue,
    read,
    unnumbered_frame,
)
from conversations.models import Conversation
from conversations.protocol.agui.events import Event, custom

from .cursor import Cursor
from .door import SignedInConsumer, SignedOut
from .inbound import Flood, ack_seq, cost, frame_id, json_object
from .sessions import FLOOD, RESTART, is_signed_in, valid_keys

logger = logging.getLogger(__name__)

COMMANDS = ("message", "stop", "regenerate", "edit", "withdraw", "branch", "resume", "run", "draft")
"""The types of frames that are done one after another. An acknowledgement is heard at once."""


class ChatConsumer(SignedInConsumer):
    """One open page of a conversation."""

    cursor: Cursor | None = None
    is_own = False
    """Whether the socket has begun, since it does only for the conversation's owner."""

    def begin(self) -> tuple[Awaitable[None], ...]:
        """Subscribes to the journal; the work is to send, from `after` or a snapshot on, and do commands."""
        self.conversation_id: UUID = self.scope["url_route"]["kwargs"]["conversation"]
        self.cursor = Cursor(self._send_text, self._read, self.scope.get("turntable.write"))
        HUB.subscribe(self.conversation_id, self.cursor)
        return self._send_for_ever(self.cursor), self._do_commands()

    def forget(self) -> None:
        """Unsubscribes from the journal. The turn goes on."""
        if self.cursor is not None:
            HUB.unsubscribe(self.conversation_id, self.cursor)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Takes a frame, or answers why not. Never waits, as Daphne's queue of frames has no bound."""
        if self.cursor is None or self.has_left:
            return
        seq = ack_seq(text_data)
        if seq is not None and self.cursor.acknowledge(seq):
            return  # there can be no more of these than frames were sent
        frame: dict[str, Any] = {}
        try:
            charge = cost(text_data, bytes_data)
            self.meter.charge(charge)
            frame = json_object(text_data)
            self._take(frame, charge)
        except Refused as refused:
            self._refuse(frame, refused.code, str(refused))
        except Flood:
            await self.leave(FLOOD)

    def _take(self, frame: dict[str, Any], charge: int) -> None:
        kind = frame.get("type")
        if kind == "ack":
            self._acknowledge(frame.get("seq"))
        elif kind in COMMANDS:
            if kind == "stop":
                frame["turn"] = self._stop_here(_turn(frame))
            self.inbox.put(frame, charge)
        else:
            raise Refused(f"A frame's type is one of {', '.join(['ack', *COMMANDS])}.")

    def _stop_here(self, turn: UUID | None) -> UUID | None:
        """Stops the turn if this process runs it, and returns its id. A busy database holds up no stop."""
        here = engine.stop_here(self.conversation_id, turn) if self.is_own else None
        return here or turn

    def _acknowledge(self, seq: object) -> None:
        if not isinstance(seq, int) or isinstance(seq, bool):
            raise Refused("An acknowledgement needs a seq, a whole number.")
        if self.cursor is None or not self.cursor.was_sent(seq):
            raise Refused("Only what was sent can be acknowledged.")

    def _refuse(self, frame: dict[str, Any], code: str, message: str) -> None:
        value = {"id": frame_id(frame), "code": code, "message": message}
        if self.cursor is not None:
            self.cursor.on_notice(unnumbered_frame(custom("refused", value)))

    def finish(self) -> None:
        """Leaves with RESTART once everything is sent."""
        if self.cursor is not None:
            self.cursor.finish()

    # -- commands, one after another

    async def _do_commands(self) -> None:
        while (frame := await self.inbox.take()) is not None:
            try:
                await READERS.run(self._do, frame)
            except Refused as refused:
                self._refuse(frame, refused.code, str(refused))
            except (NotFound, SignedOut):
                raise
            except Exception:
                logger.exception("a frame to conversation %s could not be taken", self.conversation_id)
                self._refuse(frame, InternalError.code, str(InternalError()))

    def _do(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "stop":
                self._stop(frame)
            case "withdraw":
                self._withdraw(frame)
            case "branch":
                self._branch(frame)
            case "resume":
                self._resume(frame)
            case "draft":
                self._draft(frame)
            case _:
                self._begin_turn(frame)

    def _begin_turn(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "message":
                self._message(frame)
            case "regenerate":
                self._regenerate(frame)
            case "edit":
                self._edit(frame)
            case "run":
                self._run(frame)

    def _message(self, frame: dict[str, Any]) -> None:
        files = frame.get("attachments")
        engine.start(self.conversation_id, frame.get("id"), frame.get("text"), files=files, admit=self._admit)

    def _stop(self, frame: dict[str, Any]) -> None:
        """Stores the stop of the turn that was stopped when the frame came, not of the one behind it."""
        engine.stop(self._conversation().pk, frame["turn"])

    def _regenerate(self, frame: dict[str, Any]) -> None:
        message, model = frame.get("message"), frame.get("model")
        engine.regenerate(self._conversation(), frame.get("id"), message=message, model=model)

    def _edit(self, frame: dict[str, Any]) -> None:
        message, files = frame.get("message"), frame.get("attachments")
        engine.edit(self._conversation(), message, frame.get("id"), frame.get("text"), files)

    def _withdraw(self, frame: dict[str, Any]) -> None:
        engine.withdraw(self._conversation(), frame.get("message"))

    def _branch(self, frame: dict[str, Any]) -> None:
        engine.show_branch(self._conversation(), frame.get("turn"))

    def _resume(self, frame: dict[str, Any]) -> None:
        conversation = self._conversation()
        engine.resume(conversation, conversation.owner, frame.get("resume"))

    def _run(self, frame: dict[str, Any]) -> None:
        engine.run_again(self._conversation(), frame.get("call"), frame.get("id"), frame.get("arguments"))

    def _draft(self, frame: dict[str, Any]) -> None:
        engine.keep_draft(self._conversation(), frame.get("text"))

    # -- in a reader's thread

    def _conversation(self) -> Conversation:
        """The conversation, if the user still owns it and is signed in; raises NotFound and SignedOut."""
        own = Conversation.objects.filter(pk=self.conversation_id, owner=self.owner)
        conversation = own.select_related("owner").first()
        if conversation is None:
            raise NotFound if valid_keys({self.session: self.owner}) else SignedOut
        self._admit(conversation)
        return conversation

    def _admit(self, conversation: Conversation) -> None:
        """Raises NotFound if the user does not own the conversation, SignedOut if the session has ended."""
        if conversation.owner_id != self.owner:
            raise NotFound
        if not is_signed_in(self.session, conversation.owner):
            raise SignedOut

    @one_snapshot()
    def _begin(self) -> tuple[int, int, str | None, list[Event]]:
        """The last `seq`, the `seq` at which the socket begins, its snapshot if needed, and its notices."""
        conversation = self._conversation()
        after, last = _after(self.scope["query_string"]), last_seq(self.conversation_id)
        if after is not None and after <= last:
            return last, after, None, engine.first_notices(conversation, after, queue(conversation.pk))
        newest = page(conversation)
        return (
            last,
            newest.seq,
            unnumbered_frame(newest.event()),
            engine.first_notices(conversation, None, newest.queue),
        )

    # -- out

    async def _read(self, after: int) -> list[Frame]:
        frames: list[Frame] = await READERS.run(read, self.conversation_id, after)
        return frames

    async def _send_for_ever(self, cursor: Cursor) -> None:
        last, seq, snapshot, notices = await READERS.run(self._begin)
        self.is_own = True
        cursor.on_news(last)
        for notice in notices:
            cursor.on_notice(unnumbered_frame(notice))
        await cursor.begin(seq, snapshot)
        await cursor.pump()
        await self.leave(RESTART)


def _turn(frame: dict[str, Any]) -> UUID | None:
    """The turn that a stop names, if it names one; raises Refused for what is no id."""
    turn = frame.get("turn")
    try:
        return UUID(str(turn)) if turn is not None else None
    except ValueError as error:
        raise Refused("The turn of a stop is named by its id, a UUID.") from error


def _after(query: bytes) -> int | None:
    after = parse_qs(query.decode("latin-1")).get("after", [""])[-1]
    return int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
