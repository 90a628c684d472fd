"""A page that reads a record over a bad line: the rules of the client, in Python."""

import copy
import json
from typing import Any

from conversations.protocol.agui.events import Event
from conversations.protocol.agui.snapshot import Snapshot
from tests.reducing.record import Record

BEFORE_A_STEP = ("user", "tool")
"""The roles of messages that a step never begins with."""


class Resumed(Snapshot):
    """A turn that goes on from its state in a MESSAGES_SNAPSHOT."""

    def __init__(self, state: dict[str, Any], messages: list[dict[str, Any]]) -> None:
        super().__init__(state["id"])
        self.state = state
        for message in messages:
            self.messages[message["id"]] = message
            self._texts[message["id"]] = [_text(message)] if message["role"] != "activity" else []
            was_before = message["role"] in BEFORE_A_STEP or message["metadata"].get("interrupted")
            self._step_messages = [] if was_before else [*self._step_messages, message["id"]]


def _text(message: dict[str, Any]) -> str:
    if "toolCalls" in message:
        return str(message["toolCalls"][0]["function"]["arguments"])
    return str(message["content"])


class Reader:
    """One tab: the frames on its line, its cursor and its turns. `frames` is every frame that arrived."""

    def __init__(self, record: Record) -> None:
        self.record, self.cursor = record, 0
        self.turns: dict[str, Snapshot] = {}
        self.line: list[Event] = []
        self.sent = 0
        self.frames: list[Event] = []

    def push(self) -> None:
        """The server sends what was written since."""
        self.line += self.record.events[self.sent :]
        self.sent = len(self.record.events)

    def reconnect(self, after: int | None = None) -> None:
        """A new socket: frames on the line are lost, those after `after` (else the cursor) come."""
        self.sent, self.line = self.cursor if after is None else after, []
        self.push()

    def resynchronise(self) -> None:
        """A new socket that begins with a snapshot."""
        self.sent = len(self.record.events)
        page = copy.deepcopy(self.record.page())
        self.line = [page.event()]

    def deliver(self, number: int) -> None:
        """The next frames arrive; after a gap the tab reconnects by itself."""
        for _ in range(min(number, len(self.line))):
            if not self.line:
                return
            frame = self.line.pop(0)
            self.frames.append(json.loads(json.dumps(frame)))
            outcome = self._take(frame)
            if outcome == "gap":
                self.reconnect()
            elif outcome == "stale":
                self.resynchronise()

    def _take(self, frame: Event) -> str:
        seq = frame["metadata"]["seq"]
        if frame["type"] == "MESSAGES_SNAPSHOT":
            self._start_over(copy.deepcopy(frame))  # it may come again
        elif seq > self.cursor + 1:
            return "gap"
        elif seq == self.cursor + 1 and frame.get("parentRunId", "") not in ["", *self.turns]:
            return "stale"  # it goes on from a turn of another branch
        elif seq == self.cursor + 1:
            self._apply(frame)
        return "taken"

    def _start_over(self, frame: Event) -> None:
        self.cursor = frame["metadata"]["seq"]
        of = {state["id"]: [] for state in frame["metadata"]["turns"]}  # type: dict[str, list[Any]]
        for message in frame["messages"]:
            of[message["metadata"]["turn"]].append(message)
        self.turns = {state["id"]: Resumed(state, of[state["id"]]) for state in frame["metadata"]["turns"]}

    def _apply(self, event: Event) -> None:
        self.cursor += 1
        if event["type"] == "RUN_STARTED" and ":" not in event["runId"]:
            self._begin(event)
        list(self.turns.values())[-1].apply([event])

    def _begin(self, event: Event) -> None:
        """Begins a turn; if it does not follow on the last, it replaces the turns behind its parent."""
        turn, branch = event["runId"], list(self.turns)
        parent, is_root = event.get("parentRunId"), "parent" in event["metadata"]
        parents = [] if is_root else branch[: branch.index(parent) + 1] if parent else branch
        new = Snapshot(turn)
        if others := branch[len(parents) :]:
            new.state["versions"] = [*self.turns[others[0]].state.get("versions", others[:1]), turn]
        self.turns = {turn_id: self.turns[turn_id] for turn_id in parents} | {turn: new}

    def view(self) -> dict[str, Any]:
        """The state of the tab."""
        snapshots = self.turns.values()
        messages = [message for snapshot in snapshots for message in snapshot.as_list()]
        return {
            "cursor": self.cursor,
            "messages": messages,
            "turns": [snapshot.state for snapshot in snapshots],
        }


def fresh(record: Record, seq: int | None = None) -> dict[str, Any]:
    """The state of a page that is opened now, or was opened at `seq`."""
    page = record.page(seq)
    return {"cursor": page.seq, "messages": page.messages, "turns": page.turns}
