"""A conversation as a player reads it: its moments, its turns' outlines, lines and ends."""

import json
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from typing import Any
from uuid import UUID

from conversations.journal import turn_frames
from conversations.journal.recordings import body, event_rows, summary, unsqueeze
from conversations.models import Conversation, Event, Recording, Turn
from conversations.protocol.agui.timeline import Moment, timeline

from .outline import outline

TurnLines = tuple[UUID, int, int, list[str]]
"""A turn, its first and last `seq`, and its stored lines."""

MOST_ENDS = 50
"""Turns whose ends are read at a time."""


def moments(conversation: Conversation) -> Iterator[Moment]:
    """The moments of a conversation, turn by turn, read as they are iterated."""
    for turn in conversation.turns.order_by("number").iterator(chunk_size=8):
        yield from timeline(turn_frames(turn))


def index(conversation: Conversation) -> dict[str, Any]:
    """Each turn on record, in order: its number, its parent, its place in the record, and its outline."""
    rows = {
        pk: (number, parent)
        for pk, number, parent in conversation.turns.values_list("pk", "number", "parent")
    }
    turns: list[dict[str, Any]] = []
    end = 0
    for turn, first, last, lines in _turn_lines(conversation):
        timing = outline(lines, after=end)
        end = timing.end
        number, parent = rows.get(turn, (0, None))
        place = {"id": str(turn), "number": number, "parent": str(parent) if parent else None}
        place |= {"first": first, "last": last}
        turns.append(place | timing.as_json())
    running = conversation.turns.filter(status__in=Turn.ACTIVE).values_list("pk", flat=True)
    return {"turns": turns, "running": [str(pk) for pk in running]}


def compressed_lines(turn: Turn) -> bytes:
    """The turn's stored lines, `frame TAB boundaries` each, compressed with zlib.

    For a packed turn these are the very bytes of its row.
    """
    if rows := list(event_rows(turn).values_list("data", "parts")):
        return body(rows)
    packed = Recording.objects.filter(pk=turn.pk).values_list("body", flat=True).first()
    return bytes(packed or body(()))


def ends(conversation: Conversation, first: int, last: int) -> str:
    """The messages and state at the end of each turn whose last event is in a range of the record.

    They are JSON, a list of `{messages, state}`, the last fifty at most.
    """
    events = Event.objects.filter(conversation=conversation, seq__range=(first, last)).order_by("seq")
    snapshots = {
        rows[0].seq: json.dumps(summary(turn, (row.data for row in rows)))
        for turn, rows in ((turn, list(group)) for turn, group in groupby(events, lambda row: row.turn_id))
    }
    packed = Recording.objects.filter(conversation=conversation, last_seq__range=(first, last))
    newest = packed.order_by("-last_seq").values_list("first_seq", "snapshot")[:MOST_ENDS]
    snapshots |= {seq: unsqueeze(snapshot) for seq, snapshot in newest}
    return f"[{','.join(snapshots[seq] for seq in sorted(snapshots)[-MOST_ENDS:])}]"


def _turn_lines(conversation: Conversation) -> Iterator[TurnLines]:
    """The turns on record, oldest first.

    Events are read first, and a turn that is packed meanwhile is left out of the recordings.
    """
    rows = Event.objects.filter(conversation=conversation).order_by("seq")
    unpacked_events = {turn: list(events) for turn, events in groupby(rows, lambda row: row.turn_id)}
    packed = (
        Recording.objects.filter(conversation=conversation)
        .exclude(turn__in=unpacked_events)
        .order_by("first_seq")
    )
    recordings = packed.defer("snapshot").iterator(chunk_size=8)
    yield from merge(
        map(_unpacked, unpacked_events.items()), map(_packed, recordings), key=lambda part: part[1]
    )


def _unpacked(item: tuple[UUID, list[Event]]) -> TurnLines:
    turn, events = item
    return turn, events[0].seq, events[-1].seq, [f"{event.data}\t{event.parts}" for event in events]


def _packed(recording: Recording) -> TurnLines:
    return recording.turn_id, recording.first_seq, recording.last_seq, unsqueeze(recording.body).split("\n")
