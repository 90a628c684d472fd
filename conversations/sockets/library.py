"""The websocket of a user's library, on every page: a small frame for each change that lists show."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.utils import timezone

from conversations import engine
from conversations.errors import Refused
from conversations.journal import HUB, READERS, unnumbered_frame
from conversations.models import Conversation, marks
from conversations.protocol.agui.events import custom
from conversations.protocol.text import visible

from .cursor import TooSlow
from .door import SignedInConsumer, SignedOut
from .inbound import Flood, cost, json_object
from .sessions import FLOOD, RESTART, valid_keys

logger = logging.getLogger(__name__)

GAP = 0.02
"""Seconds from a change until it is read: changes of one moment are read together."""

MOST = 100
"""Changes that a page gets when it comes back. After more of them it loads its list anew."""

OVERLAP = timedelta(seconds=2)
"""A change may be committed later than its time says, so that a page rendered meanwhile lacks it."""

WINDOW = 64 * 1024
"""Characters that a page may leave unacknowledged. Then each conversation's newest change waits."""

ACK_TIMEOUT = 60.0

LibraryFrame = tuple[UUID | None, str]
"""A frame with the conversation that it is about; None if it is about all of them."""


class LibraryConsumer(SignedInConsumer):
    """One open page of a user, which is sent the changes of their conversations."""

    def begin(self) -> tuple[Awaitable[None], ...]:
        """Hears of changes; the work is to send those since `after` and the new ones, and to do commands."""
        self._frames: dict[UUID | None, str] = {}
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._unacknowledged = 0
        self._is_finishing = False
        LIBRARY.add(self)
        return self._send_for_ever(), self._do_commands()

    def forget(self) -> None:
        """Hears no more."""
        LIBRARY.remove(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Takes a `seen` conversation, or `heard`, which acknowledges all that was sent."""
        if not self.is_open or self.has_left:
            return
        charge = cost(text_data, bytes_data)
        try:
            self.meter.charge(charge)
            frame = json_object(text_data)
            if frame.get("type") == "heard":
                self._unacknowledged = 0
                self._room.set()
            elif frame.get("type") == "seen":
                self.inbox.put({"conversation": _uuid(frame.get("conversation"))}, charge)
        except Refused as refused:
            value = {"id": None, "code": refused.code, "message": str(refused)}
            await self._send_text(unnumbered_frame(custom("refused", value)))
        except Flood:
            await self.leave(FLOOD)

    async def _do_commands(self) -> None:
        while (frame := await self.inbox.take()) is not None:
            await READERS.run(self._see, frame["conversation"])

    def _see(self, conversation: UUID) -> None:
        if not valid_keys({self.session: self.owner}):
            raise SignedOut
        engine.see(conversation, self.owner)

    # -- out

    def tell(self, conversation: UUID | None, text: str) -> None:
        """Sends a frame soon; the newest of a conversation takes the place of one that still waits."""
        self._frames.pop(conversation, None)
        self._frames[conversation] = text
        self._news.set()
        if len(self._frames) > MOST:
            self._room.set()  # the page has to come back, and is sent less then

    def finish(self) -> None:
        """Leaves with RESTART once everything is sent."""
        self._is_finishing = True
        self._news.set()

    async def _send_for_ever(self) -> None:
        for conversation, text in await READERS.run(self._first):
            self._frames.setdefault(conversation, text)
        self._news.set()
        while not self._is_finishing or self._frames:
            await self._news.wait()
            self._news.clear()
            while self._frames:
                await self._wait_for_room()
                await self._send_next()
        await self.leave(RESTART)

    async def _send_next(self) -> None:
        text = self._frames.pop(next(iter(self._frames)))
        self._unacknowledged += len(text)
        await self._send_text(text)

    async def _wait_for_room(self) -> None:
        """Waits while too much is unacknowledged; raises TooSlow for a page that has to come back."""
        while self._unacknowledged >= WINDOW:
            if len(self._frames) > MOST:
                raise TooSlow
            self._room.clear()
            try:
                await asyncio.wait_for(self._room.wait(), ACK_TIMEOUT)
            except TimeoutError:
                raise TooSlow from None

    def _first(self) -> list[LibraryFrame]:
        """The number of waiting approvals, and the changes since the page was rendered."""
        after = _after(self.scope["query_string"])
        rows = Conversation.with_deleted.filter(owner=self.owner).order_by("-changed_at")
        entries = marks.entries(rows.filter(changed_at__gt=after)[: MOST + 1]) if after else []
        number = marks.pending_counts([self.owner]).get(self.owner, 0)
        start = custom("library", {"waiting": number, "stale": not after or len(entries) > MOST})
        return [(None, unnumbered_frame(start)), *frames(entries[:MOST], {self.owner: number})]


class Library:
    """The open library sockets of this process, whose changes are read together."""

    def __init__(self) -> None:
        self._sockets: dict[int, set[LibraryConsumer]] = {}
        self._changed: set[UUID] = set()
        self._changed_at: dict[UUID, datetime] = {}
        self._reading: asyncio.Task[None] | None = None

    def owners(self) -> list[int]:
        """The users whose pages are open."""
        return list(self._sockets)

    def add(self, socket: LibraryConsumer) -> None:
        """Lets a socket hear of its user's conversations."""
        HUB.library = self
        self._sockets.setdefault(socket.owner, set()).add(socket)

    def remove(self, socket: LibraryConsumer) -> None:
        """Lets a socket hear no more."""
        sockets = self._sockets.get(socket.owner, set())
        sockets.discard(socket)
        if not sockets:
            self._sockets.pop(socket.owner, None)

    def on_change(self, conversation: UUID, at: datetime | None = None) -> None:
        """Reads a conversation again soon, if anybody's page is open and does not show its state of `at`."""
        if not self._sockets or (at is not None and self._changed_at.get(conversation) == at):
            return
        self._changed.add(conversation)
        loop = asyncio.get_running_loop()
        if self._reading is None or self._reading.done() or self._reading.get_loop() is not loop:
            self._reading = loop.create_task(self._read_all())

    async def _read_all(self) -> None:
        while self._changed:
            await asyncio.sleep(GAP)
            changed, self._changed = self._changed, set()
            try:
                await self._tell(changed)
            except Exception:
                logger.exception("%d conversations could not be read for lists", len(changed))

    async def _tell(self, changed: set[UUID]) -> None:
        entries, numbers = await READERS.run(_read, changed, self.owners())
        if len(self._changed_at) > MOST:
            self._changed_at.clear()
        for entry, (conversation, text) in zip(entries, frames(entries, numbers), strict=True):
            self._changed_at[entry.conversation] = entry.changed_at
            for socket in list(self._sockets.get(entry.owner, ())):
                socket.tell(conversation, text)


LIBRARY = Library()


def _read(changed: set[UUID], owners: list[int]) -> tuple[list[marks.ListEntry], dict[int, int]]:
    entries = marks.entries(Conversation.with_deleted.filter(pk__in=changed, owner__in=owners))
    return entries, marks.pending_counts({entry.owner for entry in entries}) if entries else {}


def frames(entries: Iterable[marks.ListEntry], numbers: dict[int, int]) -> list[LibraryFrame]:
    """A frame for each conversation, with the number of approvals that wait for its owner."""
    return [
        (entry.conversation, unnumbered_frame(custom("library", _value(entry, numbers)))) for entry in entries
    ]


def _value(entry: marks.ListEntry, numbers: dict[int, int]) -> dict[str, Any]:
    return {
        "conversation": str(entry.conversation),
        "title": visible(entry.title),
        "mark": entry.mark or "",
        "words": entry.mark.label if entry.mark else "",
        "updatedAt": entry.updated_at.isoformat(),
        "pinned": entry.pinned_at is not None,
        "archived": entry.archived_at is not None,
        "deleted": entry.deleted_at is not None,
        "waiting": numbers.get(entry.owner, 0),
    }


def _uuid(value: object) -> UUID:
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise Refused("A seen frame names a conversation.") from None


def _after(query: bytes) -> datetime | None:
    """The time after which a page wants changes, given in ms; None for a page that gives none."""
    after = parse_qs(query.decode("latin-1")).get("after", [""])[-1]
    if not (after.isascii() and after.isdigit() and 0 < len(after) < 14):
        return None
    return datetime.fromtimestamp(int(after) / 1000, tz=timezone.get_default_timezone()) - OVERLAP
