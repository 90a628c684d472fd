"""One round: the request is made from what is stored, the gateway's stream is shown as it comes, and what it adds up to is stored."""

import json
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from conversations.errors import CallInterrupted, GatewayError, InternalError, StreamCut, TurntableError
from conversations.gateway import Call
from conversations.journal import Record
from conversations.models import Approval, Message, RequestBase, Round, ToolCall, Turn
from conversations.protocol import events, request
from conversations.protocol.blocks import Delta
from conversations.protocol.interrupted import CUT
from conversations.protocol.stream import Assembly

from . import approvals, loading, recorded
from .stopping import Stop, Stopped

WAIT = wait_exponential_jitter(multiplier=0.5, max=20, jitter=0.5)
STOPPED = "Stopped by the user before it ran."


class Streaming:
    """A round on its way."""

    def __init__(self, turn: Turn, record: Record, stop: Stop, number: int) -> None:
        self.turn, self.record, self.stop = turn, record, stop
        told = loading.messages(turn, turn.model, before_round=number)
        base = request.base(turn.system, turn.inference, settings.MAX_TOKENS, recorded.specs(turn), told)
        self.body = request.body(told, base)
        self.base = RequestBase(sha256=request.sha256(request.encoded(base)), body=json.dumps(base))
        self.used_ids = loading.used_tool_ids(turn.conversation_id)
        attempt = turn.rounds.filter(number=number).aggregate(last=Max("attempt"))["last"] or 0
        self.row = Round(turn=turn, number=number, attempt=attempt + 1, model=turn.model, base=self.base)
        self.row.request_sha256 = request.sha256(request.encoded(self.body))
        self.assembly = self._fresh()

    def run(self) -> None:
        """Streams the round; raises Stopped, or the GatewayError that ended it, with what had come stored."""
        self.record.append(events.step_started(self.row.number), write=self._save_start)
        try:
            self._try()
        except (Stopped, CallInterrupted) as stopped:
            self._end_stopped()
            raise Stopped from stopped
        except GatewayError as error:
            self._end_failed(error, error.request_id)
            raise
        except Exception:
            self._end_failed(InternalError())
            raise
        self._end_well()

    # -- the stream

    def _try(self) -> None:
        policy = Retrying(
            stop=stop_after_attempt(settings.GATEWAY_RETRIES),
            retry=retry_if_exception(self._may_retry),
            wait=_wait,
            sleep=self.stop.sleep,
            before_sleep=self._tell_retry,
            reraise=True,
        )
        policy(self._stream)

    def _may_retry(self, error: BaseException) -> bool:
        return isinstance(error, GatewayError) and error.retryable and self.row.first_token_ms is None

    def _tell_retry(self, state: RetryCallState) -> None:
        seconds = round(state.upcoming_sleep, 1)
        error = state.outcome.exception() if state.outcome else None
        told = {"attempt": state.attempt_number + 1, "of": settings.GATEWAY_RETRIES, "seconds": seconds}
        code = {"code": error.code} if isinstance(error, GatewayError) else {}
        self.record.append(events.custom("retrying", told | code))
        self.row.tries = state.attempt_number + 1

    def _fresh(self) -> Assembly:
        return Assembly(self.used_ids, prefix=f"tooluse_{self.turn.number}_{self.row.number}")

    def _stream(self) -> None:
        self.assembly = self._fresh()
        call = recorded.gateway_of(self.turn).call(self.row.model, self.body, self._labels())
        try:
            with self.stop.during(call):
                self._read(call, time.monotonic())
        finally:
            self.row.gateway_request_id = call.request_id
            self.row.request_sha256 = call.request_sha256 or self.row.request_sha256
        if not self.assembly.complete:
            raise StreamCut(request_id=call.request_id)

    def _read(self, call: Call, began: float) -> None:
        for name, payload in call.events():
            deltas = self.assembly.feed(name, payload)
            if deltas:
                self._show(deltas, began)

    def _labels(self) -> dict[str, str]:
        turn = self.turn
        return {
            "user": turn.user.get_username(),
            "conversation": str(turn.conversation_id),
            "turn": str(turn.pk),
        }

    def _show(self, deltas: Sequence[Delta], began: float) -> None:
        if self.row.first_token_ms is None:
            self.row.first_token_ms = int((time.monotonic() - began) * 1000)
        self.record.append(
            *(event for delta in deltas for event in events.block_events(self.row.prefix, delta))
        )

    # -- its ends

    def _end_well(self) -> None:
        self._settle(Round.Status.COMPLETED)
        calls = self._calls("", "")
        asked = approvals.requested(self.turn, calls)
        standing = [approvals.decision(each) for each in asked if each.status != Approval.Status.PENDING]
        self.record.commit(
            events.step_finished(self.row.number, self._told()),
            *standing,
            write=partial(self._save_end, calls, asked),
        )

    def _end_stopped(self) -> None:
        self._settle(Round.Status.STOPPED)
        open_blocks = [
            event for delta in self.assembly.close() for event in events.block_events(self.row.prefix, delta)
        ]
        calls = self._calls("stopped", STOPPED)
        results = [
            events.tool_call_result(call.tool_use_id, STOPPED, status="error", duration_ms=0, error="stopped")
            for call in calls
        ]
        finished = events.step_finished(self.row.number, self._told())
        self.record.commit(*open_blocks, finished, *results, write=partial(self._save_end, calls))

    def _end_failed(self, error: TurntableError, request_id: str = "") -> None:
        self._settle(Round.Status.FAILED)
        self.row.error_code, self.row.error_text, self.row.error_detail = error.code, str(error), error.detail
        self.row.gateway_request_id = request_id or self.row.gateway_request_id
        self.record.commit(write=partial(self._save_end, self._calls("cut", CUT)))

    def _settle(self, status: Round.Status) -> None:
        row, assembly = self.row, self.assembly
        row.status = status
        row.finished_at = timezone.now()
        row.stop_reason = assembly.stop_reason or ""
        row.latency_ms = assembly.latency_ms
        passed_over = {"passedOver": dict(assembly.passed_over)} if assembly.passed_over else {}
        row.metadata = assembly.metadata | passed_over
        row.take_usage(assembly.usage)

    def _told(self) -> dict[str, Any]:
        row = self.row
        return {
            "stopReason": row.stop_reason or None,
            "usage": row.usage,
            "latencyMs": row.latency_ms,
            "firstTokenMs": row.first_token_ms,
            "model": row.model,
        }

    def _calls(self, error: str, why: str) -> list[ToolCall]:
        """The calls as rows: asked for, or with `error` answered already because the round was not completed."""
        turn, answer = self.turn, [{"text": why}] if error else None
        status = ToolCall.Status.ERROR if error else ToolCall.Status.REQUESTED
        return [
            ToolCall(
                conversation_id=turn.conversation_id,
                turn=turn,
                round=self.row,
                position=position,
                tool_use_id=asked.tool_use_id,
                name=asked.name[:200],
                arguments=asked.arguments,
                input=asked.input,
                status=status,
                error=error,
                result=answer,
            )
            for position, asked in enumerate(self.assembly.calls())
        ]

    # -- rows, written by the journal in the commit of their events

    def _save_start(self) -> None:
        RequestBase.objects.bulk_create([self.base], ignore_conflicts=True)
        self.row.save(force_insert=True)

    def _save_end(self, calls: list[ToolCall], asked: Sequence[Approval] = ()) -> None:
        self.row.save(force_update=True)
        content = self.assembly.content()
        if content:
            Message.objects.create(
                conversation_id=self.turn.conversation_id,
                turn=self.turn,
                round=self.row,
                role=Message.Role.ASSISTANT,
                content=content,
                complete=self.assembly.complete,
            )
        ToolCall.objects.bulk_create(calls)
        Approval.objects.bulk_create(asked)


def _wait(state: RetryCallState) -> float:
    """As long as the gateway asked for, or else exponentially longer with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, GatewayError) else None
    return float(WAIT(state)) if asked is None else asked
