"""The next step of a turn, as a pure function of what is stored, and the table of stop reasons.

Whether tools run is decided by the blocks of the message, not by its stop reason: models say `end_turn` beside tool uses, and
`tool_use` beside none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Ending(NamedTuple):
    """The meaning of a stop reason.

    `code` is the turn's error where no tool is to run. `cuts_arguments` says that the arguments of a tool call may be cut off; `cut_again`
    is the turn's error when they are cut for the second time.
    """

    code: str | None = None
    cuts_arguments: bool = False
    cut_again: str = "stream_error"


STOP_REASONS: dict[str, Ending] = {
    "end_turn": Ending(),
    "stop_sequence": Ending(),
    "tool_use": Ending(),
    "max_tokens": Ending(cuts_arguments=True, cut_again="max_tokens"),
    "guardrail_intervened": Ending(cuts_arguments=True),
    "content_filtered": Ending(cuts_arguments=True),
    "malformed_model_output": Ending(code="stream_error", cuts_arguments=True),
    "malformed_tool_use": Ending(code="stream_error", cuts_arguments=True),
    "model_context_window_exceeded": Ending(
        code="context_overflow", cuts_arguments=True, cut_again="context_overflow"
    ),
}
UNKNOWN_REASON = Ending()
"""A stop reason that the table lacks ends the turn as `end_turn` does; the round stores its name."""

CUTS_ARGUMENTS = frozenset(reason for reason, ending in STOP_REASONS.items() if ending.cuts_arguments)
BLOCKED = frozenset({"guardrail_intervened"})
"""Rounds whose question would be blocked again: their turn stays out of later requests."""

CUT_ROUNDS = 2
"""Rounds with a cut call that a turn may have: each costs, and a third is seldom shorter."""


@dataclass(frozen=True, slots=True)
class CallState:
    """A requested tool call.

    `is_undecided` says that a person has to decide first if it may run, `is_cut` that the answer ended within its arguments.
    """

    tool_use_id: str
    is_answered: bool
    is_undecided: bool = False
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class RoundState:
    """A round as it is stored; it is complete when `messageStop` was seen."""

    number: int
    is_complete: bool
    stop_reason: str = ""
    calls: tuple[CallState, ...] = ()


@dataclass(frozen=True, slots=True)
class CallModel:
    """Call the model for round `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class RunTools:
    """Run these calls of round `number`, all at once.

    With `refuse` they are answered with that error instead, and the turn ends with it.
    """

    number: int
    tool_use_ids: tuple[str, ...]
    refuse: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until a person has decided about these calls of round `number`; none of its calls runs before."""

    number: int
    tool_use_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is final."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The turn ends with an error of the contract's."""

    code: str


Step = CallModel | RunTools | Wait | Finish | Fail


def next_step(rounds: Sequence[RoundState], max_rounds: int) -> Step:
    """The step that follows from a turn's rounds, in order."""
    if not rounds:
        return CallModel(1)
    last = rounds[-1]
    if not last.is_complete:
        return CallModel(last.number)
    if last.calls:
        return _after_calls(last, _error_after(rounds, max_rounds))
    ending = STOP_REASONS.get(last.stop_reason, UNKNOWN_REASON)
    return Fail(ending.code) if ending.code else Finish()


def _after_calls(last: RoundState, code: str) -> Step:
    unanswered = tuple(call.tool_use_id for call in last.calls if not call.is_answered)
    undecided = tuple(call.tool_use_id for call in last.calls if call.is_undecided and not call.is_answered)
    if undecided and not code:
        return Wait(last.number, undecided)
    if unanswered:
        return RunTools(last.number, unanswered, refuse=code)
    return Fail(code) if code else CallModel(last.number + 1)


def _error_after(rounds: Sequence[RoundState], max_rounds: int) -> str:
    """The error with which the turn ends after its last round, "" where it goes on."""
    last = rounds[-1]
    if _is_cut(last) and sum(map(_is_cut, rounds)) >= CUT_ROUNDS:
        return STOP_REASONS.get(last.stop_reason, UNKNOWN_REASON).cut_again
    return "round_limit" if last.number >= max_rounds else ""


def _is_cut(state: RoundState) -> bool:
    return state.is_complete and any(call.is_cut for call in state.calls)
