"""A fixture in the gateway's place: each request is compared with the recorded one, and the recorded stream is given back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from conversations import errors
from conversations.engine import PLAYERS, RecordedCall, Stopped
from conversations.gateway import Call, Receive, Room

from .fixtures import RoundLine, TurnLine

SHOWN = 10
"""Differences of one request that are told."""

ENDINGS: dict[str, type[errors.TurntableError]] = {Stopped.code: Stopped} | {
    kind.code: kind for kind in [*errors.TurnError.__subclasses__(), *errors.GatewayError.__subclasses__()]
}


class FixturePlayer:
    """Answers a conversation's rounds in order, and its tool calls; `differences` are those of the requests, by turn."""

    def __init__(self, turns: Sequence[TurnLine]) -> None:
        self.turns = turns
        self.differences: dict[int, list[str]] = {turn.number: [] for turn in turns}
        self._turn = 0
        self._rounds: Iterator[RoundLine] = iter(())

    @contextmanager
    def answering(self, conversation: UUID) -> Iterator[None]:
        """Meanwhile it answers this conversation."""
        PLAYERS[conversation] = self
        try:
            yield
        finally:
            del PLAYERS[conversation]

    def begin(self, number: int) -> None:
        """The rounds that are asked for from here on belong to this turn."""
        self._turn = number
        self._rounds = iter(next(turn.rounds for turn in self.turns if turn.number == number))

    def end(self) -> list[str]:
        """What the turn's requests differed in, rounds that were not asked for included."""
        told = self.differences[self._turn]
        told += [f"round {left.number} was not asked for" for left in self._rounds]
        return told

    def call(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Call:
        """The next round; one that was not recorded fails when it is read."""
        recorded = next(self._rounds, None)
        told = self.differences[self._turn]
        if recorded is None:
            told.append("a round was asked for that the file does not have")
        else:
            asked = {"model": recorded.model} | recorded.request
            told += [
                f"round {recorded.number}: {each}"
                for each in differences(asked, {"model": model} | dict(body))
            ]
        return cast("Call", PlayedCall(recorded))

    def calls(self) -> list[RecordedCall]:
        """The recorded tool calls."""
        return [call.recorded() for turn in self.turns for call in turn.calls]


class PlayedCall:
    """A round as it was: its events at once, then its failure, if it failed."""

    request_id = ""
    request_sha256 = ""

    def __init__(self, recorded: RoundLine | None) -> None:
        self._recorded = recorded

    async def stream(self, receive: Receive, room: Room) -> None:
        """Hands the recorded events over; raises what ended the round, which is not tried again."""
        if self._recorded is None:
            raise errors.InvalidRequest("the file holds no further round of this turn")
        for event in self._recorded.events:
            receive(event.name, event.payload)
            if room.is_full:
                await room.room()
        if self._recorded.ending:
            raise _failure(self._recorded.ending)


def differences(recorded: Any, asked: Any) -> list[str]:
    """Where two JSON values are not the same, by path, the first ten; the order of an object's members is no difference."""
    found = list(_differences(recorded, asked, ""))
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return found[:SHOWN] + more


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
    written = "nothing" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return written if len(written) <= 120 else written[:117] + "..."


def _failure(ending: str) -> errors.TurntableError:
    failure = ENDINGS.get(ending, errors.InternalError)("played from a file")
    if isinstance(failure, errors.GatewayError):
        failure.retryable = False
    return failure
