"""A conversation's record as a server writes it, by any move that is legal, crashes included."""

from collections.abc import Callable
from itertools import count
from typing import Any

from conversations.journal import Page
from conversations.protocol.agui import events, interrupts
from conversations.protocol.agui.closing import closing_events
from conversations.protocol.agui.events import Event
from conversations.protocol.agui.snapshot import Snapshot

CONVERSATION = "00000000-0000-4000-8000-00000000c0de"


class Record:
    """The numbered events of a conversation; the methods write what a server would."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.turns: list[list[Event]] = []
        self.parents: dict[str, str | None] = {}
        self.running = self.in_step = self._final = self._waits = False
        self._open: tuple[str, str] | None = None
        self._calls: list[str] = []
        self._round = self._attempt = 0
        self._numbers = count(1)

    def moves(self) -> list[Callable[[str], None]]:
        """The moves that are legal now; each takes a text, which some ignore."""
        if self._waits:
            return [self.go_on]
        if not self.running:
            return [self.branch, self.ask] if self.turns else [self.ask]
        if self._open:
            return [self.part, self.part, self.end]
        if self.in_step:
            begin = [self.text, self.call, self.reasoning, self.redacted, self.retry, self.adjust, self.title]
            return [*begin, self.picture, self.cite, self.call, *[self.finish_step] * 3]
        if self._calls:
            return [self.wait, self.answer, self.answer]
        return [self.finish] if self._final else [self.finish, self.step, self.step, self.step]

    def may_step(self) -> bool:
        """Whether a round may start."""
        return self.running and not self.in_step and not self._calls and not self._final and not self._waits

    def faults(self) -> list[Callable[[str], None]]:
        """The ways in which the turn may be cut short now."""
        self.go_on() if self._waits else None
        return [self.crash, self.stop, self.fail] if self.in_step else [self.stop, self.fail]

    # -- moves

    def ask(self, text: str = "") -> None:
        """A turn starts with its question, after the one that is shown last."""
        self._ask(text, next(reversed(self.parents), None))

    def branch(self, text: str = "") -> None:
        """A turn starts beside an earlier one, or where nothing comes before it."""
        self._ask(text, [None, *self.parents][len(text) % len(self.turns)])

    def _ask(self, text: str, parent: str | None) -> None:
        number = len(self.turns) + 1
        self.turn = f"00000000-0000-4000-8000-{number:012}"
        self.parents[self.turn] = parent
        self.running, self._final, self._round, self._attempt, self._runs = True, False, 0, 1, 1
        self.turns.append([])
        is_root = parent is None and number > 1
        self.write(
            events.run_started(
                CONVERSATION,
                self.turn,
                parent,
                is_root=is_root,
                settings={"model": "m", "instructions": text},
            ),
            *events.user_message(f"question-{number}", text),
        )

    def wait(self, text: str = "") -> None:
        """The calls wait for a person."""
        self._waits = True
        waiting = [interrupts.interrupt(call, "top_song", text or None) for call in self._calls]
        self.write(interrupts.run_interrupted(CONVERSATION, self._run(), waiting, []))

    def go_on(self, text: str = "") -> None:
        """It is decided, and a further run begins."""
        self._waits = False
        self._runs += 1
        status = ("approved", "denied", "expired")[len(text) % 3]
        decisions = [interrupts.decision(call, status, "jennifer", {"reason": text}) for call in self._calls]
        repeated = interrupts.repeated_calls(self.turns[-1])
        self.write(events.run_started(CONVERSATION, self._run()), *decisions, *repeated)

    def _run(self) -> str:
        return self.turn if self._runs == 1 else f"{self.turn}:{self._runs}"

    def step(self, text: str = "") -> None:
        """A round starts, again if it was cut."""
        self._round += self._attempt == 1
        self.in_step, self._blocks = True, 0
        self.write(events.step_started(self._round))

    def text(self, text: str = "") -> None:
        """A text block begins."""
        self._begin("TEXT_MESSAGE", {"role": "assistant"})

    def reasoning(self, text: str = "") -> None:
        """Reasoning begins."""
        message = self._message()
        self.write({"type": "REASONING_START", "messageId": message})
        self._begin("REASONING_MESSAGE", {"role": "reasoning"}, message)

    def redacted(self, text: str = "") -> None:
        """Reasoning that nobody may read."""
        message = self._message()
        self.write(
            {"type": "REASONING_START", "messageId": message}, {"type": "REASONING_END", "messageId": message}
        )

    def call(self, text: str = "", name: str = "top_song") -> None:
        """A tool call begins."""
        call = f"call-{next(self._numbers)}"
        self._calls.append(call)
        self._open = ("TOOL_CALL", call)
        self.write({"type": "TOOL_CALL_START", "toolCallId": call, "toolCallName": name})

    def part(self, text: str) -> None:
        """More of the open block."""
        kind, message = self._opened()
        content = "TOOL_CALL_ARGS" if kind == "TOOL_CALL" else f"{kind}_CONTENT"
        self.write({"type": content, events.DELTA_KEYS[content]: message, "delta": text or "."})

    def end(self, text: str = "") -> None:
        """The open block ends."""
        kind, message = self._opened()
        self._open = None
        self.write({"type": f"{kind}_END", events.DELTA_KEYS[CONTENT[kind]]: message})
        if kind == "REASONING_MESSAGE":
            self.write({"type": "REASONING_END", "messageId": message})

    def finish_step(self, text: str = "", reason: str = "") -> None:
        """The round is over."""
        self.in_step, self._attempt, self._final = (
            False,
            1,
            not self._calls,
        )  # without calls the answer is final
        metadata = {
            "stopReason": reason or ("tool_use" if self._calls else "end_turn"),
            "model": "m",
            "usage": {"inputTokens": 1},
        }
        self.write(events.step_finished(self._round, metadata))

    def answer(self, text: str, status: str = "") -> None:
        """The first call that waits has its result."""
        outcome = status or ("error" if len(text) % 2 else "success")
        self.write(events.tool_call_result(self._calls.pop(0), text, status=outcome, duration_ms=7))

    def picture(self, text: str = "") -> None:
        """A picture of the model's own, or what its provider ran a tool for."""
        name = "server_tool" if text else "image"
        self.write(events.custom(name, {"messageId": self._message(), "format": "png"}))

    def cite(self, text: str = "") -> None:
        """A source of the block before it."""
        block = f"{self._message().rpartition(':')[0]}:{self._blocks - 1}"
        self.write(events.custom("citation", {"messageId": block, "citation": {"title": text}}))

    def retry(self, text: str = "", code: str = "throttled", seconds: float = 1.5) -> None:
        """Another attempt is waited for."""
        self.write(events.custom("retrying", {"attempt": 2, "of": 3, "seconds": seconds, "code": code}))

    def adjust(self, text: str = "") -> None:
        """The round is asked again with a remedy."""
        self.write(events.adjusted("Asked again without pictures.", text))

    def title(self, text: str = "") -> None:
        """The conversation has a new title."""
        self.write(events.custom("conversation", {"title": text}))

    def crash(self, text: str = "") -> None:
        """The process died in the round, and another has taken the turn up."""
        self._open, self.in_step = None, False
        self._calls.clear()
        self._attempt += 1
        self.write(*closing_events(self.turns[-1]))

    def stop(self, text: str = "") -> None:
        """The turn is stopped: what is open ends, calls are answered."""
        self.end() if self._open else None
        self.finish_step(reason="stopped") if self.in_step else None
        while self._calls:
            self.answer("stopped", "error")
        self.finish(outcome="cancelled")

    def fail(self, text: str = "", code: str = "stream_cut") -> None:
        """The turn fails; what is open is cut."""
        self._end_turn()
        self.write(events.run_error(text or "The answer broke off.", code, is_left_out=len(text) % 2 == 1))

    def finish(self, text: str = "", outcome: str = "success") -> None:
        """The turn ends."""
        self._end_turn()
        self.write(events.run_finished(CONVERSATION, self._run(), outcome, []))

    # -- how

    def write(self, *new_events: Event) -> None:
        """Numbers the events and puts them into the record."""
        for event in new_events:
            seq = len(self.events) + 1
            self.events.append(
                event | {"timestamp": seq * 1000, "metadata": event.get("metadata", {}) | {"seq": seq}}
            )
            self.turns[-1].append(self.events[-1])

    def page(self, seq: int | None = None) -> Page:
        """The snapshot of a new page at `seq`, or now: the branch that the newest turn is on."""
        now = len(self.events) if seq is None else seq
        known = [turn_events for turn_events in self.turns if turn_events[0]["metadata"]["seq"] <= now]
        page, turns = Page(now), dict(zip(self.parents, known, strict=False))
        for turn in self._line(list(turns)[-1:]):
            snapshot = Snapshot(turn).apply(event for event in turns[turn] if event["metadata"]["seq"] <= now)
            versions = [pk for pk in turns if self.parents[pk] == self.parents[turn]]
            page.messages += snapshot.as_list()
            page.turns.append(snapshot.state | ({"versions": versions} if len(versions) > 1 else {}))
        return page

    def _line(self, end: list[str]) -> list[str]:
        while end and (parent := self.parents[end[0]]):
            end = [parent, *end]
        return end

    def _begin(self, kind: str, more: dict[str, Any], message: str = "") -> None:
        message = message or self._message()
        self._open = (kind, message)
        self.write({"type": f"{kind}_START", "messageId": message, **more})

    def _message(self) -> str:
        self._blocks += 1
        attempt = f".{self._attempt}" if self._attempt > 1 else ""
        return f"{self.turn}:{self._round}{attempt}:{self._blocks}"

    def _opened(self) -> tuple[str, str]:
        assert self._open
        return self._open

    def _end_turn(self) -> None:
        self._open, self.running, self.in_step = None, False, False
        self._calls.clear()


CONTENT = {
    "TEXT_MESSAGE": "TEXT_MESSAGE_CONTENT",
    "REASONING_MESSAGE": "REASONING_MESSAGE_CONTENT",
    "TOOL_CALL": "TOOL_CALL_ARGS",
}
