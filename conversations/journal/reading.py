"""Reading on from a `seq`, packed turns included, and the snapshot that a page begins with."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Max

from conversations.models import Conversation, Event, Message, Recording, Turn
from conversations.protocol.content import plain_text

from .recordings import Frame, frames, summary, unsqueeze

READ_BYTES = 256 * 1024
READ_EVENTS = 2_000
SNAPSHOT_BYTES = 512 * 1024


def head(conversation: UUID) -> int:
    """The conversation's last `seq`, 0 before the first event."""
    events = Event.objects.filter(conversation=conversation).aggregate(last=Max("seq"))["last"]
    packed = Recording.objects.filter(conversation=conversation).aggregate(last=Max("last_seq"))["last"]
    return max(events or 0, packed or 0)


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

    Events come first: a turn that is packed between the two queries is then found in its recording.
    """
    rows = Event.objects.filter(conversation=conversation, seq__gt=after).order_by("seq")
    events = list(rows.values_list("seq", "data")[:READ_EVENTS])
    if events and events[0][0] == after + 1:
        return _at_most(READ_BYTES, events)
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

    def event(self) -> dict[str, Any]:
        """The page as the AG-UI event that a socket without a cursor begins with."""
        metadata = {"seq": self.seq, "turns": self.turns, "queue": self.queue}
        older = {"before": self.before} if self.before else {}
        return {"type": "MESSAGES_SNAPSHOT", "messages": self.messages, "metadata": metadata | older}


def page(conversation: Conversation, before: str | None = None) -> Page:
    """The conversation's newest messages up to 512 KiB, or those before the message with the id `before`."""
    seq, summaries = _newest_first(conversation)
    found = Page(seq, queue=queue(conversation.pk))
    room, skipping = SNAPSHOT_BYTES, before is not None
    for told in summaries:
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
    """Puts a turn's messages before those that are there, newest first, while there is room."""
    for message in reversed(messages):
        size = len(json.dumps(message, ensure_ascii=False).encode())
        if size > room and found.messages:
            found.before = found.messages[0]["id"]
            return 0
        found.messages.insert(0, message if size <= room else _cut(message, room))
        room -= size
    found.turns.insert(0, state)
    return room


def _cut(message: dict[str, Any], room: int) -> dict[str, Any]:
    """A message too large for any snapshot, cut at its front: JSON escapes make at most six bytes of one."""
    content = str(message.get("content", "")).encode()[-room // 6 :].decode(errors="ignore")
    return message | {"content": content, "metadata": message.get("metadata", {}) | {"cut": True}}


def _newest_first(conversation: Conversation) -> tuple[int, Iterator[dict[str, Any]]]:
    events = list(Event.objects.filter(conversation=conversation).order_by("seq"))
    packed = Recording.objects.filter(conversation=conversation).order_by("-last_seq")
    if events:
        packed = packed.filter(last_seq__lt=events[0].seq)
    newest = packed.values_list("last_seq", flat=True).first() or 0
    return events[-1].seq if events else newest, _summaries(events, packed.filter(last_seq__lte=newest))


def _summaries(events: list[Event], packed: Any) -> Iterator[dict[str, Any]]:
    turns = [(turn, [row.data for row in rows]) for turn, rows in groupby(events, lambda row: row.turn_id)]
    for turn, data in reversed(turns):
        yield summary(turn, data)
    for recording in packed.iterator(chunk_size=8):
        yield json.loads(unsqueeze(recording.snapshot))


def queue(conversation: UUID) -> list[dict[str, Any]]:
    """The messages that wait for a running turn to end, in order: `id` and `text`."""
    waiting = Message.objects.filter(
        conversation=conversation, role=Message.Role.USER, turn__status=Turn.Status.QUEUED
    ).order_by("turn__number")
    return [{"id": str(message.public_id), "text": plain_text(message.content)} for message in waiting]
