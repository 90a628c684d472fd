"""Asking again: a conversation's user messages, one after the other, through the ordinary turns, in a conversation linked to it."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from conversations import engine
from conversations.engine import WORKER
from conversations.engine.synthetic import active_line
from conversations.errors import Refused, Throttled
from conversations.models import Conversation, Turn

from . import questions
from .fixtures import TurnLine
from .player import FixturePlayer
from .questions import Question
from .report import Pair, missed
from .said import said

LOOK_EVERY = 1.0
"""Seconds between two looks at a turn that this process does not run."""

PATIENCE = 90.0
"""Seconds that a rerun waits for the user's limits to let the next message in: that of a minute does, that of a day does not."""

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
        with self.player.answering(self.conversation.pk) if self.player else nullcontext():
            for question in self.questions:
                if self.player:
                    self.player.begin(question.number)
                pair = self._pair(question, self._asked(question) or self._ask(question))
                self.tell(f"  {pair.summary()}")
                yield pair
                if not _is_answered(pair):
                    return
        self.complete = True

    def _asked(self, question: Question) -> Turn | None:
        """The turn in which the message was asked again already; one that was stopped or failed is not taken for one."""
        if question.turn is None:
            return None
        asked = [turn for turn in active_line(self.conversation) if turn.rerun_of_id == question.turn.pk]
        turn = self._ended(asked[-1]) if asked else None
        return turn if turn and _is_answered(self._pair(question, turn)) else None

    def _ask(self, question: Question) -> Turn:
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
        return self._ended(self._started(question.text, engine.Again(question.turn, answers)))

    def _started(self, text: str, again: engine.Again) -> Turn:
        until = time.monotonic() + PATIENCE
        told = False
        while True:
            try:
                return engine.start(self.conversation.pk, str(uuid.uuid4()), text, again=again).turn
            except Throttled as refused:
                if time.monotonic() > until:
                    raise
                if not told:
                    self.tell(f"  waiting: {refused}")
                told = True
                time.sleep(min(1.0, PATIENCE))

    def _ended(self, turn: Turn) -> Turn:
        """The turn when it has ended, whichever process runs it."""
        while True:
            is_over = WORKER.wait_for(turn.pk, LOOK_EVERY)
            turn.refresh_from_db()
            if turn.status not in Turn.OPEN:
                return turn
            if turn.status == Turn.Status.WAITING and self.approve:
                engine.resume(self.conversation, turn.user, self.approve(turn))
            elif is_over:  # it waits for a person, or for another process
                WORKER.sweep(self.conversation.pk)
                time.sleep(LOOK_EVERY)

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


def _is_answered(pair: Pair) -> bool:
    """Whether the turn ended well or as the recorded one did, so that the next message may follow."""
    return pair.again.status in (Turn.Status.COMPLETED, pair.question.said.status) and not pair.missed_ends


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"
