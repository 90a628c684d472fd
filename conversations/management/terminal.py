"""Events printed as text: those of a running turn, or of a recording that is played."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.core.management.base import OutputWrapper

from conversations.protocol.text import beginning
from conversations.protocol.thoughts import answer_in, parts_of

CONTROLS = {*range(32), *range(127, 160)} - {ord("\n"), ord("\t")}
UNPRINTABLE = dict.fromkeys(CONTROLS, "\N{REPLACEMENT CHARACTER}")
"""Control characters are replaced, so that a model's text moves no cursor and sets no title."""

REASONING = "[reasoning]"
ENDINGS = {"cancelled": "[stopped]", "interrupt": "[waiting for an approval]"}
"""The lines that end a run, by its outcome."""

Event = dict[str, Any]


def printable(text: str) -> str:
    """The text without control characters."""
    return text.translate(UNPRINTABLE)


def with_reasoning(text: str, *, is_open: bool = False) -> str:
    """A model's text whose thoughts are printed as reasoning is."""
    parts = [part for part in parts_of(text, is_open=is_open) if part.has_content]
    return "\n\n".join(f"{REASONING}\n{part.text}" if part.is_thought else part.text for part in parts)


class Text:
    """A model's text as it streams, printed without its thoughts or with them as reasoning."""

    def __init__(self, render: Callable[..., str] = answer_in) -> None:
        self._render = render
        self._text = self._printed = ""
        self._may_have_thoughts = False

    def add(self, delta: str, *, is_open: bool = True) -> str:
        """Takes the next delta, and returns what to print now."""
        self._text += delta
        self._may_have_thoughts = self._may_have_thoughts or "<" in delta
        if not self._may_have_thoughts:
            self._printed += delta
            return delta
        whole = self._render(self._text, is_open=is_open)
        if self._printed.startswith(whole):
            return ""
        printed, self._printed = self._printed, whole
        if whole.startswith(printed):
            return whole.removeprefix(printed)
        begun = printed.rstrip()  # the blank lines before what has turned out to be a thought
        return whole.removeprefix(begun).lstrip("\n") if whole.startswith(begun) else f"\n{whole}"


class Printer:
    """Prints the model's text without its thoughts, and a line for each tool call."""

    new_text: Callable[[], Text] = Text

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._calls: dict[str, str] = {}
        self._arguments: dict[str, str] = {}
        self._texts: dict[str, Text | None] = {}
        self._at_line_start = True

    def show(self, event: Event) -> None:
        """Prints an event; most have nothing to print."""
        match event["type"]:
            case "TEXT_MESSAGE_START":
                self._message(event)
            case "TEXT_MESSAGE_CONTENT":
                self._text(event)
            case "TEXT_MESSAGE_END":
                self._text_end(event)
            case "TOOL_CALL_START":
                self._call(event)
            case "TOOL_CALL_ARGS":
                self._argument(event)
            case "TOOL_CALL_RESULT":
                self._result(event)
            case "CUSTOM":
                self._custom(event)

    def tick(self) -> None:
        """Does nothing: printed lines stay as they are."""

    def line(self, text: str) -> None:
        """Prints a line of its own."""
        self.end_line()
        self._write(text + "\n")

    def end_line(self) -> None:
        """Ends the line that is under way, if one is."""
        self._write("" if self._at_line_start else "\n")

    def _write(self, text: str) -> None:
        if text:
            self._out.write(printable(text), ending="")
            self._out.flush()
            self._at_line_start = text.endswith("\n")

    def _message(self, event: Event) -> None:
        if event.get("role") == "assistant":
            self._texts[event["messageId"]] = self.new_text()

    def _text(self, event: Event) -> None:
        if event["messageId"] in self._texts:
            text = self._texts[event["messageId"]]
            self._write(text.add(event["delta"]) if text else event["delta"])

    def _text_end(self, event: Event) -> None:
        if text := self._texts.get(event["messageId"]):
            self._write(text.add("", is_open=False))

    def _call(self, event: Event) -> None:
        self._calls[event["toolCallId"]] = event["toolCallName"]
        self._arguments.setdefault(event["toolCallId"], "")

    def _argument(self, event: Event) -> None:
        self._arguments[event["toolCallId"]] += event["delta"]

    def _result(self, event: Event) -> None:
        call, metadata = event["toolCallId"], event["metadata"]
        arguments = " ".join(self._arguments[call].split()) or "{}"
        content = beginning(" ".join(event["content"].split()), 200)
        self.line(
            f"[{self._calls[call]} {arguments} -> {metadata['status']}, {metadata['durationMs']} ms: {content}]"
        )

    def _custom(self, event: Event) -> None:
        value = event["value"]
        if event["name"] == "turntable.retrying":
            self.line(f"[trying again in {value['seconds']} s, {value['attempt']} of {value['of']}]")
        elif event["name"] == "turntable.adjusted":
            self.line(f"[{value['what']}]")


class RecordingPrinter(Printer):
    """Prints a recording, with user messages, reasoning, and when turns began and how they ended."""

    new_text = partial(Text, with_reasoning)

    def show(self, event: Event) -> None:
        """Prints an event."""
        match event["type"]:
            case "RUN_STARTED":
                self._run(event)
            case "REASONING_END":
                self.end_line()
            case "REASONING_START":
                self._reasoning(event)
            case "REASONING_MESSAGE_CONTENT":
                self._text(event)
            case "STEP_FINISHED":
                self._step(event)
            case "RUN_FINISHED":
                self._finished(event)
            case "RUN_ERROR":
                self.line(f"[{event['code']}: {event['message']}]")
            case _:
                super().show(event)

    def skip(self, milliseconds: int) -> None:
        """Prints that a pause is left out, unless it is within a line."""
        if self._at_line_start:
            self.line(f"[{milliseconds / 1000:.1f} s left out]")

    def _run(self, event: Event) -> None:
        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        self.line(f"[{at:%Y-%m-%d %H:%M:%S} UTC]")

    def _message(self, event: Event) -> None:
        self._texts[event["messageId"]] = None
        super()._message(event)
        self.line("")
        for file in event.get("metadata", {}).get("attachments", ()):
            self.line(f"[attached: {file['name']}]")
        self._write("> " if event.get("role") == "user" else "")

    def _text_end(self, event: Event) -> None:
        super()._text_end(event)
        self.end_line()

    def _reasoning(self, event: Event) -> None:
        self._texts[event["messageId"]] = None
        self.line(REASONING)

    def _step(self, event: Event) -> None:
        if event.get("metadata", {}).get("interrupted"):
            self.line("[interrupted; the same round begins again]")

    def _finished(self, event: Event) -> None:
        if ending := ENDINGS.get(event.get("outcome", {}).get("type")):
            self.line(ending)
