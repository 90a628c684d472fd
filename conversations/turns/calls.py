"""A round's tool calls: all at once, each committed as running before it runs, answered in the order in which they were asked for."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from itertools import dropwhile, takewhile
from uuid import UUID

from django.utils import timezone

from conversations.journal import Record
from conversations.models import Approval, Round, ToolCall, Turn
from conversations.protocol import events
from conversations.protocol.events import Event
from conversations.protocol.history import NO_RESULT
from conversations.protocol.steps import RunTools
from conversations.tools import registry
from conversations.tools.execution import Outcome, execute

from . import approvals, recorded
from .stopping import Stop, Stopped

NO_APPROVAL = "Not run: this tool needs an approval, which nobody has given."
LIMIT = "Not run: the limit of rounds for this turn is reached."


class Calls:
    """A round's tool calls. Those that a dead process had begun are made again only if their tool says that it is idempotent."""

    def __init__(self, turn: Turn, record: Record, stop: Stop, step: RunTools) -> None:
        self.turn, self.record, self.stop, self.refuse = turn, record, stop, step.refuse
        rows = ToolCall.objects.filter(
            turn=turn, round__number=step.number, round__status=Round.Status.COMPLETED
        )
        self.rows = list(rows.order_by("position"))
        self._shown = sum(1 for _ in takewhile(_is_answered, self.rows))
        self._approvals: dict[UUID, Approval] = {}

    def run(self) -> None:
        """Runs them, or answers them from a record, or that the limit of rounds is reached; returns when each has its result stored.

        Raises Stopped if the record ends the turn here.
        """
        waiting = [row for row in self.rows if not _is_answered(row)]
        lost = [row for row in waiting if row.status == ToolCall.Status.RUNNING and not _is_idempotent(row)]
        self._store_all(lost, _refused("interrupted", NO_RESULT))
        waiting = [row for row in waiting if row not in lost]
        if self.refuse:
            self._store_all(waiting, _refused("round_limit", LIMIT))
        else:
            self._answer_all(waiting)
        if recorded.ends_turn(self.turn, self.rows):
            raise Stopped

    def _answer_all(self, rows: list[ToolCall]) -> None:
        answers = recorded.answers(self.turn, rows)
        for row, outcome in answers.items():
            self._store(row, outcome)
        self._run_approved([row for row in rows if row not in answers])

    def _run_approved(self, rows: list[ToolCall]) -> None:
        self._approvals = approvals.of(rows)
        refused = {row: why for row in rows if (why := self._refusal(row))}
        for row, why in refused.items():
            self._store(row, _refused(*why))
        if left := [row for row in rows if row not in refused]:
            self._run_all(left)

    def _refusal(self, row: ToolCall) -> tuple[str, str] | None:
        """Why a person's decision, or the want of one, keeps it from running; None if it may."""
        if approval := self._approvals.get(row.pk):
            return approvals.refusal(approval)
        asked = registry.get(row.name)
        needs_one = asked is not None and asked.approval and row.input is not None
        return ("denied", NO_APPROVAL) if needs_one else None

    def _run_all(self, rows: list[ToolCall]) -> None:
        self.record.commit(write=partial(self._save_running, rows))
        with ThreadPoolExecutor(len(rows), thread_name_prefix="tool-call") as threads:
            waiting = {threads.submit(self._execute, row): row for row in rows}
            for done in as_completed(waiting):
                self._store(waiting[done], done.result())

    def _execute(self, row: ToolCall) -> Outcome:
        approval = self._approvals.get(row.pk)
        if approval is None or approval.input is None:
            return execute(row.name, row.input, stop=self.stop.event, key=str(row.pk))
        done = execute(row.name, approval.input, stop=self.stop.event, key=str(row.pk))
        told = {"text": approvals.CHANGED + json.dumps(approval.input, ensure_ascii=False)}
        return replace(done, content=[told, *done.content])

    def _save_running(self, rows: list[ToolCall]) -> None:
        now = timezone.now()
        for row in rows:
            row.status, row.started_at = ToolCall.Status.RUNNING, now
        ToolCall.objects.bulk_update(rows, ["status", "started_at"])

    def _store_all(self, rows: list[ToolCall], outcome: Outcome) -> None:
        for row in rows:
            self._store(row, outcome)

    def _store(self, row: ToolCall, outcome: Outcome) -> None:
        row.status = ToolCall.Status.SUCCESS if outcome.status == "success" else ToolCall.Status.ERROR
        row.error, row.result, row.duration_ms = outcome.error, outcome.content, outcome.duration_ms
        row.finished_at = timezone.now()
        self.record.commit(*self._next_shown(), write=partial(row.save, force_update=True))

    def _next_shown(self) -> Iterator[Event]:
        """The results that may be shown now: those that no unanswered call comes before."""
        while self._shown < len(self.rows) and self.rows[self._shown].result is not None:
            self._shown += 1
            yield _shown(self.rows[self._shown - 1])


def _is_answered(row: ToolCall) -> bool:
    return row.result is not None


def _is_idempotent(row: ToolCall) -> bool:
    asked = registry.get(row.name)
    return asked is not None and asked.idempotent


def _refused(error: str, why: str) -> Outcome:
    return Outcome(status="error", error=error, content=[{"text": why}], duration_ms=0)


def answer_waiting(turn: Turn, record: Record, error: str, why: str) -> None:
    """Answers the calls of an ending turn that were asked for and are not run any more, and shows the results that waited for them."""
    asked = turn.tool_calls.filter(round__status=Round.Status.COMPLETED).order_by("round", "position")
    for row in dropwhile(_is_answered, asked):
        write = None
        if not _is_answered(row):
            row.status, row.error = ToolCall.Status.ERROR, error
            row.result, row.finished_at = [{"text": why}], timezone.now()
            write = partial(row.save, force_update=True)
        record.append(_shown(row), write=write)


def _shown(row: ToolCall) -> Event:
    text = events.result_text(row.result)
    return events.tool_call_result(
        row.tool_use_id, text, status=row.status, duration_ms=row.duration_ms or 0, error=row.error
    )
