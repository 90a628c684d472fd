"""What answers a turn that is asked again: the calls of the conversation that it is asked again from, or a file that this process plays.

How it is answered is stored with the turn, so that whichever process takes it up after a crash runs no tool and calls no gateway that
it should not.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast
from uuid import UUID

from django.conf import settings

from conversations.errors import InternalError
from conversations.gateway import Call, Receive, Room, get_gateway
from conversations.models import RequestBase, ToolCall, Turn, active_line, line_of
from conversations.protocol import steps
from conversations.tools import Outcome, registry

NOT_RECORDED = "not_recorded"
MISSED = "Not run: the record that this conversation is answered from holds no such call."
ENDS_RERUN = frozenset({NOT_RECORDED, "stopped"})
NO_ANSWER = ("stopped", "interrupted", "cut", "round_limit", NOT_RECORDED)
"""Why a call has a result that nothing but the end of its turn gave it: to ask again is not to be told that again."""

Body = dict[str, Any]


class RecordedCall(NamedTuple):
    """A tool call of a record and what came of it; `arguments` are as the model sent them, `input` the object that they are."""

    name: str
    arguments: str
    input: dict[str, Any] | None
    outcome: Outcome

    @property
    def key(self) -> str:
        """What a call has to be to get this answer: the name and the canonical arguments."""
        return key(self.name, self.input, self.arguments)


class Player(Protocol):
    """A recording in the gateway's place, with the tool calls that belong to it."""

    def call(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Call:
        """A round to be, as the gateway's own."""

    def calls(self) -> Sequence[RecordedCall]:
        """The tool calls that it answers, in the order in which they were made."""


class PersonalCall:
    """A tool call that a person asks for, as the round of a model that would have asked for it.

    It stands in the gateway's place for one round: `call` has the tool's `name` and its `input`.
    """

    request_id = request_sha256 = ""

    def __init__(self, call: Mapping[str, Any]) -> None:
        self._name, self._input = call["name"], call["input"]

    def call(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Call:
        """The round to be."""
        return cast("Call", self)

    async def stream(self, receive: Receive, room: Room) -> None:
        """Hands over a message that is nothing but the call; no request was made for it."""
        start = {"toolUse": {"toolUseId": "tooluse_person", "name": self._name}}
        arguments = {"toolUse": {"input": json.dumps(self._input, ensure_ascii=False)}}
        receive("messageStart", {"role": "assistant"})
        receive("contentBlockStart", {"contentBlockIndex": 0, "start": start})
        receive("contentBlockDelta", {"contentBlockIndex": 0, "delta": arguments})
        receive("contentBlockStop", {"contentBlockIndex": 0})
        receive("messageStop", {"stopReason": "tool_use"})
        receive("metadata", {"madeBy": "person"})


PLAYERS: dict[UUID, Player] = {}
"""The conversations that this process answers from a file."""


def key(name: str, given: dict[str, Any] | None, arguments: str) -> str:
    """A tool call's name and canonical arguments: JSON with sorted keys, or the text itself where that is no JSON object."""
    return json.dumps([name, arguments if given is None else given], sort_keys=True)


def gateway_of(turn: Turn) -> Any:
    """What answers the turn's rounds; raises InternalError where that is a file that another process had."""
    if turn.rerun.get("rounds") == "person":
        return PersonalCall(turn.rerun["call"])
    if turn.rerun.get("rounds") != "file":
        return get_gateway()
    return _player(turn)


def specs(turn: Turn) -> list[dict[str, Any]]:
    """The tools that the turn offers: today's, and where the record answers those that it knows and that exist no more."""
    today = registry.specs()
    if turn.rerun.get("tools") != "recorded" or turn.rerun_of_id is None:
        return today
    offered = {spec["toolSpec"]["name"]: spec for spec in [*_recorded_specs(turn.rerun_of_id), *today]}
    return [spec for _, spec in sorted(offered.items())]


def next_step(turn: Turn, rounds: Sequence[steps.RoundState]) -> steps.Step:
    """The step that follows from a turn's rounds; one whose only call a person made ends when that is answered."""
    step = steps.next_step(rounds, settings.MAX_ROUNDS)
    is_done = isinstance(step, steps.CallModel) and step.number > 1
    return steps.Finish() if is_done and "call" in turn.rerun else step


def answers(turn: Turn, rows: Iterable[ToolCall]) -> dict[ToolCall, Outcome]:
    """The outcomes of the calls that are not to be run: the record's, in order if a call was made more than once, or that it has none."""
    if turn.rerun.get("tools") != "recorded":
        return {}
    left = _left(turn)
    found = {row: _next(left[key(row.name, row.input, row.arguments)]) for row in rows}
    missed = None if turn.rerun.get("miss") == "live" else _missed()
    told = {row: outcome or missed for row, outcome in found.items()}
    return {row: outcome for row, outcome in told.items() if outcome}


def ends_turn(turn: Turn, rows: Iterable[ToolCall]) -> bool:
    """Whether a turn that the record answers is over because of how one of its calls was answered."""
    if turn.rerun.get("tools") != "recorded" or turn.rerun.get("miss") != "stop":
        return False
    return any(row.error in ENDS_RERUN for row in rows)


def recorded_calls(turns: Iterable[Turn]) -> list[RecordedCall]:
    """The tool calls that the turns' completed rounds asked for and that have a result, in order."""
    rows = ToolCall.objects.filter(turn__in=turns, round__status="completed", result__isnull=False)
    return [
        RecordedCall(row.name, row.arguments, row.input, _outcome(row))
        for row in rows.order_by("turn__number", "round__number", "round__attempt", "position")
    ]


def _outcome(row: ToolCall) -> Outcome:
    return Outcome("success" if row.status == ToolCall.Status.SUCCESS else "error", row.error, row.result, 0)


def _missed() -> Outcome:
    return Outcome("error", NOT_RECORDED, [{"text": MISSED}], 0)


def _left(turn: Turn) -> dict[str, deque[Outcome]]:
    """The recorded answers that the turn and its ancestors have not been given yet, by key."""
    left: dict[str, deque[Outcome]] = defaultdict(deque)
    for call in _recorded(turn):
        left[call.key].append(call.outcome)
    given = recorded_calls(Turn.objects.filter(pk__in=line_of(turn)))
    for call in given:
        if call.outcome.error not in NO_ANSWER:
            _next(left[call.key])
    return left


def _next(outcomes: deque[Outcome]) -> Outcome | None:
    return outcomes.popleft() if outcomes else None


def _recorded(turn: Turn) -> Iterator[RecordedCall]:
    if turn.rerun.get("rounds") == "file":
        yield from _player(turn).calls()
    elif turn.rerun_of is not None:
        calls = recorded_calls(active_line(turn.rerun_of.conversation))
        yield from (call for call in calls if call.outcome.error not in NO_ANSWER)


def _player(turn: Turn) -> Player:
    player = PLAYERS.get(turn.conversation_id)
    if player is None:
        raise InternalError("the file that this turn is answered from is not open in this process")
    return player


def _recorded_specs(turn: UUID) -> list[dict[str, Any]]:
    bodies = RequestBase.objects.filter(pk__in=Turn.objects.filter(pk=turn).values("rounds__base"))
    bases: list[Body] = [json.loads(body) for body in bodies.values_list("body", flat=True)]
    return [
        spec for base in bases for spec in base.get("toolConfig", {}).get("tools", ()) if "toolSpec" in spec
    ]
