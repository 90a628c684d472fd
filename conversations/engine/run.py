"""A run of a claimed turn: one step after another, until it ends or waits for a person."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, ParamSpec, TypeVar

from conversations.errors import ContextOverflow as Overflow
from conversations.errors import (
    InternalError,
    RoundLimit,
    StreamError,
    TokenLimit,
    TurnInterrupted,
    TurntableError,
)
from conversations.journal import Journal, Record, pack
from conversations.models import Turn
from conversations.protocol import steps
from conversations.protocol.agui import events
from conversations.protocol.agui.interrupts import run_interrupted
from conversations.protocol.converse.history import NO_RESULT
from conversations.threads import Threads

from . import approvals, lifecycle, requests, synthetic
from .live_calls import LiveCalls
from .messages import Opening
from .recovery import Beginning, begin_anew, read_opening
from .requests import Memory
from .rounds import STOPPED, Streaming
from .stopping import Stop, Stopped
from .tool_calls import Calls, answer_waiting, stored_calls

logger = logging.getLogger(__name__)

Begin = Callable[[Turn, Opening], Beginning]
Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")

FAILURES: dict[str, type[TurntableError]] = {
    "round_limit": RoundLimit,
    "stream_error": StreamError,
    "context_overflow": Overflow,
    "max_tokens": TokenLimit,
}


class NotBegun(Exception):
    """The run could not begin. Nothing of it is in the record yet, and a sweep begins it anew."""


class Shared(NamedTuple):
    """What all runs of a process share."""

    journal: Journal
    threads: Threads
    live_calls: LiveCalls


class Run:
    """One run of a turn. While it waits it holds neither a thread nor a database connection."""

    memory: Memory
    record: Record

    def __init__(
        self,
        turn: Turn,
        shared: Shared,
        begin: Begin = begin_anew,
        opening: Opening | None = None,
    ) -> None:
        self.turn, self.stop = turn, Stop()
        self.journal, self._threads, self.live_calls = shared
        self.over = asyncio.Event()
        """Set once the worker has forgotten this run."""

        self._begin, self._opening = begin, opening
        self._run_id = turn.run_id
        self.has_ended = False
        """Whether the turn is at its end. The worker forgets the run once the next turn has begun."""

    async def in_database(
        self, work: Callable[Parameters, Result], *args: Parameters.args, **options: Parameters.kwargs
    ) -> Result:
        """Runs database work, or other work that takes long, in a thread of the worker's pool."""
        return await self._threads.run(work, *args, **options)

    async def to_its_end(self) -> None:
        """Runs the turn until it ends or waits for a person, and packs its recording; raises NotBegun."""
        opening = await self._open()
        try:
            await self._begin_with(opening)
            is_waiting = await self._take_steps()
        except NotBegun:
            raise
        except Stopped:
            await self._answer_waiting("stopped", STOPPED)
            await self._end(Turn.Status.STOPPED, self._finished("cancelled"))
        except TurntableError as error:
            await self._fail(error)
        except Exception:
            logger.exception("turn %s failed", self.turn.pk)
            await self._fail(InternalError())
        else:
            await (
                self._wait() if is_waiting else self._end(Turn.Status.COMPLETED, self._finished("success"))
            )
        if self.turn.status != Turn.Status.WAITING:
            await self.in_database(pack, self.turn)

    async def _open(self) -> Opening:
        opening = self._opening
        if opening is None:
            try:
                opening = await self.in_database(read_opening, self.turn)
            except Exception as error:
                raise NotBegun from error
        self.record = self.journal.open(self.turn, opening.seq)
        self.memory = Memory(opening.content)
        return opening

    async def _begin_with(self, opening: Opening) -> None:
        try:
            beginning = await self.in_database(self._begin, self.turn, opening)
        except Exception as error:
            if self._begin is begin_anew:
                raise NotBegun from error
            raise
        self.record.defer(*beginning.events, write=beginning.write)
        if beginning.memory is not None:
            self.memory = beginning.memory
        else:
            await self.record.store()
            self.memory = await self.in_database(requests.load_begun, self.turn)
        if beginning.failure:
            raise beginning.failure

    async def _take_steps(self) -> bool:
        """Takes step after step. Returns whether the turn waits for a person; else it has ended well."""
        while True:
            self.stop.check()
            match synthetic.next_step(self.turn, self.memory.in_order()):
                case steps.CallModel(number):
                    await Streaming(self, number).stream()
                case steps.RunTools() as step:
                    await Calls(self, step).answer()
                case steps.Fail(code):
                    raise await self._failure(code)
                case step:
                    return isinstance(step, steps.Wait)

    async def _failure(self, code: str) -> TurntableError:
        if code != TokenLimit.code:
            return FAILURES[code]()
        await self.record.store()
        limit = await self.in_database(requests.token_limit, self.turn)
        return TokenLimit(f"the limit: {limit} tokens")

    # -- its ends

    async def _answer_waiting(self, error: str, text: str) -> None:
        if self.memory.calls is None:
            await self.record.store()
            self.memory.calls = await self.in_database(stored_calls, self.turn)
        answer_waiting(self.memory.calls or (), self.record, error, text)

    async def _wait(self) -> None:
        await self.record.store()
        interrupts = await self.in_database(approvals.interrupts, self.turn)
        self.turn.set_figures(self.memory.figures, self.memory.unreported)
        event = run_interrupted(str(self.turn.conversation_id), self._run_id, interrupts, self._usage())
        await self.record.store(event, write=partial(lifecycle.wait, self.turn))

    async def _fail(self, error: TurntableError) -> None:
        turn = self.turn
        turn.error_code, turn.error_text, turn.error_detail = error.code, str(error), error.detail
        turn.set_figures(self.memory.figures, self.memory.unreported)
        await self._answer_waiting("interrupted", NO_RESULT)
        is_lost = isinstance(error, TurnInterrupted)
        status = Turn.Status.INTERRUPTED if is_lost else Turn.Status.FAILED
        request_id = getattr(error, "request_id", "")
        event = events.run_error(str(error), error.code, request_id, is_left_out=turn.left_out)
        await self._end(status, event)

    async def _end(self, status: Turn.Status, event: dict[str, Any]) -> None:
        self.live_calls.cancel(self.turn.pk)
        end = partial(lifecycle.end, self.turn, status, has_approvals=self.memory.has_approvals)
        await self.record.store(event, write=end)

    def _finished(self, outcome: str) -> dict[str, Any]:
        self.turn.set_figures(self.memory.figures, self.memory.unreported)
        return events.run_finished(str(self.turn.conversation_id), self._run_id, outcome, self._usage())

    def _usage(self) -> list[dict[str, Any]]:
        return [events.token_usage(self.turn.model, self.turn.usage)] if self.turn.usage else []
