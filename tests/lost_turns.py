"""Turns as a process leaves them when it dies in the middle."""

from datetime import timedelta
from typing import Any

from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.utils import timezone

from conversations import engine
from conversations.engine import WORKER
from conversations.engine.recovery import opening_events, read_opening
from conversations.journal import page
from conversations.models import (
    Approval,
    Conversation,
    Event,
    Message,
    Recording,
    RequestBase,
    Round,
    ToolCall,
    Turn,
)
from conversations.protocol.agui import events
from tests.records import delta, open_record, running
from tests.turns import QUESTION, ask, record

CUT_ARGUMENTS = {"AGUI204": "off"}
LONG_AGO = timedelta(minutes=1)


class Lost:
    """A turn whose process has died: rows, events, and a lease that nobody renews."""

    def __init__(
        self, conversation: Conversation, number: int = 1, question: str = QUESTION, **fields: Any
    ) -> None:
        ran_out = timezone.now() - LONG_AGO
        self.turn = running(conversation, number, **{"lease_until": ran_out, "started_at": ran_out} | fields)
        message = {"conversation": conversation, "turn": self.turn, "role": "user"}
        Message.objects.create(**message, content=[{"text": question}])
        self.record = open_record(self.turn)
        self.calls: list[ToolCall] = []

    def begins_round(self, number: int = 1, attempt: int = 1) -> Round:
        """Begins a round, which stays under way."""
        if self.record.seq == 0:
            self.record.commit(*opening_events(self.turn, read_opening(self.turn)))
        body = '{"inferenceConfig": {"maxTokens": 300}}'
        base, _ = RequestBase.objects.get_or_create(sha256="0" * 64, body=body)
        row = Round(turn=self.turn, number=number, attempt=attempt, model=self.turn.model, base=base)
        self.record.commit(events.step_started(number), write=row.save)
        return row

    def says(self, text: str, prefix: str = "1:0") -> str:
        """Begins a text block and leaves it open; returns its id."""
        block = f"{self.turn.pk}:{prefix}"
        start = {"type": "TEXT_MESSAGE_START", "messageId": block, "role": "assistant"}
        self.record.commit(start, delta(text, block))
        return block

    def asks_for(self, call: str, arguments: str = '{"sign": "WZPZ"}') -> list[events.Event]:
        """The events of a call's request."""
        start = {"type": "TOOL_CALL_START", "toolCallId": call, "toolCallName": "top_song"}
        beginning = [start, {"type": "TOOL_CALL_ARGS", "toolCallId": call, "delta": arguments}]
        return [*beginning, {"type": "TOOL_CALL_END", "toolCallId": call}]

    def calls_tools(self, **statuses: str) -> Round:
        """A whole round that asks for calls, each with a status.

        The result of a call that succeeded is stored and not shown yet.
        """
        row = self.begins_round()
        row.status, row.stop_reason = Round.Status.COMPLETED, "tool_use"
        requests = [event for call in statuses for event in self.asks_for(call)]
        uses = [{"toolUseId": call, "name": "top_song", "input": {"sign": "WZPZ"}} for call in statuses]
        message = Message(
            conversation_id=self.turn.conversation_id, turn=self.turn, round=row, role="assistant",
            content=[{"toolUse": use} for use in uses],
        )  # fmt: skip
        self.calls = [
            ToolCall(
                conversation_id=self.turn.conversation_id, turn=self.turn, round=row, position=position,
                tool_use_id=call, name="top_song", status=status, input={"sign": "WZPZ"},
                result=[{"json": {"song": call}}] if status == "success" else None,
            )
            for position, (call, status) in enumerate(statuses.items())
        ]  # fmt: skip

        def write() -> None:
            row.save()
            message.save()
            ToolCall.objects.bulk_create(self.calls)

        self.record.commit(*requests, events.step_finished(1, {"stopReason": "tool_use"}), write=write)
        return row

    def cut_at_limit(self, number: int) -> Round:
        """A whole round whose one call was cut at the limit of tokens, and is answered."""
        row, call = self.begins_round(number), f"cut-{number}"
        row.status, row.stop_reason = Round.Status.COMPLETED, "max_tokens"
        use = {"toolUseId": call, "name": "top_song", "input": '{"sign'}
        shared = {"conversation_id": self.turn.conversation_id, "turn": self.turn, "round": row}
        message = Message(**shared, role="assistant", content=[{"toolUse": use}])
        call_row = ToolCall(
            **shared, position=0, tool_use_id=call, name="top_song", arguments='{"sign', status="error",
            error="max_tokens", result=[{"text": "Not run."}],
        )  # fmt: skip

        def write() -> None:
            row.save()
            message.save()
            call_row.save(force_insert=True)

        result = events.tool_call_result(call, "Not run.", status="error", duration_ms=0, error="max_tokens")
        finished = events.step_finished(number, {"stopReason": "max_tokens"})
        self.record.commit(*self.asks_for(call, '{"sign'), finished, result, write=write)
        return row


def pending_approvals(conversation: Conversation, *calls: str) -> list[Approval]:
    """The approvals of a turn that waits for decisions about these calls of `top_song`."""
    lost = Lost(conversation)
    lost.calls_tools(**dict.fromkeys(calls, "requested"))
    Turn.objects.filter(pk=lost.turn.pk).update(status="waiting")
    return Approval.objects.bulk_create([Approval(call=call) for call in lost.calls])


def recover(lost: Lost, status: str = "completed") -> list[events.Event]:
    """The turn's events when it has been taken up and has ended.

    Checks that its record is whole and packed, and that the next turn works.
    """
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    conversation = lost.turn.conversation
    lost.turn.refresh_from_db()
    assert lost.turn.status == status, lost.turn.error_text
    assert (lost.turn.lease_token, lost.turn.lease_until) == (None, None)
    assert not lost.turn.rounds.filter(status="running").exists()
    assert not lost.turn.tool_calls.filter(result__isnull=True).exists()
    turn_events = record(conversation)
    assert [event["metadata"]["seq"] for event in turn_events] == list(range(1, len(turn_events) + 1))
    assert_valid_agui(turn_events, severity_overrides=CUT_ARGUMENTS)
    assert Recording.objects.filter(turn=lost.turn).exists()
    assert not Event.objects.exists()
    newest = page(conversation)
    assert newest.turns[-1]["status"] == status
    assert not any(message["metadata"].get("open") for message in newest.messages)
    following = ask(conversation, "show the conversation")
    assert following.status == Turn.Status.COMPLETED, following.error_text
    return turn_events
