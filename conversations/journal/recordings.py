"""A finished turn's events in one compact row: their frames with times, the merged deltas' boundaries, and what they add up to."""

import json
import zlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from conversations.models import Event, Recording, Turn
from conversations.protocol.snapshot import Snapshot

Frame = tuple[int, str]


def pack(turn: Turn) -> None:
    """Packs a finished turn's events into its recording; does nothing where there are none, or another process was faster."""
    events = list(Event.objects.filter(conversation=turn.conversation_id, turn=turn).order_by("seq"))
    if not events:
        return
    recording = Recording(
        turn=turn,
        conversation_id=turn.conversation_id,
        first_seq=events[0].seq,
        last_seq=events[-1].seq,
        body=squeeze("\n".join(f"{event.data}\t{event.parts}" for event in events)),
        snapshot=squeeze(json.dumps(summary(turn.pk, (event.data for event in events)))),
    )
    with transaction.atomic():
        Turn.objects.select_for_update(no_key=True).get(pk=turn.pk)
        if Recording.objects.filter(pk=turn.pk).exists():
            return
        recording.save(force_insert=True)
        Event.objects.filter(conversation=turn.conversation_id, seq__lte=events[-1].seq, turn=turn).delete()


def frames(recording: Recording) -> list[Frame]:
    """The recording's frames, numbered as they were."""
    lines = unsqueeze(recording.body).split("\n")
    return [(seq, line.split("\t", 1)[0]) for seq, line in enumerate(lines, recording.first_seq)]


def summary(turn: UUID, data: Iterable[str]) -> dict[str, Any]:
    """What a turn's frames add up to: `messages` and the turn's `state`."""
    snapshot = Snapshot(str(turn)).apply(json.loads(line) for line in data)
    return {"messages": snapshot.as_list(), "state": snapshot.state}


def squeeze(text: str) -> bytes:
    """Text as compressed UTF-8."""
    return zlib.compress(text.encode())


def unsqueeze(data: bytes | memoryview) -> str:
    """The text that was compressed."""
    return zlib.decompress(data).decode()
