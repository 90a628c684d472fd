"""A process's worker: its running turns, their leases and stops, its claims, sweeps and handing over."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations import signals
from conversations.conf import settings
from conversations.errors import ConfigurationError
from conversations.gateway import get_gateway
from conversations.journal import HUB, Journal, pack, ring_queue, run_doorbell, this_process
from conversations.mcp import SERVERS
from conversations.models import Approval, Event, Turn, delete_unsent
from conversations.threads import Threads

from . import library, lifecycle, notices, titles
from .lifecycle import ATTEMPTS, LEASE
from .live_calls import LiveCalls
from .messages import Opening
from .recovery import begin_anew, give_up, take_up
from .run import Begin, Run, Shared

logger = logging.getLogger(__name__)

BEAT = 0.25
"""Seconds between two heartbeats, which also look for stops that other processes requested."""

RENEW_EVERY = 10
"""Heartbeats from one renewal of the leases to the next."""

SWEEP_EVERY = 2.0
CLAIM_EVERY = 0.25
"""Seconds between two looks for turns that no process runs, unless the bell rings before."""

TIDY_EVERY = 60.0
UNSENT = timedelta(days=1)
"""How long an attached file is kept that was not sent."""

DATABASE_THREADS = 4
HAND_OVER = 2.0
"""Seconds of the drain that are reserved for handing over the turns that have not ended."""


class Worker:
    """This process's worker, a single object. Any thread may call its methods."""

    def __init__(self) -> None:
        self.journal = Journal(HUB.publish, reserved=True)
        self.runs: dict[UUID, Run] = {}
        """The runs in this process, by their turn's id."""

        self.is_draining = False
        self.takes_turns = True
        """False in a process that only serves pages."""

        self.capacity: int = settings.MAX_TURNS_AT_ONCE
        self._threads = Threads("engine", DATABASE_THREADS)
        self._keeper = Threads("keeper", 1, reserved=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._bell: asyncio.Event | None = None
        """Rings when a turn may have to be claimed. A process that does not serve has none."""

        self._lock = threading.Lock()
        self._run_ended = threading.Condition()
        self._claiming = threading.Lock()
        self._live_calls = LiveCalls(when_lost=self._end_question)

    # -- for the engine's commands and the server

    @property
    def has_room(self) -> bool:
        """Whether a further turn may begin here."""
        return self.takes_turns and not self.is_draining and self._room > 0

    @property
    def _room(self) -> int:
        return self.capacity - sum(not run.has_ended for run in list(self.runs.values()))

    def begin(self, turn: Turn, begin: Begin = begin_anew, opening: Opening | None = None) -> None:
        """Runs a claimed turn, and then those queued behind it. A process that drains hands it over."""
        run = Run(turn, Shared(self.journal, self._threads, self._live_calls), begin, opening)
        with self._run_ended:
            is_draining = self.is_draining
            if not is_draining:
                self.runs[turn.pk] = run
        if is_draining:
            lifecycle.hand_over({turn.pk: turn.lease_token})
            ring_queue()
        else:
            self._call(partial(self._start, run))

    def claim_anywhere(self, conversation: UUID) -> None:
        """Has a queued turn, or one that goes on, claimed as soon as possible, by whichever process."""
        if self._bell is None:
            self.claim(conversation)
        else:
            self._call(self._bell.set)
            ring_queue()

    def claim(self, only: UUID | None = None) -> None:
        """Begins turns that no process runs, as many as there is room for: lost ones first, then queued ones.

        With `only`, those of one conversation.
        """
        if self.is_draining or not self.takes_turns or not _unclaimed(only).exists():
            return
        with self._claiming:
            for turn in self._lost(only):
                _guarded(partial(self._take_over, turn), turn.pk)
            for turn in lifecycle.claim(min(self._room, 1) if only else self._room, only):
                self.begin(turn)
                notices.queue_changed(turn.conversation_id)

    def stop(self, conversation: UUID, turn: UUID | None = None) -> UUID | None:
        """Stops the conversation's turn, or `turn` alone, if it runs here; returns its id."""
        runs = [run for run in list(self.runs.values()) if run.turn.conversation_id == conversation]
        runs = [run for run in runs if turn in (None, run.turn.pk)]
        for run in runs:
            self._call(run.stop.request)
        return runs[-1].turn.pk if runs else None

    def wait(self, timeout: float) -> bool:
        """Waits until no turn runs here, at most `timeout` seconds; returns whether none does."""
        with self._run_ended:
            return self._run_ended.wait_for(lambda: not self.runs, timeout)

    def wait_for(self, turn: UUID, timeout: float) -> bool:
        """Waits until this turn does not run here, at most `timeout` seconds; returns whether it does not."""
        with self._run_ended:
            return self._run_ended.wait_for(lambda: turn not in self.runs, timeout)

    async def until_over(self, turn: UUID) -> None:
        """Waits on the turns' loop until a run of this turn is over, if one is here.

        The wait takes no thread and no database connection.
        """
        run = self.runs.get(turn)
        if run is not None:
            await run.over.wait()

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs a coroutine as a task on the turns' loop. A drain does not wait for it."""
        self._call(lambda: self._spawn(work()))

    def drain(self, timeout: float) -> None:
        """Begins no further turn, waits for the running ones, and hands over those that have not ended.

        This takes at most `timeout` seconds.
        """
        with self._run_ended:
            self.is_draining = True
        if not self.wait(timeout - HAND_OVER):
            count = lifecycle.hand_over(self._leases())
            ring_queue()
            logger.warning("%d turns handed over", count)

    def serve(self, loop: asyncio.AbstractEventLoop, *, takes_turns: bool = True) -> None:
        """Runs turns on this loop from now on, in touch with other processes."""
        self._loop, self.takes_turns = loop, takes_turns
        bell = self._bell = asyncio.Event()
        HUB.attach(loop)
        self._call(partial(self._spawn, run_doorbell(notices.current_notices, bell.set)))
        self._call(self._beat)
        self._call(SERVERS.start)
        if takes_turns:
            self._call(partial(self._spawn, self._warm_up()))
            self._call(partial(self._spawn, self._claim_for_ever(bell)))
            self._call(partial(self._spawn, self._sweep_for_ever()))
            self._call(partial(self._spawn, self._tidy_for_ever()))

    # -- the loop

    def _call(self, call: Callable[[], object]) -> None:
        """Calls on the turns' loop: the server's, or one in a thread of our own."""
        with self._lock:
            if self._loop is None or self._loop.is_closed():
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="engine", daemon=True).start()
                self._loop.call_soon_threadsafe(self._beat)
        with suppress(RuntimeError):  # the loop has just been closed: the process ends
            self._loop.call_soon_threadsafe(call)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _beat(self) -> None:
        self._spawn(self._beat_for_ever())

    async def _warm_up(self) -> None:
        """Makes the gateway's client before the first turn needs it: that takes a tenth of a second."""
        with suppress(ConfigurationError):  # the first turn says so
            await self._threads.run(get_gateway)

    # -- turns

    def _start(self, run: Run) -> None:
        if run.turn.stop_requested_at is not None:
            run.stop.request()
        self._spawn(self._run(run))

    async def _run(self, run: Run) -> None:
        try:
            await run.to_its_end()
        except Exception:
            logger.exception("turn %s could not be ended", run.turn.pk)
        run.has_ended = True
        if run.turn.status not in Turn.OPEN:
            signals.announce(signals.turn_ended, turn=run.turn)
        try:
            await self._threads.run(self._follow, run)
        except Exception:
            logger.exception("what waits behind turn %s could not be begun", run.turn.pk)
        finally:
            self._forget(run)
        if titles.is_due(run.turn):
            self._spawn(titles.give_title(run.turn, self.journal, self._threads))

    def _follow(self, run: Run) -> None:
        """Begins what follows a run: queued turns, or the turn's end if a stop came just before it waits."""
        turn = run.turn
        if turn.status != Turn.Status.WAITING:
            was_full = self._bell is not None and self._room <= 1
            self.claim(None if was_full else turn.conversation_id)
        elif lifecycle.stop_waiting(turn, is_requested=run.stop.event.is_set()):
            self.claim(turn.conversation_id)

    def _forget(self, run: Run) -> None:
        """Forgets this very run, as the turn may run again already."""
        with self._run_ended:
            if self.runs.get(run.turn.pk) is run:
                del self.runs[run.turn.pk]
            self._run_ended.notify_all()
        run.over.set()

    def _end_question(self, turn: Turn) -> None:
        """Lets a turn go on whose call has ended while it asked a person something."""
        self._spawn(self._safely(partial(self._withdraw, turn)))

    def _withdraw(self, turn: Turn) -> None:
        if lifecycle.withdraw_questions(turn.pk, turn.conversation_id):
            self.claim(turn.conversation_id)

    # -- heartbeat

    def _leases(self) -> dict[UUID, UUID | None]:
        return {pk: run.turn.lease_token for pk, run in list(self.runs.items()) if run.turn.lease_token}

    async def _beat_for_ever(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(BEAT)
            if leases := self._leases():
                await self._beat_once(leases, renew=number % RENEW_EVERY == 0)
                number += 1

    async def _beat_once(self, leases: dict[UUID, UUID | None], *, renew: bool) -> None:
        try:
            await self.beat(leases, renew=renew)
        except Exception:
            logger.exception("the leases of %d turns could not be renewed", len(leases))

    async def beat(self, leases: dict[UUID, UUID | None], *, renew: bool) -> None:
        """Renews the leases, and stops the turns whose stop was requested elsewhere."""
        for turn in await self._keeper.run(lifecycle.beat, leases, renew=renew):
            run = self.runs.get(turn)
            if run is not None and run.turn.lease_token == leases[turn]:
                run.stop.request()

    # -- claims and the sweep

    async def _claim_for_ever(self, bell: asyncio.Event) -> None:
        while not self.is_draining:
            with suppress(TimeoutError):
                await asyncio.wait_for(bell.wait(), CLAIM_EVERY)
                self._look_for_stops()
            bell.clear()
            await self._safely(self.claim)

    def _look_for_stops(self) -> None:
        """Looks at once, as the bell rings for the stop of a turn too."""
        if leases := self._leases():
            self._spawn(self._beat_once(leases, renew=False))

    async def _sweep_for_ever(self) -> None:
        while not self.is_draining:
            await self._safely(self.sweep)
            await self._safely(self._give_up_calls)
            await asyncio.sleep(SWEEP_EVERY)

    async def _tidy_for_ever(self) -> None:
        """Deletes attached files that were never sent, and conversations whose deletion was not undone."""
        while not self.is_draining:
            await self._safely(lambda: delete_unsent(timezone.now() - UNSENT))
            await self._safely(library.remove_deleted)
            await asyncio.sleep(TIDY_EVERY)

    async def _safely(self, work: Callable[[], object]) -> None:
        try:
            await self._keeper.run(work)
        except Exception:
            logger.exception("the look for queued or lost turns failed")

    def sweep(self, only: UUID | None = None) -> None:
        """Ends expired waits, packs events that a dead process left, begins turns that no process runs.

        With `only`, those of one conversation.
        """
        if self.is_draining or not self.takes_turns:
            return
        turns = _turns(only)
        for turn in turns.filter(_undecided(), status=Turn.Status.WAITING).distinct():
            _guarded(partial(self._end_wait, turn), turn.pk)
        ended = turns.filter(finished_at__lt=timezone.now() - LEASE, recording__isnull=True)
        for turn in ended.filter(pk__in=Event.objects.values("turn")):
            _guarded(partial(pack, turn), turn.pk)
        self.claim(only)

    def _give_up_calls(self) -> None:
        """Gives up calls that ask a person, whose turn has ended elsewhere or was deleted meanwhile."""
        if idle := self._live_calls.turns - self.runs.keys():
            open_turns = Turn.objects.filter(pk__in=idle, status__in=Turn.OPEN)
            ended = idle.difference(open_turns.values_list("pk", flat=True))
            for turn in ended:
                self._call(partial(self._live_calls.cancel, turn))

    def _lost(self, only: UUID | None) -> QuerySet[Turn]:
        """Turns that their process has left or handed over, as many as there is room for.

        A turn that only has to be stopped needs no room.
        """
        lost = _turns(only).filter(lifecycle.claimable(), status=Turn.Status.RUNNING)
        lost = lost.exclude(pk__in=list(self.runs), lease_token__isnull=False).select_related("user")
        if self._room <= 0:
            return lost.filter(stop_requested_at__isnull=False)
        return lost.order_by("created_at")[: self._room]

    def _take_over(self, turn: Turn) -> None:
        was_lost = turn.lease_token not in (None, this_process())
        begin = take_up if turn.attempts < ATTEMPTS else give_up
        if lifecycle.take_over(turn):
            if was_lost:
                logger.warning("turn %s was left by its process, attempt %d begins", turn.pk, turn.attempts)
            self.begin(turn, begin)

    def _end_wait(self, turn: Turn) -> None:
        if not lifecycle.stop_waiting(turn):
            lifecycle.expire(turn, timezone.now())


def _guarded(work: Callable[[], None], turn: UUID) -> None:
    """Does work for one turn. A failure is logged, so that the other turns get theirs."""
    try:
        work()
    except Exception:
        logger.exception("%s could not be recovered", turn)


def _turns(only: UUID | None) -> QuerySet[Turn]:
    return Turn.objects.filter(conversation=only) if only else Turn.objects.all()


def _unclaimed(only: UUID | None) -> QuerySet[Turn]:
    """Turns that no process runs, some of which may have to wait for others."""
    is_lost = lifecycle.claimable() & Q(status=Turn.Status.RUNNING)
    return _turns(only).filter(is_lost | Q(status=Turn.Status.QUEUED))


def _undecided() -> Q:
    """Waiting turns that have to go on: an approval has expired, or a stop came just before the wait."""
    pending = Q(tool_calls__approval__status=Approval.Status.PENDING)
    return (pending & Q(tool_calls__approval__expires_at__lt=timezone.now())) | Q(
        stop_requested_at__isnull=False
    )


WORKER = Worker()
