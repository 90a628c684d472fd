"""The one writer of a process: it commits all waiting events in one transaction, then publishes them.

Without load an event is published at once; under load batches grow by themselves. This hot path has SQL instead of the ORM, and few
statements: each gives up the interpreter's lock and has to win it back from the loop, which reads for all turns.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from conversations.errors import InternalError
from conversations.models import Turn, uuid_value
from conversations.protocol.agui.events import Event
from conversations.threads import give_back_connection, reserve_connection

from .hub import Delivery
from .lines import Line, add

logger = logging.getLogger(__name__)

GAP = 0.005
"""Seconds between two commits under load, at least: costs some 3 ms, saves a fifth of the CPU time."""

BUSY = 4
"""Entries in one commit that count as load."""

LONGEST_PAUSE = 0.02
"""Seconds at most that the writer rests after a long commit.

It rests as long as the commit took, so that a busy processor has half of the time for others, and batches grow.
"""

ROWS = 1000
"""Rows of one INSERT; SQLite allows 32,766 values in a statement."""

IDLE = 2.0
"""Seconds without work after which the writer gives its database connection back."""

ROOM = 4 * 1024 * 1024
"""Characters of entries that may wait. Beyond it no turn reads the gateway until half are written."""

ENTRY_SIZE = 300
"""Characters that an entry counts for beside its deltas."""

Publish = Callable[[Delivery], None]
Write = Callable[[], None]


@dataclass(slots=True)
class Entry:
    """Events of a turn with one timestamp, and the writes of rows that belong in the same commit."""

    record: "Record"
    at: int
    events: Iterable[Event]
    writes: "tuple[Write, ...]" = ()
    done: "Future[None] | None" = None
    size: int = ENTRY_SIZE


class Record:
    """A running turn's record, open for writing in the process that runs the turn."""

    def __init__(self, journal: "Journal", turn: Turn, seq: int) -> None:
        self.conversation: UUID = turn.conversation_id
        self.turn: UUID = turn.pk
        self.seq = seq
        self.failure: BaseException | None = None
        self._journal = journal
        self._lease_token: UUID | None = turn.lease_token
        self._wall = time.time_ns() - time.monotonic_ns()
        self._deferred: list[Event] = []
        self._writes: list[Write] = []

    @cached_property
    def keys(self) -> tuple[Any, Any]:
        """The ids of conversation and turn as the database takes them; for the writer's thread alone.

        On the loop this would open one more database connection.
        """
        return uuid_value(self.conversation), uuid_value(self.turn)

    @cached_property
    def lease(self) -> tuple[Any, Any]:
        """The turn and its lease as the database takes them."""
        return self.keys[1], uuid_value(self._lease_token)

    def append(self, *events: Event, write: Write | None = None) -> None:
        """Puts events on the journal without waiting; raises InternalError if an earlier commit failed."""
        self._check()
        self._journal.put(self._entry(events, write))

    def defer(self, *events: Event, write: Write | None = None) -> None:
        """Puts events and rows into the transaction of the next events, which have to follow at once."""
        self._deferred += events
        if write is not None:
            self._writes.append(write)

    def commit(self, *events: Event, write: Write | None = None) -> "Future[None]":
        """Puts events and the rows of `write` on the journal; the future is done once they are stored.

        Raises InternalError, at once or in the future, if they or what came before them could not be stored.
        """
        self._check()
        entry = self._entry(events, write)
        entry.done = Future()
        entry.done.set_running_or_notify_cancel()  # a waiter that is cancelled does not cancel the commit
        self._journal.put(entry)
        return entry.done

    async def store(self, *events: Event, write: Write | None = None) -> None:
        """Commits the events and waits until they are stored; the wait takes no thread."""
        await asyncio.wrap_future(self.commit(*events, write=write))

    async def wait_for_room(self) -> None:
        """Waits while the journal is full."""
        await self._journal.wait_for_room()

    def _entry(self, events: tuple[Event, ...], write: Write | None) -> Entry:
        if not self._deferred and not self._writes:
            return Entry(self, self._now(), events, (write,) if write else (), None, _size(events))
        all_events = (*self._deferred, *events)
        writes = (*self._writes, *([write] if write else []))
        self._deferred, self._writes = [], []
        return Entry(self, self._now(), all_events, writes, None, _size(all_events))

    def _now(self) -> int:
        """The time in ms. Within a turn it never goes back, also when the machine's clock is set back."""
        return (self._wall + time.monotonic_ns()) // 1_000_000

    def _check(self) -> None:
        if self.failure is not None:
            raise InternalError("the journal could not be written") from self.failure


def _size(events: tuple[Event, ...]) -> int:
    size = ENTRY_SIZE
    for event in events:
        if "delta" in event:
            size += len(event["delta"])
    return size


@dataclass(slots=True)
class Batch:
    """The content of one commit: the turns' lines, and writes of other rows."""

    lines: dict[Record, list[Line]] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)

    def take(self, entry: Entry) -> None:
        """Adds an entry, merging its deltas into those of the same turn just before."""
        lines = self.lines.setdefault(entry.record, [])
        for event in entry.events:
            add(lines, entry.at, event)
        self.writes += entry.writes

    def commit(self) -> Delivery:
        """Writes the batch in one transaction; returns the frames for the sockets."""
        rows: list[tuple[Any, ...]] = []
        delivery: Delivery = []
        for record, lines in self.lines.items():
            frames = [(seq, line.frame(seq)) for seq, line in enumerate(lines, record.seq + 1)]
            rows += [
                (*record.keys, *frame, line.boundaries()) for frame, line in zip(frames, lines, strict=True)
            ]
            delivery.append((record.conversation, frames))
        with transaction.atomic(), connection.cursor() as cursor:
            self._lock_turns(cursor)
            for start in range(0, len(rows), ROWS):
                chunk = rows[start : start + ROWS]
                cursor.execute(INSERT.format(", ".join([ROW] * len(chunk))), list(chain.from_iterable(chunk)))
            for write in self.writes:
                write()
        for record, lines in self.lines.items():
            record.seq += len(lines)
        return delivery

    def _lock_turns(self, cursor: CursorWrapper) -> None:
        """Locks the turns in the order of their keys, as the heartbeat does.

        Raises InternalError if another process has taken a turn over, as it does after its lease.
        """
        leases = [record.lease for record in self.lines]
        lock = "ORDER BY id FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else ""
        cursor.execute(
            COUNT_LEASES.format(", ".join(["(%s, %s)"] * len(leases)), lock),
            list(chain.from_iterable(leases)),
        )
        if cursor.fetchone() != (len(leases),):
            raise InternalError("another process has taken the turn up")


class Journal:
    """The process's writer thread and its queue; `reserved` gives it a connection beside the pool.

    `publish` is called with the frames of each commit.
    """

    def __init__(self, publish: Publish, *, reserved: bool = False) -> None:
        self._publish, self._reserved = publish, reserved
        self._entries: list[Entry] = []
        self._news = threading.Event()
        self._size = 0
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._started = False
        self._lock = threading.Lock()

    def open(self, turn: Turn, seq: int) -> Record:
        """A running turn's record, going on after the conversation's last `seq`."""
        return Record(self, turn, seq)

    @property
    def is_full(self) -> bool:
        """Whether so much waits for the writer that turns should stop reading the gateway."""
        return self._size > ROOM

    def put(self, entry: Entry) -> None:
        """Passes an entry to the writer, who wakes once for all entries of one iteration of the loop."""
        with self._lock:
            self._size += entry.size
            self._entries.append(entry)
            is_first = len(self._entries) == 1
        if is_first:
            self._wake_writer()

    async def wait_for_room(self) -> None:
        """Waits while the journal is full."""
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                if self._size <= ROOM:
                    return
                waiter = loop.create_future()
                self._waiters.append((loop, waiter))
            await waiter

    def _wake_writer(self) -> None:
        try:
            asyncio.get_running_loop().call_soon(self._news.set)
        except RuntimeError:  # no loop runs in this thread
            self._news.set()
        if not self._started:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if not self._started:
                threading.Thread(target=self._write_for_ever, name="journal", daemon=True).start()
                self._started = True

    def _write_for_ever(self) -> None:
        if self._reserved:
            reserve_connection()
        while True:
            entries = self._take_entries()
            start = time.monotonic()
            if entries:
                self._write(entries)
                self._make_room(sum(entry.size for entry in entries))
            else:
                _close()
            if len(entries) >= BUSY or self._entries:
                duration = time.monotonic() - start
                time.sleep(max(GAP - duration, min(duration, LONGEST_PAUSE)))

    def _take_entries(self) -> list[Entry]:
        """Waits for entries and takes them all; returns none after IDLE seconds."""
        while not self._entries and self._news.wait(IDLE):
            self._news.clear()
        with self._lock:
            self._news.clear()
            entries, self._entries = self._entries, []
        return entries

    def _make_room(self, size: int) -> None:
        with self._lock:
            self._size -= size
            if self._size > ROOM // 2:
                return
            waiters, self._waiters = self._waiters, []
        for loop, waiter in waiters:
            try:
                loop.call_soon_threadsafe(_wake, waiter)
            except RuntimeError:
                logger.info("a loop was closed while it waited for the journal")

    def _write(self, entries: list[Entry]) -> None:
        """Writes all entries at once, or turn by turn if that fails."""
        try:
            self._commit([entry for entry in entries if entry.record.failure is None])
        except Exception:
            logger.exception(
                "a commit of %d entries failed, each turn's are tried by themselves", len(entries)
            )
            _close()
            self._write_by_turn(entries)
        for entry in entries:
            if entry.done is not None:
                _settle(entry.done, entry.record.failure)

    def _write_by_turn(self, entries: list[Entry]) -> None:
        """Writes the entries turn by turn. If the database itself fails, only one turn is tried."""
        broken: OperationalError | None = None
        for record in dict.fromkeys(entry.record for entry in entries if entry.record.failure is None):
            record.failure = broken
            try:
                self._commit([] if broken else [entry for entry in entries if entry.record is record])
            except Exception as error:
                logger.exception("the journal of turn %s could not be written", record.turn)
                record.failure = error
                broken = error if isinstance(error, OperationalError) else None

    def _commit(self, entries: list[Entry]) -> None:
        batch = Batch()
        for entry in entries:
            batch.take(entry)
        if batch.lines:
            self._show(batch.commit())

    def _show(self, delivery: Delivery) -> None:
        """Publishes stored frames. A failure is only logged, as they must not be written again."""
        try:
            self._publish(delivery)
        except Exception:
            logger.exception("a batch of %d turns could not be shown", len(delivery))


def _settle(done: "Future[None]", failure: BaseException | None) -> None:
    if failure is None:
        done.set_result(None)
    else:
        error = InternalError("the journal could not be written")
        error.__cause__ = failure
        done.set_exception(error)


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _close() -> None:
    """Gives the writer's connection back. The writer has to go on even if that fails."""
    try:
        give_back_connection()
    except Exception:
        logger.exception("the journal's connection could not be closed")


ROW = "(%s, %s, %s, %s, %s)"
INSERT = "INSERT INTO conversations_event (conversation_id, turn_id, seq, data, parts) VALUES {}"
COUNT_LEASES = "SELECT count(*) FROM (SELECT id FROM conversations_turn WHERE (id, lease_token) IN (VALUES {}) {}) AS leases"
