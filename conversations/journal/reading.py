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
from conversations.protocol.converse.attached import facts
from conversations.protocol.converse.content import plain_text
from conversations.protocol.text import cut_bytes
from conversations.threads import Threads

from .recordings import Frame, frames, summary, unsqueeze

READERS = Threads("journal-reader", 4)
"""Threads for sockets' database work: Django has one for all, asyncio six on two processors."""

TurnRecord = list[Event] | Recording
"""A turn's part of the record, unpacked or packed."""

READ_BYTES = 256 * 1024
READ_EVENTS = 2_000
SNAPSHOT_BYTES = 512 * 1024
BESIDE = 4 * 1024
"""Bytes that a cut message takes beside its text, or the page beside its messages."""

QUEUE_BYTES = 64 * 1024
"""Bytes of queued text, beside a snapshot in a frame of 1 MiB: JSON may make it six times as long."""


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Lets all reads inside see one state of the database. Does nothing inside a transaction."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        yield from _sqlite_snapshot()
    else:
        with transaction.atomic():
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def _sqlite_snapshot() -> Iterator[None]:
    """A deferred transaction, which sees one state of the write-ahead log.

    atomic() would wait for the writers' lock.
    """
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def last_seq(conversation: UUID) -> int:
    """The conversation's last `seq`, 0 before the first event."""
    return last_seqs([conversation]).get(conversation, 0)


def last_seqs(conversations: list[UUID]) -> dict[UUID, int]:
    """The last `seq` of the conversations that have one."""
    seqs: dict[UUID, int] = {}
    for rows, column in ((Event.objects, "seq"), (Recording.objects, "last_seq")):
        newest = (
            rows.filter(conversation__in=conversations).values_list("conversation").annotate(last=Max(column))
        )
        for conversation, last in newest:
            seqs[conversation] = max(seqs.get(conversation, 0), last)
    return seqs


def read(conversation: UUID, after: int) -> list[Frame]:
    """The next frames after `after`, in order: 256 KiB at most or one frame, none if there are no more.

    Events are read before recordings: a turn that is packed between the two queries is then in its recording. Frames after a gap are left
    out: a turn whose process died may be packed after the turns that came later.
    """
    rows = Event.objects.filter(conversation=conversation, seq__gt=after).order_by("seq")
    events = list(rows.values_list("seq", "data")[:READ_EVENTS])
    following = [frame for seq, frame in enumerate(events, after + 1) if frame[0] == seq]
    if following:
        return _at_most(READ_BYTES, following)
    recordings = Recording.objects.filter(conversation=conversation, last_seq__gt=after)
    recording = recordings.order_by("last_seq").first()
    if recording is None or recording.first_seq > after + 1:
        return []
    return _at_most(READ_BYTES, [frame for frame in frames(recording) if frame[0] > after])


def _at_most(limit: int, following: list[Frame]) -> list[Frame]:
    size = 0
    for count, (_, data) in enumerate(following):
        size += len(data.encode())
        if size > limit and count:
            return following[:count]
    return following


@dataclass
class Page:
    """The newest messages of a conversation that fit, oldest first, as they are at `seq`.

    `before` is the first one's id if older ones exist; `is_aside` says that they are on another branch than the shown one.
    """

    seq: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)
    queue: list[dict[str, Any]] = field(default_factory=list)
    before: str | None = None
    totals: dict[str, dict[str, int]] = field(default_factory=dict)
    is_aside: bool = False

    def event(self) -> dict[str, Any]:
        """The page as the AG-UI event that a socket without a cursor begins with."""
        metadata = {"seq": self.seq, "turns": self.turns, "queue": self.queue, "totals": self.totals}
        older = {"before": self.before} if self.before else {}
        return {"type": "MESSAGES_SNAPSHOT", "messages": self.messages, "metadata": metadata | older}


def page(conversation: Conversation, before: str | None = None, end: UUID | None = None) -> Page:
    """The conversation's newest messages up to 512 KiB, or those before the message with the id `before`.

    With `end` those of that turn and what it follows on, on whatever branch; none if there is no such turn.
    """
    tree = Tree.of(conversation.pk)
    active = tree.active_line()
    line = active if end is None else _line_to(end, tree)
    seq, summaries = _newest_first(conversation, tree, set(line))
    result = Page(seq, queue=_unrecorded(conversation.pk), totals=totals(conversation.pk))
    result.is_aside = end is not None and end not in active
    room, skipping = SNAPSHOT_BYTES, before is not None
    for turn in summaries:
        turn["state"] |= _versions(tree, turn["state"]["id"])
        messages = turn["messages"]
        if skipping:
            ids = [message["id"] for message in messages]
            if before not in ids:
                continue
            messages, skipping = messages[: ids.index(before)], False
        room = _fill(result, messages, turn["state"], room)
        if result.before:
            break
    return result


def _line_to(end: UUID, tree: Tree) -> list[UUID]:
    """A turn and its ancestors; nothing if it has not begun or is not in the conversation."""
    return tree.line(end) if end in tree.nodes and tree.nodes[end].has_begun else []


def _fill(result: Page, messages: list[dict[str, Any]], state: dict[str, Any], room: int) -> int:
    """Puts a turn's state and messages at the page's front, newest first; returns the room that is left."""
    room -= _size(state)
    for message in reversed(messages):
        size = _size(message)
        if size > room and result.messages:
            result.before = result.messages[0]["id"]
            return 0
        if result.turns[:1] != [state]:
            result.turns.insert(0, state)
        result.messages.insert(0, message if size <= room else _cut(message, room))
        room -= size
    return room


def _size(value: dict[str, Any]) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _cut(message: dict[str, Any], room: int) -> dict[str, Any]:
    """A message too large for any snapshot, cut at its front."""
    metadata = {"metadata": message["metadata"] | {"cut": True}}
    room -= BESIDE
    if message["role"] == "activity":
        return message | metadata | {"content": {"messageId": message["content"]["messageId"]}}
    if "toolCalls" not in message:
        return message | metadata | {"content": _end(message["content"], room)}
    call = message["toolCalls"][0]
    function = call["function"] | {"arguments": _end(call["function"]["arguments"], room)}
    return message | metadata | {"toolCalls": [call | {"function": function}]}


def _end(text: str, room: int) -> str:
    """As much of a text's end as fits when it is encoded; it uses half of the room at least."""
    end = text.encode()[-max(room, 0) :].decode(errors="ignore") if room > 0 else ""
    while end and (size := len(json.dumps(end, ensure_ascii=False).encode())) > room:
        end = end[-min(len(end) * room // size, len(end) - 1) :] if len(end) > 1 else ""
    return end


def _versions(tree: Tree, turn: str) -> dict[str, Any]:
    """The turns that a reader may choose between here, if there are several."""
    versions = tree.versions(UUID(turn))
    return {"versions": [str(pk) for pk in versions]} if len(versions) > 1 else {}


def _newest_first(
    conversation: Conversation, tree: Tree, branch: set[UUID]
) -> tuple[int, Iterator[dict[str, Any]]]:
    """The last `seq`, and the summaries of a branch's turns.

    A turn that is packed or begun between the two queries leaves a gap after the events that were read first, and is left out.
    """
    rows = Event.objects.filter(conversation=conversation).order_by("seq")
    events = {turn: list(turn_rows) for turn, turn_rows in groupby(rows, lambda row: row.turn_id)}
    recordings = Recording.objects.filter(conversation=conversation).exclude(turn__in=events)
    spans = [(part[0].seq, part[-1].seq) for part in events.values()]
    last = _joined([*spans, *recordings.values_list("first_seq", "last_seq")])
    if len(branch) < len(tree.nodes):
        recordings = recordings.filter(turn__in=branch)
    recordings = recordings.filter(last_seq__lte=last).defer("body").order_by("-last_seq")
    parts: list[Iterable[TurnRecord]] = [
        [events[turn] for turn in reversed(events) if turn in branch],
        recordings.iterator(chunk_size=8),
    ]
    return last, map(_summary, merge(*parts, key=_first_seq, reverse=True))


def _joined(spans: list[tuple[int, int]]) -> int:
    """The last `seq` that is reached from the first without a gap."""
    end = 0
    for first, last in sorted(spans):
        if first == end + 1:
            end = last
    return end


def _first_seq(part: TurnRecord) -> int:
    return part.first_seq if isinstance(part, Recording) else part[0].seq


def _summary(part: TurnRecord) -> dict[str, Any]:
    if isinstance(part, Recording):
        snapshot: dict[str, Any] = json.loads(unsqueeze(part.snapshot))
        return snapshot
    return summary(part[0].turn_id, (event.data for event in part))


def queue(conversation: UUID) -> list[dict[str, Any]]:
    """The queued messages in order, by `id` and `text`, which is cut to its share of 64 KiB."""
    return _waiting(conversation, Q(turn__status=Turn.Status.QUEUED))


def _unrecorded(conversation: UUID) -> list[dict[str, Any]]:
    """The message of a running turn without events yet, which no snapshot has, and then the queue."""
    events = Event.objects.filter(conversation=conversation, turn=OuterRef("turn"))
    begins = Q(~Exists(events), turn__status=Turn.Status.RUNNING)
    return _waiting(conversation, Q(turn__status=Turn.Status.QUEUED) | begins)


def _waiting(conversation: UUID, condition: Q) -> list[dict[str, Any]]:
    rows = Message.objects.filter(condition, conversation=conversation, role=Message.Role.USER)
    messages = rows.order_by("turn__number")
    room = QUEUE_BYTES // max(1, len(messages))
    return [_as_queued(message, room) for message in messages]


def _as_queued(message: Message, room: int) -> dict[str, Any]:
    text, files = cut_bytes(plain_text(message.content), room)[0], facts(message.content)
    return {"id": str(message.public_id), "text": text} | ({"attachments": files} if files else {})
