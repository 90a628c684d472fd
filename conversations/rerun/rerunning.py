"""Reruns: a conversation's user messages, sent one after the other in a new one linked to it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from uuid import UUID

from conversations import engine
from conversations.engine import WORKER
from conversations.errors import Refused, Throttled
from conversations.models import MODEL_SETTINGS, Conversation, Turn, active_line
from conversations.protocol.text import beginning
from conversations.threads import Threads

from .answers import answer
from .fixtures import TurnLine
from .gateway import FixtureGateway
from .questions import Question, file_questions, stored_questions
from .report import Pair, missed_calls

POLL_INTERVAL = 2.0
"""Seconds between two looks at another process's turn, and between two tries to send over a limit."""

PATIENCE = 90.0
"""Seconds that a rerun waits at its user's limit: enough for one by the minute, not by the day."""

DATABASE = Threads("rerun", 2)
"""The threads in which all reruns in the background do their database work."""

Tell = Callable[[str], None]
Approve = Callable[[Turn], list[dict[str, Any]]]


@dataclass(frozen=True)
class Options:
    """Options of a rerun. None means: as recorded.

    `tools` says what answers tool calls, `miss` what becomes of a call that is not in the record, `numbers` which messages are asked.
    """

    model: str | None = None
    system: str | None = None
    inference: dict[str, Any] | None = None
    tools: Literal["recorded", "live"] = "recorded"
    miss: Literal["stop", "error", "live"] = "stop"
    numbers: range | None = None

    def answers(self, rounds: str) -> dict[str, Any]:
        """The value that is stored with a turn and says what answers it."""
        return {"tools": self.tools, "miss": self.miss, "rounds": rounds}


class Pause(NamedTuple):
    """A pause of a rerun, until a turn does not run in this process, or for the poll interval."""

    turn: UUID | None = None


class Rerun:
    """A rerun, in `conversation`. It can break off at any message, and go on later."""

    def __init__(
        self,
        questions: list[Question],
        conversation: Conversation,
        options: Options,
        tell: Tell,
        gateway: FixtureGateway | None = None,
    ) -> None:
        numbers = options.numbers
        self.questions = [entry for entry in questions if numbers is None or entry.number in numbers]
        self.conversation, self.options, self.tell, self.gateway = conversation, options, tell, gateway
        self.complete = False
        self.approve: Approve | None = None
        """Decides about calls that wait for an approval. None leaves that to the page."""
        if not self.questions:
            raise Refused("There is nothing to ask again: no such message has been answered.")

    def run(self) -> Iterator[Pair]:
        """Sends the messages that were not sent yet; yields each turn beside the recorded one, as it ends.

        The rerun ends with a turn that the record cannot answer, and with one that was stopped or failed where the recorded one was not.
        Raises Refused where the user's limits let no more in.
        """
        with closing(self._progress()) as progress:
            for step in progress:
                if isinstance(step, Pair):
                    yield step
                else:
                    self._wait(step)

    async def pairs(self) -> AsyncIterator[Pair]:
        """Does the same as `run`, on the turns' loop, and holds no thread or connection while a turn runs.

        A process that drains sends nothing more.
        """
        progress = self._progress()
        while not WORKER.is_draining and (step := await DATABASE.run(_next, progress)) is not None:
            if isinstance(step, Pair):
                yield step
            elif step.turn is None:
                await asyncio.sleep(POLL_INTERVAL)
            else:
                await WORKER.until_over(step.turn)

    def _wait(self, pause: Pause) -> None:
        if pause.turn is None:
            WORKER.sweep(self.conversation.pk)  # nobody else may: a command is a process of its own
            time.sleep(POLL_INTERVAL)
        else:
            while not WORKER.wait_for(pause.turn, POLL_INTERVAL):
                pass

    def _progress(self) -> Generator[Pair | Pause, None, None]:
        """The turns as they end, and the pauses between them, which the caller makes."""
        with self.gateway.answering(self.conversation.pk) if self.gateway else nullcontext():
            earlier = {turn.rerun_of_id: turn for turn in active_line(self.conversation) if turn.rerun_of_id}
            for question in self.questions:
                if self.gateway:
                    self.gateway.begin(question.number)
                pair = yield from self._answer(question, earlier)
                self.tell(f"  {pair.summary()}")
                yield pair
                if not _is_answered(pair):
                    return
        self.complete = True

    def _answer(self, question: Question, earlier: dict[UUID, Turn]) -> Generator[Pause, None, Pair]:
        """The message's turn, once it has ended: an earlier run's if that was answered, or else a new one."""
        turn = earlier.get(question.turn.pk) if question.turn else None
        if turn is not None:
            pair = self._pair(question, (yield from self._end(turn)))
            if _is_answered(pair):
                return pair
        turn = yield from self._ask(question)
        return self._pair(question, (yield from self._end(turn)))

    def _ask(self, question: Question) -> Generator[Pause, None, Turn]:
        options, new = self.options, self.conversation
        new.model = options.model or question.model
        new.system = question.system if options.system is None else options.system
        new.inference = question.inference if options.inference is None else options.inference
        new.tools_off, new.reasoning_budget = question.tools_off, question.reasoning_budget
        new.save(update_fields=MODEL_SETTINGS)
        self.tell(f"Message {question.number} of {self.questions[-1].number}: {_beginning(question.text)}")
        answers = options.answers("file" if self.gateway else "gateway")
        # A person's call is made again, and no model is asked.
        if question.turn and "call" in question.turn.rerun:
            answers |= {"rounds": "person", "call": question.turn.rerun["call"]}
        files = question.attach(new)
        return (yield from self._start(question.text, engine.Repetition(question.turn, answers), files))

    def _start(
        self, text: str, repetition: engine.Repetition, files: Sequence[UUID]
    ) -> Generator[Pause, None, Turn]:
        until = time.monotonic() + PATIENCE
        is_throttled = False
        while True:
            try:
                message_id = str(uuid.uuid4())
                return engine.start(
                    self.conversation.pk, message_id, text, repetition=repetition, kept_files=files
                ).turn
            except Throttled as refused:
                if time.monotonic() > until:
                    raise
                if not is_throttled:
                    self.tell(f"  waiting: {refused}")
                is_throttled = True
            yield Pause()

    def _end(self, turn: Turn) -> Generator[Pause, None, Turn]:
        """The turn when it has ended, whichever process runs it; raises Refused if it was deleted."""
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
        requests = self.gateway.end() if self.gateway else []
        calls = [call for entry in self.questions for call in entry.calls]
        return Pair(question, turn, answer(turn), requests, missed_calls([turn], calls)[turn.pk])


def rerun(
    conversation: Conversation,
    options: Options | None = None,
    *,
    onto: Conversation | None = None,
    owner: Any = None,
    tell: Tell = lambda text: None,
) -> Rerun:
    """A rerun of a stored conversation, not begun yet: in a new conversation, or going on in `onto`.

    A new one belongs to `owner`, or else to the same owner. Raises Refused if there is nothing to ask again, or if `onto` is no rerun of
    it.
    """
    questions = stored_questions(conversation)
    if onto is not None and onto.rerun_of_id != conversation.pk:
        raise Refused(f"Conversation {onto.pk} is not asked again from {conversation.pk}.")
    options = options or Options()
    new = onto or Conversation(
        owner=owner or conversation.owner,
        title=conversation.title,
        has_own_title=conversation.has_own_title,
        model=options.model or conversation.model,
        rerun_of=conversation,
    )
    again = Rerun(questions, new, options, tell)
    if onto is None:
        new.save(force_insert=True)
    return again


def against(
    file: list[TurnLine], owner: Any, options: Options | None = None, *, tell: Tell = lambda text: None
) -> Rerun:
    """A rerun of a fixture, which also answers it; raises Refused where it holds no message."""
    new = Conversation(owner=owner, title="Check against a file", model=file[0].model if file else "")
    again = Rerun(file_questions(file), new, options or Options(), tell, FixtureGateway(file))
    new.save(force_insert=True)
    return again


def _next(progress: Iterator[Pair | Pause]) -> Pair | Pause | None:
    return next(progress, None)  # a future takes no StopIteration


def _refresh(turn: Turn) -> None:
    try:
        turn.refresh_from_db()
    except Turn.DoesNotExist:
        raise Refused("The message was taken back, or its conversation was deleted.") from None


def _is_answered(pair: Pair) -> bool:
    """Whether the turn ended well or as the recorded one did, so that the next message may follow."""
    has_ended_alike = pair.again.status in (Turn.Status.COMPLETED, pair.question.answer.status)
    return has_ended_alike and not pair.is_ended_by_miss


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else beginning(line, 59) + "…"
