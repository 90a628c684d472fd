"""The outline of a turn: the times, marks and long waits that a player shows before it plays."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from conversations.protocol.agui.events import DELTA_KEYS, Event
from conversations.protocol.agui.timeline import LONGEST_PAUSE
from conversations.protocol.text import beginning

Mark = tuple[str, int, str, str]
"""A mark's kind (`round`, `call` or `error`), its time, its name, and a tool call's id."""

TITLE_LENGTH = 80
DELTAS = tuple(f'{{"type":"{kind}",' for kind in DELTA_KEYS)
STAMP = '"timestamp":'  # none is in a text, where a quote has a backslash before it
ENDS = ("RUN_FINISHED", "RUN_ERROR")


@dataclass(slots=True)
class LongPause:
    """A long pause.

    `key` names the block of the page that came after it. `is_idle` says that a person made the pause, and no model or tool.
    """

    begin: int
    end: int
    key: str = ""
    is_idle: bool = False


@dataclass(slots=True)
class Outline:
    """The outline of a turn. Times are ms since 1970 and never go backwards, whatever the clock did."""

    begin: int = 0
    end: int = 0
    question: str = ""
    marks: list[Mark] = field(default_factory=list)
    waits: list[LongPause] = field(default_factory=list)
    _is_over: bool = False  # between two runs as well, while it waits for a person

    def as_json(self) -> dict[str, Any]:
        """The outline as the player gets it."""
        waits = [(wait.begin, wait.end, wait.key, wait.is_idle) for wait in self.waits]
        times = {"begin": self.begin, "end": self.end}
        return times | {"question": self.question, "marks": self.marks, "waits": waits}

    def take(self, event: Event, parts: str) -> None:
        """Takes in an event: its time, the times of the deltas that were merged into it, and its mark."""
        at = self._reach(event["timestamp"])
        for offset, _ in json.loads(parts or "[]"):
            self._reach(event["timestamp"] + offset)
        self._name_waits(event)
        if mark := _mark(event):
            self.marks.append((mark[0], at, mark[1], event.get("toolCallId", "")))
        self.question = self.question or beginning(event.get("delta", ""), TITLE_LENGTH)
        self._is_over = event["type"] in ENDS or (self._is_over and event["type"] != "RUN_STARTED")

    def _reach(self, at: int) -> int:
        at = max(at, self.end)
        if at - self.end > LONGEST_PAUSE:
            self.waits.append(LongPause(self.end, at, is_idle=self._is_over))
        self.end = at
        return at

    def _name_waits(self, event: Event) -> None:
        """Sets the key of the waits that the event follows."""
        call = event.get("toolCallId")
        key = f"call:{call}" if call else event.get("messageId", "")
        for wait in reversed(self.waits):
            if wait.key or not key:
                return
            wait.key = key


def outline(lines: Iterable[str], after: int = 0) -> Outline:
    """The outline of a turn from its stored lines, `frame TAB boundaries` each.

    `after` is the earliest time, in ms, at which it begins.
    """
    outline = Outline()
    for line in lines:
        if outline.question and line[-1] == "\t" and line.startswith(DELTAS):
            stamp = line.rpartition(STAMP)[2].partition(",")[0]
            if stamp.isdecimal() and outline.end <= int(stamp) <= outline.end + LONGEST_PAUSE:
                outline.end = int(stamp)  # nearly every line: a delta of which only the time counts
                continue
        data, _, parts = line.rpartition("\t")
        event = json.loads(data)
        if not outline.end:
            outline.begin = outline.end = max(event["timestamp"], after)
        outline.take(event, parts)
    return outline


def _mark(event: Event) -> tuple[str, str] | None:
    """The kind and name of an event's mark, if it has one."""
    match event["type"]:
        case "STEP_STARTED":
            return "round", event["stepName"]
        case "STEP_FINISHED" if event.get("metadata", {}).get("interrupted"):
            return "error", "Interrupted"
        case "TOOL_CALL_START" if not event.get("metadata", {}).get("repeated"):
            return "call", event["toolCallName"]
        case "TOOL_CALL_RESULT" if event["metadata"]["status"] == "error":
            return "error", f"Tool call failed: {beginning(event['content'], TITLE_LENGTH)}"
        case "RUN_ERROR":
            return "error", beginning(event["message"], TITLE_LENGTH)
    return None
