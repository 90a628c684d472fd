"""A running call's progress, from the tool's thread into the record."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from conversations.errors import InternalError
from conversations.protocol.agui import events

if TYPE_CHECKING:
    from conversations.journal import Record

INTERVAL = 0.25
"""Seconds between two reports of a call that are recorded, at least."""

SHARE = 0.02
"""The least interval as a share of the call's time so far: an hour of reports is 320 events."""


class Progress:
    """Records the newest report of a running call, at most one an interval, and none after its end."""

    def __init__(self, record: "Record", tool_use_id: str) -> None:
        self._record, self._call = record, tool_use_id
        self._loop = asyncio.get_running_loop()
        self._started = self._next = self._loop.time()
        self._newest: dict[str, Any] = {}
        self._is_due = self._is_over = False

    def report(self, value: dict[str, Any]) -> None:
        """Takes a report from any thread."""
        self._newest = value
        if self._is_due:
            return
        self._is_due = True
        with suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(self._plan)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Records the last report, which may still be due, and none from now on."""
        if error is None:
            self._show()
        self._is_over = True

    def _plan(self) -> None:
        self._loop.call_at(self._next, self._show)

    def _show(self) -> None:
        if self._is_over or not self._is_due:
            return
        self._is_due = False  # first: what is reported from here on is due again
        now = self._loop.time()
        self._next = now + max(INTERVAL, SHARE * (now - self._started))
        with suppress(InternalError):  # the turn hears of it with its next commit
            self._record.append(events.custom("progress", {"toolCallId": self._call, **self._newest}))
