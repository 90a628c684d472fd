"""A round's tool calls: all at once, each committed as running before it runs, answered in the order in which they were asked for."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial

from django.utils import timezone

from conversations.journal import Record
from conversations.models import ToolCall, Turn
from conversations.protocol import events
from conversations.protocol.events import Event
from conversations.protocol.steps import RunTools
from conversations.tools import registry
from conversations.tools.execution import Outcome, execute

from .stopping import Stop

NO_APPROVAL = "Not run: this tool needs an approval, and nobody can give one here yet."
LIMIT = "Not run: the limit of rounds for this turn is reached."


class Calls:
    """The unanswered tool calls of a round."""

    def __init__(self, turn: Turn, record: Record, stop: Stop, step: RunTools) -> None:
        self.record, self.stop, self.refuse = record, stop, step.refuse
        rows = ToolCall.objects.filter(
            turn=turn, round__number=step.number, tool_use_id__in=step.tool_use_ids
        )
        self.rows = list(rows.order_by("position"))
        self._shown = 0

    def run(self) -> None:
        """Runs them, or answers that the limit of rounds is reached; returns when each has its result stored."""
        if self.refuse:
            refused = Outcome(status="error", error="round_limit", content=[{"text": LIMIT}], duration_ms=0)
            for row in self.rows:
                self._store(row, refused)
            return
        self.record.commit(write=self._save_running)
        with ThreadPoolExecutor(len(self.rows), thread_name_prefix="tool-call") as threads:
            waiting = {threads.submit(self._execute, row): row for row in self.rows}
            for done in as_completed(waiting):
                self._store(waiting[done], _outcome(done))

    def _execute(self, row: ToolCall) -> Outcome:
        asked = registry.get(row.name)
        if asked is not None and asked.approval:
            return Outcome(status="error", error="denied", content=[{"text": NO_APPROVAL}], duration_ms=0)
        return execute(row.name, row.input, stop=self.stop.event, key=str(row.pk))

    def _save_running(self) -> None:
        now = timezone.now()
        for row in self.rows:
            row.status, row.started_at = ToolCall.Status.RUNNING, now
        ToolCall.objects.bulk_update(self.rows, ["status", "started_at"])

    def _store(self, row: ToolCall, outcome: Outcome) -> None:
        row.status = ToolCall.Status.SUCCESS if outcome.status == "success" else ToolCall.Status.ERROR
        row.error, row.result, row.duration_ms = outcome.error, outcome.content, outcome.duration_ms
        row.finished_at = timezone.now()
        self.record.commit(*self._next_shown(), write=partial(row.save, force_update=True))

    def _next_shown(self) -> Iterator[Event]:
        """The results that may be shown now: those that no unanswered call comes before."""
        while self._shown < len(self.rows) and self.rows[self._shown].result is not None:
            row = self.rows[self._shown]
            self._shown += 1
            text = events.result_text(row.result)
            yield events.tool_call_result(
                row.tool_use_id, text, status=row.status, duration_ms=row.duration_ms or 0
            )


def _outcome(done: "Future[Outcome]") -> Outcome:
    return done.result()


def answer_waiting(turn: Turn, record: Record, error: str, why: str) -> None:
    """Answers the calls of an ending turn that were asked for and are not run any more."""
    for row in turn.tool_calls.filter(result__isnull=True).order_by("round", "position"):
        row.status, row.error = ToolCall.Status.ERROR, error
        row.result, row.finished_at = [{"text": why}], timezone.now()
        event = events.tool_call_result(row.tool_use_id, why, status="error", duration_ms=0)
        record.append(event, write=partial(row.save, force_update=True))
