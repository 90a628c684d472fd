"""A session on a full terminal: streaming Markdown, a line for each call, and below it what runs."""

import json
import time
from typing import Any

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.segment import Segment, SegmentLines
from rich.text import Text as Line
from rich.theme import Theme

from conversations.management.terminal import Event, Text
from conversations.protocol.text import beginning

from .markdown import Markdown, Part, Printable, Stream

WIDEST = 100
"""Columns of a text at most, as longer lines read badly."""

THEME = Theme({"markdown.code": "cyan"})
"""Code in a line, without the black background that rich gives it."""

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
DRAW_EVERY = 0.1
COST = 5
"""The time until the next drawing, in durations of the last; drawing takes a fifth of it at most."""

SHOWN_ARGUMENTS = 80
SHOWN_FAILURE = 300


class Tail:
    """The last lines on the screen, redrawn in place until they are finished."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._widths: list[int] = []

    def draw(self, renderable: RenderableType, *, has_gap: bool) -> None:
        """Redraws the lines, as many as fit on the screen, with a blank line above them if `has_gap`."""
        console = self._console
        options = console.options.update(width=width_of(console))
        lines = [[Segment("")], *console.render_lines(Printable(renderable), options, pad=False)]
        lines = lines[not has_gap :][-max(1, console.height - 2) :]
        with console.capture() as capture:
            console.print(SegmentLines(lines, new_lines=True), end="")
        self._write(self._erasure() + capture.get())
        self._widths = [Segment.get_line_length(line) for line in lines]

    def clear(self) -> None:
        """Erases the lines."""
        self._write(self._erasure())
        self._widths = []

    def _erasure(self) -> str:
        """The control sequence that erases the lines, which a narrower window may have broken into more."""
        if not self._widths:
            return ""
        columns = max(1, self._console.width)
        rows = sum(max(1, -(-width // columns)) for width in self._widths)
        return f"\x1b[{rows}A\r\x1b[J"

    def _write(self, text: str) -> None:
        if text:
            self._console.file.write(text)
            self._console.file.flush()


class Screen:
    """Shows events on a full terminal."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, markup=False, emoji=False, theme=THEME)
        self.own: set[str] = set()
        """The ids of the messages that were written here."""

        self.calls: list[str] = []
        """The ids of the calls that were shown, in order."""

        self._tail = Tail(self.console)
        self._last = ""
        self._names: dict[str, str] = {}
        self._arguments: dict[str, list[str]] = {}
        self._question: tuple[str, list[str]] | None = None
        self._answer: Answer | None = None
        self._doing, self._since = "", 0.0
        self._next_drawing = 0.0

    # -- what a session shows

    def note(self, text: str) -> None:
        """Prints lines of the program's own."""
        self._print("note", Line(text, style="dim"))

    def plain(self, text: str) -> None:
        """Prints a text as it is."""
        self._print("plain", Line(text))

    def error(self, text: str) -> None:
        """Prints an error."""
        self._print("note", Line(f"✗ {text}", style="red"))

    def question(self, name: str, arguments: str, choices: str) -> str:
        """Shows a call that waits for a decision; returns the prompt for it."""
        line = Line.assemble(("? ", "yellow"), (name, "bold"), f" {arguments} waits for your approval.")
        self._print("question", line)
        return f"Run it? ({choices}) "

    def tick(self) -> None:
        """Redraws what is under way, unless that was done a moment ago."""
        now = time.monotonic()
        if now < self._next_drawing:
            return
        if self._answer:
            self._print_parts(self._answer.finished())
        if under_way := self._under_way(now):
            self._tail.draw(under_way, has_gap=self._last != "part")
        took = time.monotonic() - now
        self._next_drawing = now + max(DRAW_EVERY, COST * took)

    def show(self, event: Event) -> None:
        """Shows an event."""
        kind = event["type"]
        if kind.startswith("TEXT_MESSAGE_"):
            self._text(event)
        elif kind.startswith("TOOL_CALL_"):
            self._call(event)
        elif kind.startswith("REASONING_"):
            self._reasoning(event)
        elif kind.startswith(("RUN_", "STEP_")):
            self._progress(event)
        elif kind == "CUSTOM":
            self._custom(event)
        self.tick()

    # -- texts

    def _text(self, event: Event) -> None:
        match event["type"]:
            case "TEXT_MESSAGE_START" if event.get("role") == "assistant":
                self._answer = Answer()
            case "TEXT_MESSAGE_START":
                files = [f"[{file['name']}] " for file in event.get("metadata", {}).get("attachments", ())]
                self._question = event["messageId"], files
            case "TEXT_MESSAGE_CONTENT" if self._answer:
                self._answer.add(event["delta"])
            case "TEXT_MESSAGE_CONTENT" if self._question:
                self._question[1].append(event["delta"])
            case "TEXT_MESSAGE_END":
                self._end_texts()

    def _end_texts(self) -> None:
        if self._answer:
            answer, self._answer = self._answer, None
            self._print_parts(answer.end())
        if self._question:
            (message, texts), self._question = self._question, None
            if message not in self.own:
                self._print("message", Line(f"> {''.join(texts)}", style="bold"))

    def _print_parts(self, parts: list[Part]) -> None:
        for part in parts:
            self._print("text", Markdown(part.text))
            self._last = "part" if part.goes_on else "text"

    # -- calls

    def _call(self, event: Event) -> None:
        call = event["toolCallId"]
        match event["type"]:
            case "TOOL_CALL_START":
                self._names[call] = event["toolCallName"]
                self._arguments.setdefault(call, [])  # a run after an approval names its calls again
                self._do(f"Calling {event['toolCallName']}")
            case "TOOL_CALL_ARGS":
                self._arguments[call].append(event["delta"])
            case "TOOL_CALL_RESULT":
                self._result(call, event)

    def _result(self, call: str, event: Event) -> None:
        metadata = event["metadata"]
        has_failed = metadata["status"] == "error"
        self.calls.append(call)
        line = Line.assemble(
            ("✗ ", "red") if has_failed else ("✓ ", "green"),
            (self._names[call], "bold"),
            f" {summary(''.join(self._arguments[call]))}",
            (f" · {'failed · ' if has_failed else ''}{metadata['durationMs']} ms", "dim"),
            (f" · /result {len(self.calls)}", "dim"),
        )
        if has_failed:
            line.append(f"\n  {beginning(' '.join(event['content'].split()), SHOWN_FAILURE)}", "red")
        self._print("call", line)

    # -- everything else

    def _reasoning(self, event: Event) -> None:
        match event["type"]:
            case "REASONING_START":
                self._do("Thinking", event)
            case "REASONING_END":
                seconds = max(0.0, event["timestamp"] / 1000 - self._since)
                self.note(f"Thought for {seconds:.1f} s")
                self._do("Waiting for the model")

    def _custom(self, event: Event) -> None:
        value = event["value"]
        match event["name"].removeprefix("turntable."):
            case "retrying":
                self.note(f"Trying again in {value['seconds']} s, {value['attempt']} of {value['of']}")
            case "adjusted":
                self.note(value["what"])
            case "image":
                self.note("A picture, to be seen on the page")

    def _progress(self, event: Event) -> None:
        match event["type"]:
            case "RUN_STARTED" | "STEP_STARTED":
                self._do("Waiting for the model")
            case "STEP_FINISHED":
                self._end_texts()
                self._do("Running tools")
                if event.get("metadata", {}).get("interrupted"):
                    self.note("Interrupted; the same round begins again")
            case "RUN_FINISHED" | "RUN_ERROR":
                self._end(event)

    def _end(self, event: Event) -> None:
        self._end_texts()
        self._doing = ""
        if event["type"] == "RUN_ERROR":
            self.error(event["message"])
        elif event.get("outcome", {}).get("type") == "cancelled":
            self.note("Stopped")
        self._tail.clear()

    def _do(self, what: str, event: Event | None = None) -> None:
        self._doing, self._since = what, event["timestamp"] / 1000 if event else time.time()

    def _under_way(self, now: float) -> RenderableType | None:
        if self._answer and self._answer.rest:
            return Markdown(self._answer.rest)
        if not self._doing:
            return None
        seconds = max(0, int(time.time() - self._since))
        frame = FRAMES[int(now / DRAW_EVERY) % len(FRAMES)]
        return Line(f"{frame} {self._doing} · {seconds} s · Ctrl+C stops", style="dim")

    def _print(self, kind: str, renderable: RenderableType) -> None:
        self._tail.clear()
        if self._last and self._last != "part" and not (kind == self._last != "text"):
            self.console.print()
        self.console.print(Printable(renderable), width=width_of(self.console))
        self._last = kind


class Answer:
    """A text of the model as it streams, without its thoughts."""

    def __init__(self) -> None:
        self._deltas: list[str] = []
        self._text, self._stream = Text(), Stream()

    @property
    def rest(self) -> str:
        """The end of the text, which may still change."""
        return self._stream.rest

    def add(self, delta: str) -> None:
        """Takes a delta, which is looked at when the text is drawn."""
        self._deltas.append(delta)

    def finished(self) -> list[Part]:
        """The parts that were finished since the last call."""
        self._take(is_open=True)
        parts: list[Part] = []
        while part := self._stream.next_part():
            parts.append(part)
        return parts

    def end(self) -> list[Part]:
        """The remaining parts."""
        self._take(is_open=False)
        return self._stream.end()

    def _take(self, *, is_open: bool) -> None:
        text, self._deltas = "".join(self._deltas), []
        self._stream.add(self._text.add(text, is_open=is_open))


def width_of(console: Console) -> int:
    """The columns of a text."""
    return max(1, min(console.width, WIDEST))


def summary(arguments: str) -> str:
    """A call's arguments in a few words."""
    try:
        values: Any = json.loads(arguments)
    except ValueError:
        values = None
    if isinstance(values, dict):
        pairs = (f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
        arguments = ", ".join(pairs)
    line = " ".join(arguments.split())
    return line if cell_len(line) <= SHOWN_ARGUMENTS else f"{beginning(line, SHOWN_ARGUMENTS)}…"
