"""Asking again: a conversation's user messages, one after the other, through the ordinary turns, in a conversation linked to it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from uuid import UUID

from conversations import engine
from conversations.engine import WORKER
from conversations.errors import Refused, Throttled
from conversations.models import Conversation, Turn, active_line
from conversations.threads import Threads

from . import questions
from .answers import said
from .fixtures import TurnLine
from .player import FixturePlayer
from .questions import Question
from .report import Pair, missed

POLL_INTERVAL = 2.0
"""Seconds between two looks at a turn that this process does not run, and between two tries to send a message over the user's limits."""

PATIENCE = 90.0
"""Seconds that a rerun waits for the user's limits to let the next message in: that of a minute does, that of a day does not."""

DATABASE = Threads("rerun", 2)
"""The threads in which reruns in the background do their database work, however many there are."""

Tell = Callable[[str], None]
Approve = Callable[[Turn], list[dict[str, Any]]]


@dataclass(frozen=True)
class How:
    """What is different, None for as it was; what answers tool calls; what a call is told that is not in the record; which messages."""

    model: str | None = None
    system: str | None = None
    inference: dict[str, Any] | None = None
    tools: Literal["recorded", "live"] = "recorded"
    miss: Literal["stop", "error", "live"] = "stop"
    numbers: range | None = None

    def answers(self, rounds: str) -> dict[str, Any]:
        """How each turn is answered, as it is stored with it."""
        return {"tools": self.tools, "miss": self.miss, "rounds": rounds}


class Pause(NamedTuple):
    """What a rerun waits for: until a turn does not run in this process, or, without one, for the poll interval."""

    turn: UUID | None = None


class Rerun:
    """A conversation that is asked again, in `conversation`. It can be broken off at any message and gone on with."""

    def __init__(
        self,
        asked: list[Question],
        conversation: Conversation,
        how: How,
        tell: Tell,
        player: FixturePlayer | None = None,
    ) -> None:
        self.questions = [one for one in asked if how.numbers is None or one.number in how.numbers]
        self.conversation, self.how, self.tell, self.player = conversation, how, tell, player
        self.complete = False
        self.approve: Approve | None = None
        """Who decides about calls that need it; None leaves them to the page."""
        if not self.questions:
            raise Refused("There is nothing to ask again: no such message has been answered.")

    def run(self) -> Iterator[Pair]:
        """Asks the messages that were not asked yet; each turn as it ends, beside the recorded one.

        One that the record cannot answer ends it, and so does one that was stopped or failed where the recorded one did not. Raises
        Refused where the user's limits let no more in.
        """
        with closing(self._progress()) as progress:
            for step in progress:
                if isinstance(step, Pair):
                    yield step
                else:
                    self._wait(step)

    async def pairs(self) -> AsyncIterator[Pair]:
        """The same on the loop that turns run on. It holds no thread and no connection while a turn runs or waits.

        A process that drains asks nothing more; what is left can be gone on with.
        """
        progress = self._progress()
        while not WORKER.draining and (step := await DATABASE.run(_next, progress)) is not None:
            if isinstance(step, Pair):
                yield step
            elif step.turn is None:
                await asyncio.sleep(POLL_INTERVAL)
            else:
                await WORKER.ended(step.turn)

    def _wait(self, pause: Pause) -> None:
        if pause.turn is None:
            WORKER.sweep(self.conversation.pk)  # nobody else may: a command is a process of its own
            time.sleep(POLL_INTERVAL)
        else:
            while not WORKER.wait_for(pause.turn, POLL_INTERVAL):
                pass

    def _progress(self) -> Generator[Pair | Pause, None, None]:
        """The turns as they end, and the pauses between them, which the caller makes."""
        with self.player.answering(self.conversation.pk) if self.player else nullcontext():
            earlier = {turn.rerun_of_id: turn for turn in active_line(self.conversation) if turn.rerun_of_id}
            for question in self.questions:
                if self.player:
                    self.player.begin(question.number)
                pair = yield from self._answered(question, earlier)
                self.tell(f"  {pair.summary()}")
                yield pair
                if not _is_answered(pair):
                    return
        self.complete = True

    def _answered(self, question: Question, earlier: dict[UUID, Turn]) -> Generator[Pause, None, Pair]:
        """The message's turn of an earlier rerun, or a new one; one that was stopped or failed earlier is not taken."""
        turn = earlier.get(question.turn.pk) if question.turn else None
        if turn is not None:
            pair = self._pair(question, (yield from self._ended(turn)))
            if _is_answered(pair):
                return pair
        turn = yield from self._ask(question)
        return self._pair(question, (yield from self._ended(turn)))

    def _ask(self, question: Question) -> Generator[Pause, None, Turn]:
        how, new = self.how, self.conversation
        new.model = how.model or question.model
        new.system = question.system if how.system is None else how.system
        new.inference = question.inference if how.inference is None else how.inference
        new.save(update_fields=["model", "system", "inference"])
        self.tell(f"Message {question.number} of {self.questions[-1].number}: {_beginning(question.text)}")
        answers = how.answers("file" if self.player else "gateway")
        if (
            question.turn and "call" in question.turn.rerun
        ):  # a person's call is made again, no model is asked
            answers |= {"rounds": "person", "call": question.turn.rerun["call"]}
        return (yield from self._started(question.text, engine.Repetition(question.turn, answers)))

    def _started(self, text: str, repetition: engine.Repetition) -> Generator[Pause, None, Turn]:
        until = time.monotonic() + PATIENCE
        is_throttled = False
        while True:
            try:
                return engine.start(self.conversation.pk, str(uuid.uuid4()), text, repetition=repetition).turn
            except Throttled as refused:
                if time.monotonic() > until:
                    raise
                if not is_throttled:
                    self.tell(f"  waiting: {refused}")
                is_throttled = True
            yield Pause()

    def _ended(self, turn: Turn) -> Generator[Pause, None, Turn]:
        """The turn when it has ended, whichever process runs it; raises Refused for one that was deleted."""
        while True:
            yield Pause(turn.pk)
            runs_again = turn.pk in WORKER.runs
            _refresh(turn)
            if turn.status not in Turn.OPEN:
                return turn
            if turn.status == Turn.Status.WAITING and self.approve:
                engine.resume(self.conversation, turn.user, self.approve(turn))
            elif not runs_again:  # it waits for a person, or for another process
                yield Pause()

    def _pair(self, question: Question, turn: Turn) -> Pair:
        requests = self.player.end() if self.player else []
        calls = [call for one in self.questions for call in one.calls]
        return Pair(question, turn, said(turn), requests, missed([turn], calls)[turn.pk])


def rerun(
    conversation: Conversation,
    how: How | None = None,
    *,
    onto: Conversation | None = None,
    owner: Any = None,
    tell: Tell = lambda text: None,
) -> Rerun:
    """A rerun of a stored conversation, in a new one of the same owner or of `owner`, or going on in `onto`; `run` it.

    Raises Refused where there is nothing to ask again, or `onto` is not a rerun of it.
    """
    asked = questions.stored(conversation)
    if onto is not None and onto.rerun_of_id != conversation.pk:
        raise Refused(f"Conversation {onto.pk} is not asked again from {conversation.pk}.")
    how = how or How()
    new = onto or Conversation(
        owner=owner or conversation.owner,
        title=conversation.title,
        model=how.model or conversation.model,
        rerun_of=conversation,
    )
    made = Rerun(asked, new, how, tell)
    if onto is None:
        new.save(force_insert=True)
    return made


def against(
    file: list[TurnLine], owner: Any, how: How | None = None, *, tell: Tell = lambda text: None
) -> Rerun:
    """A rerun of a fixture, which answers it itself; raises Refused where it holds no message."""
    new = Conversation(owner=owner, title="Check against a file", model=file[0].model if file else "")
    made = Rerun(questions.in_file(file), new, how or How(), tell, FixturePlayer(file))
    new.save(force_insert=True)
    return made


def _next(progress: Iterator[Pair | Pause]) -> Pair | Pause | None:
    return next(progress, None)  # a future takes no StopIteration


def _refresh(turn: Turn) -> None:
    try:
        turn.refresh_from_db()
    except Turn.DoesNotExist:
        raise Refused("The message was taken back, or its conversation was deleted.") from None


def _is_answered(pair: Pair) -> bool:
    """Whether the turn ended well or as the recorded one did, so that the next message may follow."""
    return pair.again.status in (Turn.Status.COMPLETED, pair.question.said.status) and not pair.missed_ends


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"
