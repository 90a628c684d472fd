"""A round's tool calls: stored as running, then run at the same time, answered in their order."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from conversations import signals
from conversations.models import Approval, Round, ToolCall, Turn
from conversations.protocol.agui import events
from conversations.protocol.agui.events import Event
from conversations.protocol.converse.history import NO_RESULT
from conversations.protocol.steps import RunTools
from conversations.tools import Context, Outcome, Question, RemoteTool, execute, registry

from . import approvals, permissions, questions, requests, synthetic
from .live_calls import origin_of
from .progress import Progress
from .stopping import Stopped

if TYPE_CHECKING:
    from conversations.journal import Record

    from .run import Run

NO_APPROVAL = "Not run: this tool needs an approval, which nobody has given."
LIMIT = "Not run: the limit of rounds for this turn is reached."
ENDED = "Not run: the turn ended, as the arguments of another call were cut off once more."


class Calls:
    """The tool calls of a round. One that a dead process had begun runs again only if idempotent."""

    def __init__(self, run: "Run", step: RunTools) -> None:
        self.run, self.turn, self.record, self.step = run, run.turn, run.record, step
        self._live = run.live_calls
        self.rows: list[ToolCall] = []
        self._approvals: dict[UUID, Approval] = {}
        self._answered = 0
        self._questions: dict[ToolCall, Question] = {}

    async def answer(self) -> None:
        """Runs the calls, or answers them from a record; returns once all results are stored.

        No call runs after the last allowed round. Raises Stopped if a rerun ends the turn here.
        """
        if self.run.memory.calls is None:
            await self.run.in_database(self._load)
        self.rows, self._approvals = self.run.memory.calls or [], self.run.memory.approvals
        self._answered = sum(1 for _ in takewhile(_is_answered, self.rows))
        waiting = [row for row in self.rows if not _is_answered(row)]
        lost = [row for row in waiting if row.status == ToolCall.Status.RUNNING and not self._may_go_on(row)]
        await self._store_all(lost, _error("interrupted", NO_RESULT))
        waiting = [row for row in waiting if row not in lost]
        if self.step.refuse:
            is_limit = self.step.refuse == "round_limit"
            await self._store_all(
                waiting, _error("round_limit", LIMIT) if is_limit else _error("not_run", ENDED)
            )
        else:
            await self._answer_all(waiting)
        self._remember()
        if synthetic.ends_turn(self.turn, self.rows):
            raise Stopped

    def _load(self) -> None:
        rows = ToolCall.objects.filter(
            turn=self.turn, round__number=self.step.number, round__status=Round.Status.COMPLETED
        )
        self.run.memory.calls = list(rows.order_by("position"))
        self.run.memory.approvals = approvals.by_call(self.run.memory.calls)

    def _remember(self) -> None:
        memory, number = self.run.memory, self.step.number
        state, asking = memory.states[number], {row.tool_use_id for row in self._questions}
        calls = (
            replace(call, is_answered=call.tool_use_id not in asking, is_undecided=call.tool_use_id in asking)
            for call in state.calls
        )
        memory.states[number] = replace(state, calls=tuple(calls))
        results = {row.tool_use_id: requests.result_block(row) for row in self.rows if _is_answered(row)}
        memory.rounds[number] = replace(memory.rounds[number], results=results)

    async def _answer_all(self, rows: list[ToolCall]) -> None:
        answers: dict[ToolCall, Outcome] = {}
        if self.turn.rerun:
            answers = await self.run.in_database(synthetic.answers, self.turn, rows)
        for row, outcome in answers.items():
            await self._store(row, outcome)
        await self._run_approved([row for row in rows if row not in answers])

    async def _run_approved(self, rows: list[ToolCall]) -> None:
        names, lacking = [row.name for row in rows], frozenset[str]()
        if permissions.are_needed(names):
            lacking = await self.run.in_database(permissions.lacking, self.turn.user_id, names)
        new = [row for row in rows if row not in self._live]
        refusals = {row: refusal for row in new if (refusal := self._refusal(row, lacking))}
        for row, refusal in refusals.items():
            await self._store(row, _error(*refusal))
        if approved := [row for row in rows if row not in refusals]:
            await self._run_all(approved)

    def _refusal(self, row: ToolCall, lacking: frozenset[str]) -> tuple[str, str] | None:
        """Why the call may not run, as an error code and text for the model; None if it may.

        `lacking` are the tools for which the turn's user has no permission.
        """
        if row.name in lacking:
            return permissions.ERROR, permissions.REFUSAL
        if approval := self._approvals.get(row.pk):
            return approvals.refusal(approval)
        return ("denied", NO_APPROVAL) if approvals.needs_approval(row) else None

    async def _run_all(self, rows: list[ToolCall]) -> None:
        if beginning := [row for row in rows if row not in self._live]:
            await self.record.store(write=partial(self._save_running, beginning))
        failures = await asyncio.gather(*map(self._run, rows), return_exceptions=True)
        for failure in failures:
            if failure is not None:
                raise failure
        if self._questions:
            self.run.memory.has_approvals = True
            await self.record.store(write=partial(questions.ask, self._questions))

    async def _run(self, row: ToolCall) -> None:
        outcome = await self._execute(row)
        if isinstance(outcome, Question):
            self._questions[row] = outcome
        else:
            await self._store(row, outcome)

    async def _execute(self, row: ToolCall) -> Outcome | Question:
        approval = self._approvals.get(row.pk)
        if approval is None or approval.input is None:
            return await self._call(row, row.input)
        outcome = await self._call(row, approval.input)
        if isinstance(outcome, Question):
            return outcome
        change = {"text": approvals.CHANGED + json.dumps(approval.input, ensure_ascii=False)}
        return replace(outcome, content=[change, *outcome.content])

    async def _call(self, row: ToolCall, arguments: dict[str, Any] | None) -> Outcome | Question:
        stop, key, tool = self.run.stop.event, str(row.pk), registry.get(row.name)
        if row in self._live or (isinstance(tool, RemoteTool) and arguments is not None):
            return await self._call_remote(row, arguments or {})
        if tool is None or not tool.arguments.contexts:
            return await execute(row.name, arguments, stop=stop, key=key)
        turn = await self.run.in_database(_whole, self.turn)
        with Progress(self.record, row.tool_use_id) as progress:
            context = Context(turn.user, turn.conversation, turn, key, progress.report)
            return await execute(row.name, arguments, stop=stop, context=context)

    async def _call_remote(self, row: ToolCall, arguments: dict[str, Any]) -> Outcome | Question:
        """Begins a remote call, or goes on with one that asked a person, until it ends or asks again."""
        call, approval = self._live.get(row), self._approvals.get(row.pk)
        if call is None:
            origin = await self.run.in_database(origin_of, self.turn)
            call = self._live.begin(row, arguments, self.turn, origin)
        elif approval is not None and approval.question is not None:
            call.reply(questions.reply(approval))
        with Progress(self.record, row.tool_use_id) as progress:
            call.progress = Context(report=progress.report).progress
            outcome = await call.wait(self.run.stop.event)
        if isinstance(outcome, Outcome):
            self._live.forget(row)
        return outcome

    def _may_go_on(self, row: ToolCall) -> bool:
        """Whether a call that has begun goes on here, or may be made again."""
        tool = registry.get(row.name)
        return row in self._live or (tool is not None and tool.idempotent)

    def _save_running(self, rows: list[ToolCall]) -> None:
        now = timezone.now()
        for row in rows:
            row.status, row.started_at = ToolCall.Status.RUNNING, now
        ToolCall.objects.filter(pk__in=[row.pk for row in rows]).update(
            status=ToolCall.Status.RUNNING, started_at=now
        )

    async def _store_all(self, rows: list[ToolCall], outcome: Outcome) -> None:
        for row in rows:
            await self._store(row, outcome)

    async def _store(self, row: ToolCall, outcome: Outcome) -> None:
        row.status = ToolCall.Status.SUCCESS if outcome.status == "success" else ToolCall.Status.ERROR
        row.error, row.result, row.duration_ms = outcome.error, outcome.content, outcome.duration_ms
        row.finished_at = timezone.now()
        await self.record.store(*self._next_results(), write=partial(row.save, force_update=True))
        signals.announce(signals.call_ended, call=row)

    def _next_results(self) -> Iterator[Event]:
        """The events of results that may be shown now, since all calls before them are answered."""
        while self._answered < len(self.rows) and self.rows[self._answered].result is not None:
            self._answered += 1
            yield _result(self.rows[self._answered - 1])


def _whole(turn: Turn) -> Turn:
    """The turn with its user and conversation, read anew, as a tool may change what it gets."""
    return Turn.objects.select_related("user", "conversation").get(pk=turn.pk)


def _is_answered(row: ToolCall) -> bool:
    return row.result is not None


def _error(error: str, text: str) -> Outcome:
    return Outcome(status="error", error=error, content=[{"text": text}], duration_ms=0)


def leading_results(rows: Sequence[ToolCall]) -> list[Event]:
    """The events of the results that come before the first unanswered call."""
    return [_result(row) for row in takewhile(_is_answered, rows)]


def answer_waiting(rows: Sequence[ToolCall], record: "Record", error: str, text: str) -> None:
    """Answers the unanswered calls of a turn that ends, and shows all results from the first one on."""
    for row in dropwhile(_is_answered, rows):
        write = None
        if not _is_answered(row):
            row.status, row.error = ToolCall.Status.ERROR, error
            row.result, row.finished_at = [{"text": text}], timezone.now()
            write = partial(row.save, force_update=True)
        record.defer(_result(row), write=write)


def stored_calls(turn: Turn) -> list[ToolCall]:
    """The calls of the turn's completed rounds, in order."""
    rows = turn.tool_calls.filter(round__status=Round.Status.COMPLETED)
    return list(rows.order_by("round", "position"))


def _result(row: ToolCall) -> Event:
    text = events.result_text(row.result)
    return events.tool_call_result(
        row.tool_use_id, text, status=row.status, duration_ms=row.duration_ms or 0, error=row.error
    )
