"""What plays a conversation: its moments, the outline of all turns, a turn's stored lines, and what turns had come to when they ended."""

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

Part = tuple[UUID, int, int, list[str]]
"""A turn, its first and last `seq`, and its stored lines."""

MOST_ENDS = 50
"""Turns whose ends are told at a time."""


def moments(conversation: Conversation) -> Iterator[Moment]:
    """What happened in a conversation, turn by turn, each event at its time; read as it is asked for."""
    for turn in conversation.turns.order_by("number").iterator(chunk_size=8):
        yield from timeline(turn_frames(turn))


def index(conversation: Conversation) -> dict[str, Any]:
    """Each turn that is on record, in order: its number, what it followed on, where it lies in the record, and its outline."""
    rows = {
        pk: (number, parent)
        for pk, number, parent in conversation.turns.values_list("pk", "number", "parent")
    }
    told: list[dict[str, Any]] = []
    end = 0
    for turn, first, last, lines in _parts(conversation):
        found = outline(lines, after=end)
        end = found.end
        number, parent = rows.get(turn, (0, None))
        known = {"id": str(turn), "number": number, "parent": str(parent) if parent else None}
        place = known | {"first": first, "last": last}
        told.append(place | found.as_json())
    running = conversation.turns.filter(status__in=Turn.ACTIVE).values_list("pk", flat=True)
    return {"turns": told, "running": [str(pk) for pk in running]}


def squeezed(turn: Turn) -> bytes:
    """The turn's stored lines, `frame TAB boundaries` each, compressed with zlib: of a packed turn, the very bytes of its row."""
    if rows := list(event_rows(turn).values_list("data", "parts")):
        return body(rows)
    packed = Recording.objects.filter(pk=turn.pk).values_list("body", flat=True).first()
    return bytes(packed or body(()))


def ends(conversation: Conversation, first: int, last: int) -> str:
    """What the turns with a `seq` from `first` to `last` had come to, as JSON: a list of `{messages, state}`, the last fifty at most."""
    events = Event.objects.filter(conversation=conversation, seq__range=(first, last)).order_by("seq")
    found = {
        rows[0].seq: json.dumps(summary(turn, (row.data for row in rows)))
        for turn, rows in ((turn, list(group)) for turn, group in groupby(events, lambda row: row.turn_id))
    }
    packed = Recording.objects.filter(conversation=conversation, last_seq__range=(first, last))
    newest = packed.order_by("-last_seq").values_list("first_seq", "snapshot")[:MOST_ENDS]
    found |= {seq: unsqueeze(snapshot) for seq, snapshot in newest}
    return f"[{','.join(found[seq] for seq in sorted(found)[-MOST_ENDS:])}]"


def _parts(conversation: Conversation) -> Iterator[Part]:
    """The turns on record, oldest first. Events are read first: a turn that is packed meanwhile is left out of the recordings."""
    rows = Event.objects.filter(conversation=conversation).order_by("seq")
    said = {turn: list(events) for turn, events in groupby(rows, lambda row: row.turn_id)}
    packed = Recording.objects.filter(conversation=conversation).exclude(turn__in=said).order_by("first_seq")
    recordings = packed.defer("snapshot").iterator(chunk_size=8)
    yield from merge(map(_unpacked, said.items()), map(_packed, recordings), key=lambda part: part[1])


def _unpacked(said: tuple[UUID, list[Event]]) -> Part:
    turn, events = said
    return turn, events[0].seq, events[-1].seq, [f"{event.data}\t{event.parts}" for event in events]


def _packed(recording: Recording) -> Part:
    return recording.turn_id, recording.first_seq, recording.last_seq, unsqueeze(recording.body).split("\n")
