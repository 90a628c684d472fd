"""Turns that are asked again: recorded calls or a file answer them, not tools or the gateway.

The turn's row says which (`Turn.rerun`), so that a process that takes it over after a crash runs no tool and calls no gateway either.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast
from uuid import UUID

from conversations.conf import settings
from conversations.errors import InternalError
from conversations.gateway import Call, FlowControl, Receive, get_gateway
from conversations.models import RequestBase, ToolCall, Turn, active_line, line_of
from conversations.protocol import steps
from conversations.tools import Outcome, registry

from . import permissions

NOT_RECORDED = "not_recorded"
MISSED = "Not run: the record that this conversation is answered from holds no such call."
ENDS_RERUN = frozenset({NOT_RECORDED, "stopped"})
NO_ANSWER = (
    *("stopped", "interrupted", "cut", "round_limit", "max_tokens", "damaged", "not_run", "switched_off"),
    *(permissions.ERROR, NOT_RECORDED),
)
"""Errors of calls that did not run to their end: their results answer no later call."""

Body = dict[str, Any]


class RecordedCall(NamedTuple):
    """A recorded tool call and its outcome.

    `arguments` is the text that the model sent, `input` the object that it stands for.
    """

    name: str
    arguments: str
    input: dict[str, Any] | None
    outcome: Outcome

    @property
    def key(self) -> str:
        """The key of the calls that get this outcome: name and canonical arguments."""
        return key(self.name, self.input, self.arguments)


class RecordedGateway(Protocol):
    """A recorded conversation in the gateway's place; it has recorded tool calls too."""

    def call(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Call:
        """A round's call, like the gateway's own."""

    def calls(self) -> Sequence[RecordedCall]:
        """The recorded tool calls, in order."""


class PersonalCall:
    """A tool call that a person asks for, as if a model had asked for it in one round.

    It stands in the gateway's place: `call` has the tool's `name` and its `input`.
    """

    request_id = request_sha256 = ""

    def __init__(self, call: Mapping[str, Any]) -> None:
        self._name, self._input = call["name"], call["input"]

    def call(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Call:
        """The round's call, which is this object."""
        return cast("Call", self)

    async def stream(self, receive: Receive, flow: FlowControl) -> None:
        """Passes on a message that is nothing but the call; no request is sent for it."""
        start = {"toolUse": {"toolUseId": "tooluse_person", "name": self._name}}
        arguments = {"toolUse": {"input": json.dumps(self._input, ensure_ascii=False)}}
        receive("messageStart", {"role": "assistant"})
        receive("contentBlockStart", {"contentBlockIndex": 0, "start": start})
        receive("contentBlockDelta", {"contentBlockIndex": 0, "delta": arguments})
        receive("contentBlockStop", {"contentBlockIndex": 0})
        receive("messageStop", {"stopReason": "tool_use"})
        nothing = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
        receive("metadata", {"usage": nothing, "madeBy": "person"})


RECORDED_GATEWAYS: dict[UUID, RecordedGateway] = {}
"""By conversation, for those that this process answers from a file."""


def key(name: str, call_input: dict[str, Any] | None, arguments: str) -> str:
    """A tool call's name and canonical arguments: sorted JSON, or the text where it is no object."""
    return json.dumps([name, arguments if call_input is None else call_input], sort_keys=True)


def gateway_of(turn: Turn) -> Any:
    """The gateway of the turn's rounds, real or recorded; raises InternalError without its file."""
    if turn.rerun.get("rounds") == "person":
        return PersonalCall(turn.rerun["call"])
    if turn.rerun.get("rounds") != "file":
        return get_gateway()
    return _recorded_gateway(turn)


def specs(turn: Turn) -> list[dict[str, Any]]:
    """The tools that the turn offers: the present ones, and those of the record if that answers calls.

    Those that its user has switched off, or has no permission for, are not among them.
    """
    present = [spec for spec in registry.specs() if spec["toolSpec"]["name"] not in turn.tools_off]
    lacking = permissions.lacking(turn.user_id)
    if turn.rerun.get("tools") == "recorded" and turn.rerun_of_id is not None:
        present = [*_recorded_specs(turn.rerun_of_id), *present]
    offered = {spec["toolSpec"]["name"]: spec for spec in present}
    return [spec for name, spec in sorted(offered.items()) if name not in lacking]


def may_call_tools(turn: Turn) -> bool:
    """Whether calls of the turn may run, and are not all answered from a record."""
    return bool(turn.rerun.get("tools") != "recorded" or turn.rerun.get("miss") == "live")


def next_step(turn: Turn, rounds: Sequence[steps.RoundState]) -> steps.Step:
    """The step that follows a turn's rounds. A turn with a personal call ends once that is answered."""
    step = steps.next_step(rounds, settings.MAX_ROUNDS)
    is_done = isinstance(step, steps.CallModel) and step.number > 1
    return steps.Finish() if is_done and "call" in turn.rerun else step


def answers(turn: Turn, rows: Iterable[ToolCall]) -> dict[ToolCall, Outcome]:
    """The outcomes of the calls that must not run, as the record answers them.

    A call that the record has several times gets its outcomes in their order. One that it does not have gets an error.
    """
    if turn.rerun.get("tools") != "recorded":
        return {}
    recorded = _unused_outcomes(turn)
    default = None if turn.rerun.get("miss") == "live" else _not_recorded()
    outcomes = {row: _next(recorded[key(row.name, row.input, row.arguments)]) or default for row in rows}
    return {row: outcome for row, outcome in outcomes.items() if outcome}


def ends_turn(turn: Turn, rows: Iterable[ToolCall]) -> bool:
    """Whether a turn that the record answers is over because of one of its calls' results."""
    if turn.rerun.get("tools") != "recorded" or turn.rerun.get("miss") != "stop":
        return False
    return any(row.error in ENDS_RERUN for row in rows)


def recorded_calls(turns: Iterable[Turn]) -> list[RecordedCall]:
    """The tool calls of the turns' completed rounds that have a result, in order."""
    rows = ToolCall.objects.filter(turn__in=turns, round__status="completed", result__isnull=False)
    return [
        RecordedCall(row.name, row.arguments, row.input, _outcome(row))
        for row in rows.order_by("turn__number", "round__number", "round__attempt", "position")
    ]


def _outcome(row: ToolCall) -> Outcome:
    return Outcome("success" if row.status == ToolCall.Status.SUCCESS else "error", row.error, row.result, 0)


def _not_recorded() -> Outcome:
    return Outcome("error", NOT_RECORDED, [{"text": MISSED}], 0)


def _unused_outcomes(turn: Turn) -> dict[str, deque[Outcome]]:
    """The recorded outcomes that no call of the turn and its ancestors has got yet, by key."""
    unused: dict[str, deque[Outcome]] = defaultdict(deque)
    for call in _record_of(turn):
        unused[call.key].append(call.outcome)
    for call in recorded_calls(Turn.objects.filter(pk__in=line_of(turn))):
        if call.outcome.error not in NO_ANSWER:
            _next(unused[call.key])
    return unused


def _next(outcomes: deque[Outcome]) -> Outcome | None:
    return outcomes.popleft() if outcomes else None


def _record_of(turn: Turn) -> Iterator[RecordedCall]:
    if turn.rerun.get("rounds") == "file":
        yield from _recorded_gateway(turn).calls()
    elif turn.rerun_of is not None:
        calls = recorded_calls(active_line(turn.rerun_of.conversation))
        yield from (call for call in calls if call.outcome.error not in NO_ANSWER)


def _recorded_gateway(turn: Turn) -> RecordedGateway:
    gateway = RECORDED_GATEWAYS.get(turn.conversation_id)
    if gateway is None:
        raise InternalError("the file that this turn is answered from is not open in this process")
    return gateway


def _recorded_specs(turn: UUID) -> list[dict[str, Any]]:
    bodies = RequestBase.objects.filter(pk__in=Turn.objects.filter(pk=turn).values("rounds__base"))
    bases: list[Body] = [json.loads(body) for body in bodies.values_list("body", flat=True)]
    return [
        spec for base in bases for spec in base.get("toolConfig", {}).get("tools", ()) if "toolSpec" in spec
    ]
