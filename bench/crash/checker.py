"""The promises, checked against what clients saw, what is stored, and what the tools did.

Every difference is a violation.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ag_ui_validate.pytest_plugin import validate_agui

from .reader import Connection, Reader
from .store import Call, Turn

Frames = list[tuple[int, str]]
Record = dict[str, Frames]
Event = dict[str, Any]
CONTENT = ("TEXT_MESSAGE_CONTENT", "REASONING_MESSAGE_CONTENT")
ENDS = ("RUN_FINISHED", "RUN_ERROR")
ORDER = re.compile(r'"order": *"([^"]+)"')


def check_record(conversation: str, frames: Frames) -> Iterator[str]:
    """Checks that a record is numbered from 1 without a gap, ends every run once, and is valid AG-UI."""
    if [seq for seq, _ in frames] != list(range(1, len(frames) + 1)):
        yield f"{conversation}: the stored record has a gap or a number twice"
    events = [json.loads(text) for _, text in frames]
    starts = [event["runId"] for event in events if event["type"] == "RUN_STARTED"]
    ends = sum(event["type"] in ENDS for event in events)
    if len(set(starts)) != len(starts) or len(starts) != ends:
        yield f"{conversation}: {len(starts)} runs of {len(set(starts))} turns started and {ends} ended"
    report = validate_agui(events, severity_overrides={"AGUI204": "off"})
    for diagnostic in report.diagnostics:
        if str(diagnostic.severity) == "error":
            yield f"{conversation}: {diagnostic.message}"
    yield from _check_rounds(conversation, events)


def _check_rounds(conversation: str, events: list[Event]) -> Iterator[str]:
    """Checks that a round which begins again was marked as interrupted before."""
    whole: bool | None = None
    current = ""
    for event in events:
        if event["type"] == "STEP_STARTED":
            if event["stepName"] == current and whole:
                yield f"{conversation}: {current} was run again after it was complete"
            current, whole = event["stepName"], None
        elif event["type"] == "STEP_FINISHED":
            whole = not event["metadata"].get("interrupted")
        elif event["type"] == "RUN_STARTED":
            current, whole = "", None


def check_turns(turns: Iterable[Turn]) -> Iterator[str]:
    """Checks that every turn has ended."""
    for turn in turns:
        if turn.finished is None or turn.status in ("queued", "running", "waiting"):
            yield f"{turn.conversation}: turn {turn.id} is left {turn.status}"
        if turn.attempts > 3:
            yield f"{turn.conversation}: turn {turn.id} was begun {turn.attempts} times"


def check_messages(reader: Reader, stored: Sequence[str]) -> Iterator[str]:
    """Checks that every message that was sent is stored once."""
    counts = Counter(stored)
    for message in reader.sent:
        if counts[message] != 1:
            yield f"{reader.conversation}: message {message} is stored {counts[message]} times"
    for refusal in reader.refusals:
        if refusal["code"] == "internal":  # it was sent again
            continue
        yield f"{reader.conversation}: a message was refused: {refusal['code']}"


def check_reader(reader: Reader, frames: Frames) -> Iterator[str]:
    """Checks that frames are stored as a client got them, and came once and in order on a connection."""
    record = dict(frames)
    for connection in reader.connections:
        for seq, text in connection.frames:
            if record.get(seq) != text:
                yield f"{reader.conversation}: frame {seq} was shown but is stored otherwise"
        yield from _check_order(reader.conversation, connection)
        if connection.snapshot is not None:
            yield from check_snapshot(reader.conversation, connection.snapshot, frames)


def _check_order(conversation: str, connection: Connection) -> Iterator[str]:
    numbers = [seq for seq, _ in connection.frames]
    start = connection.after
    if connection.snapshot is not None:
        start = json.loads(connection.snapshot)["metadata"]["seq"]
    elif start is None and numbers:
        yield f"{conversation}: a connection without a cursor got no snapshot"
        return
    if start is not None and numbers != list(range(start + 1, start + 1 + len(numbers))):
        yield f"{conversation}: after {start} came {numbers[:3]}...{numbers[-3:]}"


def check_snapshot(conversation: str, snapshot: str, frames: Frames) -> Iterator[str]:
    """Checks that a snapshot has all messages of the record until then, with the same texts."""
    event = json.loads(snapshot)
    recorded = texts(frames, event["metadata"]["seq"])
    snapshot_texts = {message["id"]: message.get("content", "") for message in event["messages"]}
    if event["metadata"].get("before") is None:
        missing = [message for message in recorded if message not in snapshot_texts]
        if missing:
            yield f"{conversation}: a snapshot lacks {len(missing)} messages"
    for message, text in snapshot_texts.items():
        if message in recorded and recorded[message] != text:
            yield f"{conversation}: a snapshot shows {len(text)} of {len(recorded[message])} characters of {message}"


def texts(frames: Frames, until: int) -> dict[str, str]:
    """The texts of a record up to a number, by message."""
    deltas: dict[str, list[str]] = defaultdict(list)
    for _, text in frames[:until]:
        event = json.loads(text)
        if event["type"] in CONTENT:
            deltas[event["messageId"]].append(event["delta"])
        elif event["type"] == "TEXT_MESSAGE_START":
            deltas[event["messageId"]] += []
    return {message: "".join(parts) for message, parts in deltas.items()}


def check_effects(traces: Iterable[tuple[str, str, str]], calls: Iterable[Call]) -> Iterator[str]:
    """Checks that orders were charged once at most, and that successful calls have left their traces."""
    keys: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, order, key in traces:
        keys[name, order].append(key)
    for (name, order), used in keys.items():
        if name == "charge" and len(used) > 1:
            yield f"{order} was charged {len(used)} times"
        if len(set(used)) > 1:
            yield f"{name} of {order} ran under {len(set(used))} keys"
    for call in calls:
        order_match = ORDER.search(call.arguments)
        if call.status == "success" and order_match and not keys[call.name, order_match[1]]:
            yield f"{call.name} of {order_match[1]} is said to have succeeded, but did not happen"
        if call.status not in ("success", "error"):
            yield f"{call.conversation}: a call of {call.name} is left {call.status}"
