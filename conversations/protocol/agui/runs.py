"""A record's frames -> the frames of its runs as a strict AG-UI client reads them."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from .events import Event

RUN_ENDS = ("RUN_FINISHED", "RUN_ERROR")
FREQUENT = tuple(
    f'{{"type":"{kind}",'
    for kind in ("TEXT_MESSAGE_CONTENT", "REASONING_MESSAGE_CONTENT", "TOOL_CALL_ARGS", "TEXT_MESSAGE_END")
)
"""The beginnings of the frames that are nearly all of a record, and are passed on unparsed."""

NULL = ":null"


@dataclass
class RunView:
    """The part of a record that a client gets: the runs of these turns, or else one run alone.

    A client that sends the user's messages itself is not shown them again.
    """

    turns: Collection[str] = ()
    run: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    """The clients' names of runs, by their ids in the record."""

    has_user_messages: bool = False
    open_run: str = ""
    """The id of the run that the record is in, whether it is shown or not."""

    ended: set[str] = field(default_factory=set)
    """The ids of the runs that have ended."""

    _user_message: str = ""

    def frame(self, text: str) -> str | None:
        """The frame as the client reads it, None for one that it does not."""
        if text.startswith(FREQUENT) and NULL not in text and not self._user_message:
            return text if self._is_shown() else None
        event: Event = json.loads(text)
        is_user_message = self._is_of_user_message(event)
        if event["type"] == "RUN_STARTED":
            self.open_run = event["runId"]
        is_shown = self._is_shown() and (self.has_user_messages or not is_user_message)
        if event["type"] in RUN_ENDS:
            self.ended.add(self.open_run)
            self.open_run = ""
        if not is_shown:
            return None
        return json.dumps(without_nulls(self._named(event)), ensure_ascii=False, separators=(",", ":"))

    def _is_shown(self) -> bool:
        return self.open_run == self.run if self.run else self.open_run.partition(":")[0] in self.turns

    def _is_of_user_message(self, event: Event) -> bool:
        """Whether the event is a part of the user's message, whose beginning and end it takes note of."""
        message = event.get("messageId", "")
        if event["type"] == "TEXT_MESSAGE_START" and event["role"] == "user":
            self._user_message = message
        is_part = bool(message) and message == self._user_message
        if is_part and event["type"] == "TEXT_MESSAGE_END":
            self._user_message = ""
        return is_part

    def _named(self, event: Event) -> Event:
        ids = {name: event[name] for name in ("runId", "parentRunId") if name in event}
        return event | {name: self.names.get(value, value) for name, value in ids.items()}


def without_nulls(value: Any) -> Any:
    """The value without members that are null, which AG-UI's clients refuse."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value
