"""Events on their way to the journal: neighbouring deltas are merged, lines become frames."""

import json
from dataclasses import dataclass

from conversations.protocol.agui.events import DELTA_BYTES, DELTA_KEYS, Event

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(slots=True)
class Line:
    """An event before its commit: `at` is its time in ms, `parts` has its deltas' times and lengths."""

    at: int
    event: Event
    key: str | None
    parts: list[tuple[int, int]]
    size: int = 0

    def merge(self, at: int, event: Event) -> bool:
        """Adds a neighbouring delta of the same block; returns False if there is no room."""
        delta = event["delta"]
        size = len(delta.encode())
        if self.size + size > DELTA_BYTES:
            return False
        if not self.parts:
            self.parts.append((0, len(self.event["delta"])))
            self.event = dict(self.event)
        self.parts.append((at - self.at, len(delta)))
        self.event["delta"] += delta
        self.size += size
        return True

    def frame(self, seq: int) -> str:
        """The JSON text that is stored and sent."""
        metadata = self.event.get("metadata")
        numbered = {**metadata, "seq": seq} if metadata else {"seq": seq}
        return encode({**self.event, "timestamp": self.at, "metadata": numbered})

    def boundaries(self) -> str:
        """The deltas' times (ms after the event's own) and lengths (code points) as JSON; blank for one."""
        return encode(self.parts) if self.parts else ""


def add(lines: list[Line], at: int, event: Event) -> None:
    """Adds an event to the lines of its turn, to the last one if both are deltas of one block."""
    member = DELTA_KEYS.get(event["type"])
    key = event[member] if member else None
    last = lines[-1] if lines else None
    if last and key and last.key == key and last.event["type"] == event["type"] and last.merge(at, event):
        return
    lines.append(Line(at, event, key, [], len(event["delta"].encode()) if key else 0))
