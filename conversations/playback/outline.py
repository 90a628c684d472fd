"""What a player has to know of a turn before it plays it: when it began and ended, its moments of note, its long waits."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from conversations.protocol.agui.events import DELTA_KEYS, Event
from conversations.protocol.agui.timeline import LONGEST_PAUSE

Mark = tuple[str, int, str, str]
"""What is marked (`round`, `call` or `error`), when, its name, and a tool call's id."""

TITLE_LENGTH = 80
DELTAS = tuple(f'{{"type":"{kind}",' for kind in DELTA_KEYS)
STAMP = '"timestamp":'  # none is in a text, where a quote has a backslash before it
ENDS = ("RUN_FINISHED", "RUN_ERROR")


@dataclass(slots=True)
class Wait:
    """A pause, the key of what it came before on the page, and whether it was a person's and not the model's or a tool's."""

    begin: int
    end: int
    key: str = ""
    is_idle: bool = False


@dataclass(slots=True)
class Outline:
    """One turn's; times are ms since 1970 and never go backwards, whatever the clock did that they come from."""

    begin: int = 0
    end: int = 0
    question: str = ""
    marks: list[Mark] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    _is_over: bool = False  # between two runs as well, while it waits for a person

    def as_json(self) -> dict[str, Any]:
        """What the player is told."""
        waits = [(wait.begin, wait.end, wait.key, wait.is_idle) for wait in self.waits]
        told = {"begin": self.begin, "end": self.end, "question": self.question}
        return told | {"marks": self.marks, "waits": waits}

    def take(self, event: Event, parts: str) -> None:
        """Goes on to an event, and to the end of its merged deltas; notes what is to be marked."""
        at = self._reach(event["timestamp"])
        for offset, _ in json.loads(parts or "[]"):
            self._reach(event["timestamp"] + offset)
        self._name_waits(event)
        if mark := NOTES.get(event["type"], _nothing)(event):
            self.marks.append((mark[0], at, mark[1], event.get("toolCallId", "")))
        self.question = self.question or event.get("delta", "")[:TITLE_LENGTH]
        self._is_over = event["type"] in ENDS or (self._is_over and event["type"] != "RUN_STARTED")

    def _reach(self, at: int) -> int:
        at = max(at, self.end)
        if at - self.end > LONGEST_PAUSE:
            self.waits.append(Wait(self.end, at, is_idle=self._is_over))
        self.end = at
        return at

    def _name_waits(self, event: Event) -> None:
        """Notes what on the page the waits so far came before."""
        call = event.get("toolCallId")
        key = f"call:{call}" if call else event.get("messageId", "")
        for wait in reversed(self.waits):
            if wait.key or not key:
                return
            wait.key = key


def outline(lines: Iterable[str], after: int = 0) -> Outline:
    """The outline of a turn that begins at `after` (ms) at the earliest, from its stored lines, `frame TAB boundaries` each."""
    found = Outline()
    for line in lines:
        if found.question and line[-1] == "\t" and line.startswith(DELTAS):
            stamp = line.rpartition(STAMP)[2].partition(",")[0]
            if stamp.isdecimal() and found.end <= int(stamp) <= found.end + LONGEST_PAUSE:
                found.end = int(stamp)  # nearly all that there is: a delta that tells no more than its time
                continue
        data, _, parts = line.rpartition("\t")
        event = json.loads(data)
        if not found.end:
            found.begin = found.end = max(event["timestamp"], after)
        found.take(event, parts)
    return found


def _nothing(event: Event) -> None:
    return None


def _result(event: Event) -> tuple[str, str] | None:
    failed = event["metadata"]["status"] == "error"
    return ("error", f"Tool call failed: {event['content'][:TITLE_LENGTH]}") if failed else None


def _step_finished(event: Event) -> tuple[str, str] | None:
    return ("error", "Interrupted") if event.get("metadata", {}).get("interrupted") else None


NOTES: dict[str, Callable[[Event], tuple[str, str] | None]] = {
    "STEP_STARTED": lambda event: ("round", event["stepName"]),
    "STEP_FINISHED": _step_finished,
    "TOOL_CALL_START": lambda event: ("call", event["toolCallName"]),
    "TOOL_CALL_RESULT": _result,
    "RUN_ERROR": lambda event: ("error", event["message"][:TITLE_LENGTH]),
}
