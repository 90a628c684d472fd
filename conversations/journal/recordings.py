"""A finished turn's events in one compact row: frames, the boundaries of merged deltas, a summary."""

import json
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from conversations.models import Event, Recording, Turn
from conversations.protocol.agui.snapshot import Snapshot

Frame = tuple[int, str]


def pack(turn: Turn) -> None:
    """Packs a finished turn's events into its recording, unless there are none or another process has."""
    events = list(event_rows(turn).values_list("seq", "data", "parts"))
    if not events:
        return
    first, last = events[0][0], events[-1][0]
    recording = Recording(
        turn=turn,
        conversation_id=turn.conversation_id,
        first_seq=first,
        last_seq=last,
        body=body((data, parts) for _, data, parts in events),
        snapshot=squeeze(json.dumps(summary(turn.pk, (data for _, data, _ in events)))),
    )
    with suppress(IntegrityError), transaction.atomic():
        recording.save(force_insert=True)
        Event.objects.filter(conversation=turn.conversation_id, seq__lte=last, turn=turn).delete()


def frames(recording: Recording) -> list[Frame]:
    """The recording's frames, numbered as they were."""
    return [(seq, data) for seq, (data, _) in enumerate(_lines(recording), recording.first_seq)]


def turn_frames(turn: Turn) -> list[tuple[str, str]]:
    """A turn's frames, packed or not yet, with their deltas' boundaries as JSON, blank for one delta."""
    if rows := list(event_rows(turn).values_list("data", "parts")):
        return rows
    recording = Recording.objects.filter(pk=turn.pk).first()
    return _lines(recording) if recording else []


def event_rows(turn: Turn) -> QuerySet[Event]:
    """The turn's events that are not packed, in order."""
    return Event.objects.filter(conversation=turn.conversation_id, turn=turn).order_by("seq")


def body(lines: Iterable[tuple[str, str]]) -> bytes:
    """A recording's body: frames with their boundaries, a line each."""
    return squeeze("\n".join("\t".join(line) for line in lines))


def _lines(recording: Recording) -> list[tuple[str, str]]:
    lines = [line.partition("\t") for line in unsqueeze(recording.body).split("\n")]
    return [(data, parts) for data, _, parts in lines]


def summary(turn: UUID, data: Iterable[str]) -> dict[str, Any]:
    """The `messages` and the turn's `state` that its frames add up to."""
    snapshot = Snapshot(str(turn)).apply(json.loads(line) for line in data)
    return {"messages": snapshot.as_list(), "state": snapshot.state}


def squeeze(text: str) -> bytes:
    """Text as compressed UTF-8."""
    return zlib.compress(text.encode())


def unsqueeze(data: bytes | memoryview) -> str:
    """The text that was compressed."""
    return zlib.decompress(data).decode()
