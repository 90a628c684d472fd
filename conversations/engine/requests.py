"""A round's request: the stored rows of a turn and its ancestors, as messages for a model."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import FilteredRelation, Q

from conversations import attachments
from conversations.models import Approval, Message, Round, RoundFigures, ToolCall, Turn, line
from conversations.protocol.converse import history, remedies, request
from conversations.protocol.converse.content import Block, tool_result
from conversations.protocol.converse.history import PastRound, PastTurn
from conversations.protocol.converse.remedies import Remedies
from conversations.protocol.steps import CallState, RoundState

CUT_ERRORS = frozenset({"max_tokens", "cut"})
"""Errors of calls in whose arguments the answer ended."""


@dataclass
class Memory:
    """What the process that runs a turn knows of it, so that no row is read twice."""

    user_content: list[Block]
    ancestors: list[PastTurn] = field(default_factory=list)
    rounds: dict[int, PastRound] = field(default_factory=dict)
    """The turn's own rounds by number, as later requests hold them."""

    states: dict[int, RoundState] = field(default_factory=dict)
    """The same rounds, as input of `steps.next_step`."""

    attempts: dict[int, int] = field(default_factory=dict)
    figures: list[RoundFigures] = field(default_factory=list)
    unreported: int = 0
    """The least tokens that rounds without usage can have written."""

    used_ids: set[str] = field(default_factory=set)
    """The tool use ids of the conversation."""

    calls: list[ToolCall] | None = field(default_factory=list)
    """The calls of the last round, None where they have to be read."""

    approvals: dict[UUID, Approval] = field(default_factory=dict)
    """Their approvals by call."""

    has_approvals: bool = False
    """Whether any call of the turn may have an approval."""

    remedies: Remedies = ()
    """The changes that the next request begins with."""

    bases: set[str] = field(default_factory=set)
    """The request bases that rounds of the conversation use, which are stored."""

    def in_order(self) -> list[RoundState]:
        """The turn's rounds so far."""
        return [self.states[number] for number in sorted(self.states)]

    def messages(self, model: str, number: int) -> list[dict[str, Any]]:
        """The messages of the request for round `number`."""
        own = [self.rounds[n] for n in sorted(self.rounds) if n < number]
        return history.messages([*self.ancestors, PastTurn(self.user_content, own)], model)

    def has_gone_well(self, model: str) -> bool:
        """Whether the model has answered in the conversation before."""
        rounds = chain(self.rounds.values(), *(turn.rounds for turn in self.ancestors))
        return any(past.is_complete and past.content and past.model == model for past in rounds)


def load(turn: Turn, *, has_calls: bool = True) -> Memory:
    """Reads what came before a turn. Without `has_calls` the conversation has no tool calls to read."""
    messages = _user_messages(turn.conversation_id)
    pks = line(turn.pk, lambda pk: messages[pk].parent)
    rows = _attempts(pks)
    calls = list(_calls(turn.conversation_id)) if has_calls else []
    rounds = _rounds(rows, calls)
    return Memory(
        messages[turn.pk].content,
        [messages[pk].as_past(rounds[pk]) for pk in pks[:-1]],
        rounds[turn.pk],
        used_ids={call.tool_use_id for call in calls},
        remedies=_carried(rows, pks, turn.model),
        bases={row.base for row in rows},
    )


def load_begun(turn: Turn) -> Memory:
    """Reads what came before a turn, and its own rounds so far."""
    memory, rows = load(turn), list(turn.rounds.order_by("number", "attempt"))
    memory.attempts = {row.number: row.attempt for row in rows}
    memory.figures = [(row.usage, row.first_token_ms) for row in rows]
    memory.unreported = sum(row.output_tokens for row in rows if not row.is_reported)
    memory.states, memory.calls, memory.has_approvals = round_states(turn, rows), None, True
    return memory


def round_states(turn: Turn, rows: Sequence[Round]) -> dict[int, RoundState]:
    """The last attempt of each of the turn's rounds, by number, as input of `steps.next_step`."""
    calls: dict[int, list[CallState]] = defaultdict(list)
    stored = turn.tool_calls.order_by("round", "position")
    pending = set(stored.filter(approval__status=Approval.Status.PENDING).values_list("pk", flat=True))
    for call in stored:
        calls[call.round_id].append(call_state(call, is_undecided=call.pk in pending))
    newest = {row.number: row for row in rows}
    return {
        row.number: RoundState(
            row.number, row.status == Round.Status.COMPLETED, row.stop_reason, tuple(calls[row.pk])
        )
        for row in newest.values()
    }


def call_state(call: ToolCall, *, is_undecided: bool) -> CallState:
    """A call, as input of `steps.next_step`."""
    return CallState(call.tool_use_id, call.result is not None, is_undecided, call.error in CUT_ERRORS)


def labels_of(turn: Turn) -> dict[str, str]:
    """The values that headers of requests may name, for a gateway's or a server's limits and logs."""
    user = turn.user.get_username()
    return {"user": user, "conversation": str(turn.conversation_id), "turn": str(turn.pk)}


def token_limit(turn: Turn) -> int:
    """The most tokens that the turn's last request let an answer have."""
    row = turn.rounds.select_related("base").latest("number", "attempt")
    limit: int = json.loads(row.base.body)["inferenceConfig"]["maxTokens"]
    return limit


def past_turns(turn: Turn, before_round: int | None = None) -> list[PastTurn]:
    """The turn and its ancestors, oldest first.

    With `before_round` the turn itself has only its rounds before that one.
    """
    messages = _user_messages(turn.conversation_id)
    pks = line(turn.pk, lambda pk: messages[pk].parent)
    rounds = _rounds(_attempts(pks), _calls(turn.conversation_id))
    if before_round is not None:
        rounds[turn.pk] = {n: past for n, past in rounds[turn.pk].items() if n < before_round}
    return [messages[pk].as_past(rounds[pk]) for pk in pks]


def rebuild_request(row: Round) -> bytes:
    """The body of a past round's request, byte for byte; its SHA-256 is `row.request_sha256`."""
    messages = history.messages(past_turns(row.turn, row.number), row.model)
    body = request.body(messages, request.with_system(json.loads(row.base.body), row.turn.system))
    adjusted = remedies.adjusted(body, remedies.from_json(row.remedies))
    return request.encoded(attachments.with_bytes(adjusted, row.model, row.turn.conversation_id))


class _Attempt(NamedTuple):
    """An attempt at a round, with its message if it has one."""

    pk: int
    turn: UUID
    number: int
    attempt: int
    model: str
    status: str
    stop_reason: str
    remedies: list[Any]
    base: str
    content: list[Block] | None
    complete: bool | None

    @property
    def is_in_history(self) -> bool:
        """Whether it replaces an earlier one in the history, unless it broke without a message."""
        return self.status == Round.Status.COMPLETED or self.content is not None

    def as_past(self, results: dict[str, Block]) -> PastRound:
        """Its round in later requests, with these results of its calls."""
        is_complete = self.content is None or bool(self.complete)
        return PastRound(self.content or [], self.model, is_complete, self.stop_reason, results)


_COLUMNS = (
    *("pk", "turn", "number", "attempt", "model", "status", "stop_reason", "remedies", "base"),
    *("message__content", "message__complete"),
)


def _calls(conversation: UUID) -> Iterable[ToolCall]:
    calls = ToolCall.objects.filter(conversation=conversation).order_by("round", "position")
    return calls.only("round_id", "tool_use_id", "status", "result")


class _UserMessage(NamedTuple):
    parent: UUID | None
    content: list[Block]
    left_out: bool

    def as_past(self, rounds: Mapping[int, PastRound]) -> PastTurn:
        """Its turn, with these rounds."""
        return PastTurn(self.content, list(rounds.values()), self.left_out)


def _user_messages(conversation: UUID) -> dict[UUID, _UserMessage]:
    """The user's message of each turn of the conversation, and the turn that it follows on."""
    message = FilteredRelation("messages", condition=Q(messages__role=Message.Role.USER))
    rows = Turn.objects.filter(conversation=conversation).annotate(message=message).order_by()
    columns = rows.values_list("pk", "parent", "message__content", "left_out")
    return {turn: _UserMessage(parent, content or [], out) for turn, parent, content, out in columns}


def _attempts(turns: list[UUID]) -> list[_Attempt]:
    """The turns' attempts that are in the history, and those whose remedies go on.

    They are plain values: rows of a long conversation would take three times as long.
    """
    rows = Round.objects.filter(turn__in=turns).order_by("number", "attempt").values_list(*_COLUMNS)
    attempts = map(_Attempt._make, rows)
    return [attempt for attempt in attempts if attempt.is_in_history or attempt.remedies]


def _carried(rows: Iterable[_Attempt], turns: Sequence[UUID], model: str) -> Remedies:
    """The remedies that the next round begins with: those of the last round that go on."""
    place = {pk: at for at, pk in enumerate(turns)}
    last = max(rows, key=lambda row: (place[row.turn], row.number, row.attempt), default=None)
    if last is None:
        return ()
    return remedies.carried(remedies.from_json(last.remedies), is_same_model=last.model == model)


def _rounds(rows: Iterable[_Attempt], calls: Iterable[ToolCall]) -> dict[UUID, dict[int, PastRound]]:
    """The rounds that the turns' later requests hold, by turn and number."""
    results: dict[int, dict[str, Block]] = defaultdict(dict)
    for call in calls:
        if call.result is not None:
            results[call.round_id][call.tool_use_id] = result_block(call)
    rounds: dict[UUID, dict[int, PastRound]] = defaultdict(dict)
    for row in rows:
        if row.is_in_history:
            rounds[row.turn][row.number] = row.as_past(results[row.pk])
    return rounds


def result_block(call: ToolCall) -> Block:
    """An answered call's result, as a request holds it."""
    return tool_result(call.tool_use_id, call.result, is_error=call.status == ToolCall.Status.ERROR)
