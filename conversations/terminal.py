"""A record in the terminal: a cursor on the journal, like a socket."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import OutputWrapper

from conversations.journal import Frame, read

LOOK_EVERY = 0.5
CONTROLS = {*range(32), *range(127, 160)} - {ord("\n"), ord("\t")}
UNPRINTABLE = dict.fromkeys(CONTROLS, "\N{REPLACEMENT CHARACTER}")
"""What a terminal may take for a command: a model's words move no cursor and set no title."""


class Terminal:
    """Prints a conversation's text as it is committed, and a line for each tool call."""

    def __init__(self, conversation: UUID, cursor: int, out: OutputWrapper) -> None:
        self._conversation, self._cursor, self._out = conversation, cursor, out
        self._news = threading.Event()
        self._calls: dict[str, str] = {}
        self._arguments: dict[str, str] = {}
        self._answers: set[str] = set()
        self._at_line_start = True
        self._has_begun = False

    def frames(self, frames: list[Frame]) -> None:
        """Hears that there is something to read."""
        self._news.set()

    def news(self, seq: int) -> None:
        """Hears that there is something to read."""
        self._news.set()

    def notice(self, text: str) -> None:
        """Passes over what is no part of the record."""

    def follow(self, run: str, meanwhile: Callable[[], None] = lambda: None) -> str | None:
        """Prints what is said until the run ends; its error's text, if it failed. Goes on where it was when it is called again.

        Calls `meanwhile` whenever nothing has come for half a second.
        """
        for event in self._events(meanwhile):
            self._has_begun = self._has_begun or event.get("runId") == run
            if self._has_begun and event["type"] in ("RUN_FINISHED", "RUN_ERROR"):
                message: str | None = event.get("message")
                return message
            show = SHOWN.get(event["type"])
            if self._has_begun and show is not None:
                show(self, event)
        return None

    def _events(self, meanwhile: Callable[[], None]) -> Iterator[dict[str, Any]]:
        """The record's events from the cursor on, for ever."""
        while True:
            has_news = self._news.wait(LOOK_EVERY)
            self._news.clear()
            while frames := read(self._conversation, self._cursor):
                has_news = True
                for self._cursor, data in frames:
                    yield json.loads(data)
            if not has_news:
                meanwhile()

    def _write(self, text: str) -> None:
        if text:
            self._out.write(text.translate(UNPRINTABLE), ending="")
            self._out.flush()
            self._at_line_start = text.endswith("\n")

    def _line(self, text: str) -> None:
        self._write(("" if self._at_line_start else "\n") + text + "\n")

    def _message(self, event: dict[str, Any]) -> None:
        if event.get("role") == "assistant":
            self._answers.add(event["messageId"])

    def _text(self, event: dict[str, Any]) -> None:
        if event["messageId"] in self._answers:
            self._write(event["delta"])

    def _call(self, event: dict[str, Any]) -> None:
        self._calls[event["toolCallId"]] = event["toolCallName"]
        self._arguments[event["toolCallId"]] = ""

    def _argument(self, event: dict[str, Any]) -> None:
        self._arguments[event["toolCallId"]] += event["delta"]

    def _result(self, event: dict[str, Any]) -> None:
        call, told = event["toolCallId"], event["metadata"]
        arguments = " ".join(self._arguments[call].split()) or "{}"
        content = " ".join(event["content"].split())[:200]
        self._line(
            f"[{self._calls[call]} {arguments} -> {told['status']}, {told['durationMs']} ms: {content}]"
        )

    def _custom(self, event: dict[str, Any]) -> None:
        if event["name"] == "turntable.retrying":
            told = event["value"]
            self._line(f"[trying again in {told['seconds']} s, {told['attempt']} of {told['of']}]")


SHOWN: dict[str, Callable[[Terminal, dict[str, Any]], None]] = {
    "TEXT_MESSAGE_START": Terminal._message,
    "TEXT_MESSAGE_CONTENT": Terminal._text,
    "TOOL_CALL_START": Terminal._call,
    "TOOL_CALL_ARGS": Terminal._argument,
    "TOOL_CALL_RESULT": Terminal._result,
    "CUSTOM": Terminal._custom,
}
