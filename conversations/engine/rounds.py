"""One round: its request, the gateway's stream, shown as it comes, and the rows that it leaves."""

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from conversations import signals
from conversations.conf import settings
from conversations.errors import GatewayError, InternalError, StreamCut, TurntableError
from conversations.gateway import Call
from conversations.mcp import SERVERS
from conversations.models import Approval, Message, Round, ToolCall
from conversations.protocol.agui import events
from conversations.protocol.agui.closing import BROKEN_OFF
from conversations.protocol.converse.blocks import CallRequest, Delta
from conversations.protocol.converse.history import PastRound
from conversations.protocol.converse.remedies import Remedy
from conversations.protocol.converse.stream import Assembly
from conversations.protocol.converse.usage import is_reported
from conversations.protocol.steps import RoundState

from . import approvals, permissions, requests, synthetic
from .outgoing import Outgoing
from .stopping import Stopped
from .tool_calls import leading_results

if TYPE_CHECKING:
    from .run import Run

WAIT = wait_exponential_jitter(multiplier=0.5, max=20, jitter=0.5)
MISSING = "Without the tools of {}"
BY_CATALOGUE = "The catalogue of models says so."
STOPPED = "Stopped by the user before it ran."
CUT_AT_LIMIT = (
    "Not run: the answer reached its limit of {limit} tokens within the arguments of this call, which were cut off. "
    "Call again with shorter arguments, or do it in several calls."
)
CUT_OFF = "Not run: the answer was ended within the arguments of this call ({reason}), which were cut off."
SWITCHED_OFF = "Not run: the user has switched this tool off for this conversation."
DAMAGED = (
    "Not run: a part of this call was lost or damaged on its way here, so its arguments may not be what was sent. "
    "Call again with all of its arguments."
)


class Streaming:
    """A round under way. Its end is deferred to the turn's next commit, which follows at once."""

    def __init__(self, run: "Run", number: int) -> None:
        self.run, self.turn, self.record, self.memory = run, run.turn, run.record, run.memory
        attempt = self.memory.attempts.get(number, 0) + 1
        self.row = Round(turn=self.turn, number=number, attempt=attempt, model=self.turn.model)
        self.prefix = self.row.prefix
        self.outgoing = Outgoing(run, self.row)
        self.assembly = self._new_assembly()
        self.lacking: frozenset[str] = frozenset()
        """Tools that the round calls and that its user has no permission for."""

    async def stream(self) -> None:
        """Streams the round. Raises Stopped or the GatewayError that ended it, once what came is stored."""
        if synthetic.may_call_tools(self.turn):
            with self.run.stop.interruptible():
                await SERVERS.wait_until_ready()
        first_call = await self.run.in_database(self.outgoing.prepare)
        self.record.append(events.step_started(self.row.number), write=self._save_start)
        if lack := self.outgoing.lack:
            self.record.append(events.adjusted(lack.what, BY_CATALOGUE))
        if self.row.number == self.row.attempt == 1:
            self._show_missing_servers()
        try:
            await self._try(first_call)
        except Stopped:
            self._end_stopped()
            raise
        except GatewayError as error:
            failure = self.outgoing.judge(error)
            self._end_failed(failure, failure.request_id)
            raise failure from (None if failure is error else error)
        except Exception:
            self._end_failed(InternalError())
            raise
        await self._end_well()

    def _show_missing_servers(self) -> None:
        for server, fault in SERVERS.faults().items() if synthetic.may_call_tools(self.turn) else ():
            self.record.append(events.adjusted(MISSING.format(server), f"{fault[:1].upper()}{fault[1:]}."))

    # -- the stream

    async def _try(self, first_call: Call | TurntableError) -> None:
        policy = AsyncRetrying(
            stop=stop_after_attempt(settings.GATEWAY_RETRIES),
            retry=retry_if_exception(self._may_retry),
            wait=_wait,
            sleep=self.run.stop.sleep,
            before_sleep=self._show_retry,
            reraise=True,
        )
        await policy(self._stream, [first_call])

    def _may_retry(self, error: BaseException) -> bool:
        return isinstance(error, GatewayError) and error.is_retryable and self.row.first_token_ms is None

    def _show_retry(self, state: RetryCallState) -> None:
        seconds = round(state.upcoming_sleep, 1)
        error = state.outcome.exception() if state.outcome else None
        value = {"attempt": state.attempt_number + 1, "of": settings.GATEWAY_RETRIES, "seconds": seconds}
        code = {"code": error.code} if isinstance(error, GatewayError) else {}
        self.record.append(events.custom("retrying", value | code))
        self.row.tries += 1

    def _new_assembly(self) -> Assembly:
        return Assembly(self.memory.used_ids, prefix=f"tooluse_{self.turn.number}_{self.row.number}")

    async def _stream(self, calls: list[Call | TurntableError]) -> None:
        """Streams one attempt: the call in the list, which is used up, or else a new one.

        A request that is refused is sent again at once if there is a remedy.
        """
        call = calls.pop() if calls else await self.run.in_database(self.outgoing.call)
        while True:
            try:
                return await self._receive(call)
            except GatewayError as error:
                remedy = await self._remedy(error)
                if remedy is None:
                    raise
            call = await self._adjusted_call(remedy)

    async def _remedy(self, error: GatewayError) -> Remedy | None:
        return await self.run.in_database(self.outgoing.remedy, error) if error.refusal else None

    async def _adjusted_call(self, remedy: Remedy) -> Call | TurntableError:
        call = await self.run.in_database(self.outgoing.adjust, remedy)
        self.record.append(events.adjusted(remedy.what, remedy.why), write=self.outgoing.adjustment_write())
        return call

    async def _receive(self, call: Call | TurntableError) -> None:
        self.assembly = self._new_assembly()
        if isinstance(call, TurntableError):
            raise call
        try:
            with self.run.stop.interruptible():
                await self._read(call, time.monotonic())
        finally:
            self.row.gateway_request_id = call.request_id
        if not self.assembly.is_complete:
            raise StreamCut(request_id=call.request_id)

    async def _read(self, call: Call, start: float) -> None:
        feed = self.assembly.feed

        def receive(name: str, payload: dict[str, Any]) -> None:
            if deltas := feed(name, payload):
                self._show(deltas, start)

        await call.stream(receive, self.run.journal)

    def _show(self, deltas: Sequence[Delta], start: float) -> None:
        if self.row.first_token_ms is None:
            self.row.first_token_ms = int((time.monotonic() - start) * 1000)
        self.record.append(*(event for delta in deltas for event in events.block_events(self.prefix, delta)))

    # -- its ends

    async def _end_well(self) -> None:
        if self.outgoing.has_learned:
            await self.run.in_database(self.outgoing.learn)
        await self._look_up_permissions()
        self._settle(Round.Status.COMPLETED)
        calls = self._calls()
        rows: list[Approval] = []
        if any(approvals.needs_approval(call) for call in calls):
            rows = await self.run.in_database(approvals.for_calls, self.turn, calls)
        self._remember(calls, rows)
        decisions = [approvals.decision_event(row) for row in rows if row.status != Approval.Status.PENDING]
        self.record.defer(
            events.step_finished(self.row.number, self._metadata()),
            *decisions,
            *leading_results(calls),
            write=partial(self._save_end, calls, rows),
        )

    async def _look_up_permissions(self) -> None:
        names = [use.name for use in self.assembly.calls()]
        if permissions.are_needed(names):
            self.lacking = await self.run.in_database(permissions.lacking, self.turn.user_id, names)

    def _remember(self, calls: list[ToolCall], rows: Sequence[Approval]) -> None:
        """Keeps what the turn's next step and its next request need."""
        memory, row = self.memory, self.row
        pending = {approval.call_id for approval in rows if approval.status == Approval.Status.PENDING}
        states = [requests.call_state(call, is_undecided=call.pk in pending) for call in calls]
        memory.states[row.number] = RoundState(row.number, True, row.stop_reason, tuple(states))
        results = {call.tool_use_id: requests.result_block(call) for call in calls if call.result}
        memory.rounds[row.number] = PastRound(
            self.assembly.content(), row.model, stop_reason=row.stop_reason, results=results
        )
        memory.has_approvals = memory.has_approvals or bool(rows)
        memory.bases.add(self.outgoing.base.pk)
        memory.used_ids |= {call.tool_use_id for call in calls}
        memory.calls, memory.approvals = calls, {approval.call_id: approval for approval in rows}

    def _end_stopped(self) -> None:
        self._settle(Round.Status.STOPPED)
        open_blocks = [
            event for delta in self.assembly.close() for event in events.block_events(self.prefix, delta)
        ]
        calls = self._calls("stopped", STOPPED)
        results = [
            events.tool_call_result(call.tool_use_id, STOPPED, status="error", duration_ms=0, error="stopped")
            for call in calls
        ]
        finished = events.step_finished(self.row.number, self._metadata())
        self.record.defer(*open_blocks, finished, *results, write=partial(self._save_end, calls))

    def _end_failed(self, error: TurntableError, request_id: str = "") -> None:
        self._settle(Round.Status.FAILED)
        self.row.error_code, self.row.error_text, self.row.error_detail = error.code, str(error), error.detail
        self.row.gateway_request_id = request_id or self.row.gateway_request_id
        self.record.defer(write=partial(self._save_end, self._calls("cut", BROKEN_OFF)))

    def _settle(self, status: Round.Status) -> None:
        row, assembly = self.row, self.assembly
        row.status = status
        row.finished_at = timezone.now()
        row.stop_reason = assembly.stop_reason or ""
        row.latency_ms = assembly.latency_ms
        oddities = {"passedOver": dict(assembly.passed_over), "damaged": assembly.damage()}
        row.metadata = assembly.metadata | {name: counts for name, counts in oddities.items() if counts}
        unreported = 0 if is_reported(assembly.usage) else assembly.least_tokens
        row.set_usage(assembly.usage, unreported)
        self.memory.unreported += unreported
        self.memory.figures.append((row.usage, row.first_token_ms))

    def _metadata(self) -> dict[str, Any]:
        row = self.row
        damaged = {"damaged": sum(counts.values())} if (counts := row.metadata.get("damaged")) else {}
        return damaged | {
            "stopReason": row.stop_reason or None,
            "usage": row.usage,
            "latencyMs": row.latency_ms,
            "firstTokenMs": row.first_token_ms,
            "model": row.model,
        }

    def _calls(self, error: str = "", text: str = "") -> list[ToolCall]:
        """The round's calls as rows. With `error` and `text` they are answered, as they will not run."""
        return [
            self._call_row(position, use, *((error, text) if error else self._refusal(use)))
            for position, use in enumerate(self.assembly.calls())
        ]

    def _call_row(self, position: int, use: CallRequest, error: str, text: str) -> ToolCall:
        return ToolCall(
            conversation_id=self.turn.conversation_id,
            turn=self.turn,
            round=self.row,
            position=position,
            tool_use_id=use.tool_use_id,
            name=use.name[:200],
            arguments=use.arguments,
            input=use.input,
            status=ToolCall.Status.ERROR if error else ToolCall.Status.REQUESTED,
            error=error,
            result=[{"text": text}] if error else None,
        )

    def _refusal(self, use: CallRequest) -> tuple[str, str]:
        """Why a call of the round will not run: an error code and a sentence for the model, or blanks."""
        is_off = use.name in self.turn.tools_off and "call" not in self.turn.rerun
        match use.fault:
            case "" if use.name in self.lacking:
                return permissions.ERROR, permissions.REFUSAL
            case "":
                return ("switched_off", SWITCHED_OFF) if is_off else ("", "")
            case "damaged":
                return "damaged", DAMAGED
            case "cut" if self.row.stop_reason == "max_tokens":
                return "max_tokens", CUT_AT_LIMIT.format(limit=self.outgoing.limit)
        return "cut", CUT_OFF.format(reason=self.row.stop_reason)

    # -- rows, written by the journal in the commit of their events

    def _save_start(self) -> None:
        self.outgoing.save_base()
        self.row.save(force_insert=True)

    def _save_end(self, calls: list[ToolCall], rows: Sequence[Approval] = ()) -> None:
        self.row.save(force_update=True)
        content = self.assembly.content()
        if content:
            Message.objects.create(
                conversation_id=self.turn.conversation_id,
                turn=self.turn,
                round=self.row,
                role=Message.Role.ASSISTANT,
                content=content,
                complete=self.assembly.is_complete,
            )
        if calls:
            ToolCall.objects.bulk_create(calls)
            signals.announce_answered(calls)
        if rows:
            Approval.objects.bulk_create(rows)


def _wait(state: RetryCallState) -> float:
    """The seconds before the next attempt: the gateway's wish, or else exponentially more with jitter."""
    error = state.outcome.exception() if state.outcome else None
    seconds = error.retry_after if isinstance(error, GatewayError) else None
    return float(WAIT(state)) if seconds is None else seconds
