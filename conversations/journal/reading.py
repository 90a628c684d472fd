"""Reading on from a `seq`, packed turns included, and the snapshot that a page begins with."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q

from conversations.models import Conversation, Event, Message, Recording, Tree, Turn, totals
from conversations.protocol.converse.content import plain_text
from conversations.protocol.text import cut_bytes
from conversations.threads import Threads

from .recordings import Frame, frames, summary, unsqueeze

READERS = Threads("journal-reader", 4)
"""Threads for the database work of sockets: Django's own for it is one for all, and the loop's default pool is six here."""

Part = list[Event] | Recording
"""A turn's part of the record."""

READ_BYTES = 256 * 1024
READ_EVENTS = 2_000
SNAPSHOT_BYTES = 512 * 1024
BESIDE = 4 * 1024
"""What a message that is cut takes beside its text, and the page beside its messages."""

QUEUE_BYTES = 64 * 1024
"""Of text, which JSON escapes may make six times as long: it goes beside a snapshot in a frame of at most 1 MiB."""


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Lets all that is read inside be true at one moment, whoever writes meanwhile. Inside a transaction it does nothing."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        yield from _sqlite_snapshot()
    else:
        with transaction.atomic():
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def _sqlite_snapshot() -> Iterator[None]:
    """A deferred transaction, which reads on from one state of the write-ahead log; atomic() would wait for the writers' lock."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def head(conversation: UUID) -> int:
    """The conversation's last `seq`, 0 before the first event."""
    return heads([conversation]).get(conversation, 0)


def heads(conversations: list[UUID]) -> dict[UUID, int]:
    """The last `seq` of each of the conversations that has one."""
    found: dict[UUID, int] = {}
    for rows, column in ((Event.objects, "seq"), (Recording.objects, "last_seq")):
        newest = (
            rows.filter(conversation__in=conversations).values_list("conversation").annotate(last=Max(column))
        )
        for conversation, last in newest:
            found[conversation] = max(found.get(conversation, 0), last)
    return found


def read(conversation: UUID, after: int) -> list[Frame]:
    """Some of the frames that follow `after`, in order, 256 KiB or one frame at most; none when there are no more.

    Events come first: a turn that is packed between the two queries is then found in its recording. Those that do not follow on are left
    for later: a turn whose process died may be packed after the turns that came later.
    """
    rows = Event.objects.filter(conversation=conversation, seq__gt=after).order_by("seq")
    events = list(rows.values_list("seq", "data")[:READ_EVENTS])
    following = [frame for seq, frame in enumerate(events, after + 1) if frame[0] == seq]
    if following:
        return _at_most(READ_BYTES, following)
    packed = (
        Recording.objects.filter(conversation=conversation, last_seq__gt=after).order_by("last_seq").first()
    )
    if packed is None or packed.first_seq > after + 1:
        return []
    return _at_most(READ_BYTES, [frame for frame in frames(packed) if frame[0] > after])


def _at_most(limit: int, found: list[Frame]) -> list[Frame]:
    size = 0
    for count, (_, data) in enumerate(found):
        size += len(data.encode())
        if size > limit and count:
            return found[:count]
    return found


@dataclass
class Page:
    """The newest messages of a conversation that fit, oldest first, true at `seq`; `before` where older ones exist."""

    seq: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)
    queue: list[dict[str, Any]] = field(default_factory=list)
    before: str | None = None
    totals: dict[str, dict[str, int]] = field(default_factory=dict)

    def event(self) -> dict[str, Any]:
        """The page as the AG-UI event that a socket without a cursor begins with."""
        metadata = {"seq": self.seq, "turns": self.turns, "queue": self.queue, "totals": self.totals}
        older = {"before": self.before} if self.before else {}
        return {"type": "MESSAGES_SNAPSHOT", "messages": self.messages, "metadata": metadata | older}


def page(conversation: Conversation, before: str | None = None) -> Page:
    """The conversation's newest messages up to 512 KiB, or those before the message with the id `before`."""
    tree = Tree.of(conversation.pk)
    seq, summaries = _newest_first(conversation, tree)
    found = Page(seq, queue=_unrecorded(conversation.pk), totals=totals(conversation.pk))
    room, skipping = SNAPSHOT_BYTES, before is not None
    for told in summaries:
        told["state"] |= _versions(tree, told["state"]["id"])
        messages = told["messages"]
        if skipping:
            ids = [message["id"] for message in messages]
            if before not in ids:
                continue
            messages, skipping = messages[: ids.index(before)], False
        room = _fill(found, messages, told["state"], room)
        if found.before:
            break
    return found


def _fill(found: Page, messages: list[dict[str, Any]], state: dict[str, Any], room: int) -> int:
    """Puts a turn's messages and state before those that are there, newest first, while there is room."""
    room -= _size(state)
    for message in reversed(messages):
        size = _size(message)
        if size > room and found.messages:
            found.before = found.messages[0]["id"]
            return 0
        if found.turns[:1] != [state]:
            found.turns.insert(0, state)
        found.messages.insert(0, message if size <= room else _cut(message, room))
        room -= size
    return room


def _size(value: dict[str, Any]) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _cut(message: dict[str, Any], room: int) -> dict[str, Any]:
    """A message too large for any snapshot, cut at its front."""
    metadata = {"metadata": message["metadata"] | {"cut": True}}
    room -= BESIDE
    if "toolCalls" not in message:
        return message | metadata | {"content": _end(message["content"], room)}
    call = message["toolCalls"][0]
    function = call["function"] | {"arguments": _end(call["function"]["arguments"], room)}
    return message | metadata | {"toolCalls": [call | {"function": function}]}


def _end(text: str, room: int) -> str:
    """As much of a text's end as fits, by what its JSON takes; half of the room at least is used."""
    end = text.encode()[-max(room, 0) :].decode(errors="ignore") if room > 0 else ""
    while end and (size := len(json.dumps(end, ensure_ascii=False).encode())) > room:
        end = end[-min(len(end) * room // size, len(end) - 1) :] if len(end) > 1 else ""
    return end


def _versions(tree: Tree, turn: str) -> dict[str, Any]:
    """The turns that a reader may choose between here, if there are several."""
    versions = tree.versions(UUID(turn))
    return {"versions": [str(pk) for pk in versions]} if len(versions) > 1 else {}


def _newest_first(conversation: Conversation, tree: Tree) -> tuple[int, Iterator[dict[str, Any]]]:
    """How far the record goes, and what each turn of the shown branch adds up to.

    What was packed between the two queries, or begun, does not join on to the events that were read first and is left out.
    """
    rows = Event.objects.filter(conversation=conversation).order_by("seq")
    said = {turn: list(events) for turn, events in groupby(rows, lambda row: row.turn_id)}
    packed = Recording.objects.filter(conversation=conversation).exclude(turn__in=said)
    spans = [(events[0].seq, events[-1].seq) for events in said.values()]
    last = _joined([*spans, *packed.values_list("first_seq", "last_seq")])
    shown = set(tree.shown())
    if len(shown) < len(tree.nodes):
        packed = packed.filter(turn__in=shown)
    recordings = packed.filter(last_seq__lte=last).defer("body").order_by("-last_seq").iterator(chunk_size=8)
    parts: list[Iterable[Part]] = [[said[turn] for turn in reversed(said) if turn in shown], recordings]
    return last, map(_summary, merge(*parts, key=_first_seq, reverse=True))


def _joined(spans: list[tuple[int, int]]) -> int:
    """The last `seq` that is reached from the first without a gap."""
    reached = 0
    for first, last in sorted(spans):
        if first == reached + 1:
            reached = last
    return reached


def _first_seq(part: Part) -> int:
    return part.first_seq if isinstance(part, Recording) else part[0].seq


def _summary(part: Part) -> dict[str, Any]:
    if isinstance(part, Recording):
        found: dict[str, Any] = json.loads(unsqueeze(part.snapshot))
        return found
    return summary(part[0].turn_id, (event.data for event in part))


def queue(conversation: UUID) -> list[dict[str, Any]]:
    """The messages that wait for a running turn to end, in order: `id` and `text`, each cut to its share of 64 KiB."""
    return _waiting(conversation, Q(turn__status=Turn.Status.QUEUED))


def _unrecorded(conversation: UUID) -> list[dict[str, Any]]:
    """The queue, and before it the message of a turn that is to run and has no event yet: else no page would show it."""
    events = Event.objects.filter(conversation=conversation, turn=OuterRef("turn"))
    begins = Q(~Exists(events), turn__status=Turn.Status.RUNNING)
    return _waiting(conversation, Q(turn__status=Turn.Status.QUEUED) | begins)


def _waiting(conversation: UUID, which: Q) -> list[dict[str, Any]]:
    own = Message.objects.filter(which, conversation=conversation, role=Message.Role.USER)
    waiting = own.order_by("turn__number")
    room = QUEUE_BYTES // max(1, len(waiting))
    return [
        {"id": str(message.public_id), "text": cut_bytes(plain_text(message.content), room)[0]}
        for message in waiting
    ]
