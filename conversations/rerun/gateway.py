"""A fixture in the gateway's place: it answers requests, and compares them with its own."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from conversations import errors
from conversations.engine import RECORDED_GATEWAYS, RecordedCall, Stopped
from conversations.gateway import Call, FlowControl, Receive
from conversations.protocol.converse import remedies
from conversations.protocol.converse.cache import without_points
from conversations.protocol.converse.refusals import refusal
from conversations.protocol.text import beginning

from .fixtures import RoundLine, TurnLine

MOST = 10
"""Differences of a request that are reported."""

ENDINGS: dict[str, type[errors.TurntableError]] = {Stopped.code: Stopped} | {
    kind.code: kind for kind in [*errors.TurnError.__subclasses__(), *errors.GatewayError.__subclasses__()]
}


class FixtureGateway:
    """Answers a conversation's rounds, in order, and its tool calls from a fixture.

    `differences` are those of its requests from the fixture's, by turn, but for cache points, which change no answer.
    """

    def __init__(self, turns: Sequence[TurnLine]) -> None:
        self.turns = turns
        self.differences: dict[int, list[str]] = {turn.number: [] for turn in turns}
        self._turn = 0
        self._rounds: Iterator[RoundLine] = iter(())

    @contextmanager
    def answering(self, conversation: UUID) -> Iterator[None]:
        """Answers this conversation within the context."""
        RECORDED_GATEWAYS[conversation] = self
        try:
            yield
        finally:
            del RECORDED_GATEWAYS[conversation]

    def begin(self, number: int) -> None:
        """Begins a turn, whose rounds answer the requests from here on."""
        self._turn = number
        self._rounds = iter(next(turn.rounds for turn in self.turns if turn.number == number))

    def end(self) -> list[str]:
        """The differences of the turn's requests, and the rounds that were not asked for."""
        differences = self.differences[self._turn]
        differences += [f"round {line.number} was not asked for" for line in self._rounds]
        return differences

    def call(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Call:
        """The call of the next round. Without one in the fixture it fails once it is read."""
        line = next(self._rounds, None)
        if line is None:
            self.differences[self._turn].append("a round was asked for that the file does not have")
        else:
            changed = remedies.adjusted(without_points(dict(body)), remedies.from_json(line.remedies))
            changes = differences({"model": line.model} | line.request, {"model": model} | changed)
            self.differences[self._turn] += [f"round {line.number}: {change}" for change in changes]
        return cast("Call", RecordedRound(line))

    def calls(self) -> list[RecordedCall]:
        """The recorded tool calls."""
        return [call.as_recorded() for turn in self.turns for call in turn.calls]


class RecordedRound:
    """A recorded round: its events at once, then its failure, if it failed."""

    request_id = ""
    request_sha256 = ""

    def __init__(self, line: RoundLine | None) -> None:
        self._line = line

    async def stream(self, receive: Receive, flow: FlowControl) -> None:
        """Passes on the recorded events; raises the error that ended the round, which is not tried again."""
        if self._line is None:
            raise errors.InvalidRequest("the file holds no further round of this turn")
        for event in self._line.events:
            receive(event.name, event.payload)
            if flow.is_full:
                await flow.wait_for_room()
        if self._line.ending:
            raise _failure(self._line)


def differences(old: Any, new: Any) -> list[str]:
    """The first ten differences of two JSON values, by path. An object's members may come in any order."""
    lines = list(_differences(old, new, ""))
    more = [f"and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return lines[:MOST] + more


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(name), new.get(name), f"{path}.{name}")
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield f"{path[1:]}: {len(old)} entries recorded, now {len(new)}"
        for at, (before, after) in enumerate(zip(old, new, strict=False)):
            yield from _differences(before, after, f"{path}[{at}]")
    elif old != new:
        yield f"{path[1:]}: {_short(old)} recorded, now {_short(new)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 120 else beginning(text, 117) + "..."


def _failure(line: RoundLine) -> errors.TurntableError:
    failure = ENDINGS.get(line.ending, errors.InternalError)("answered from a file")
    if isinstance(failure, errors.GatewayError):
        failure.is_retryable = failure.is_adjustable = False
        failure.refusal = refusal(line.words) if line.words else None
    return failure
