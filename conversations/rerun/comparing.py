"""A rerun beside what it is a rerun of, from what is stored: also while it goes on, and after a restart."""

import logging
from functools import partial
from typing import NamedTuple
from uuid import UUID

from conversations.engine import WORKER
from conversations.errors import Refused
from conversations.models import Conversation, Turn, active_line

from . import questions
from .answers import answers
from .questions import Question
from .report import Pair, missed
from .rerunning import Rerun

logger = logging.getLogger(__name__)


def run_in_background(rerun: Rerun) -> None:
    """Asks everything again beside this process's turns; what it does not get to can be gone on with by `manage.py rerun --continue`."""
    WORKER.keep(partial(_run, rerun))


async def _run(rerun: Rerun) -> None:
    name, count = rerun.conversation.pk, 0
    try:
        async for _ in rerun.pairs():
            count += 1
        unasked = "" if rerun.complete else ", not all"
        logger.info("rerun %s: %d turns asked again%s", name, count, unasked)
    except Refused as refused:
        logger.info("rerun %s was refused: %s", name, refused.code)
    except Exception:
        logger.exception("rerun %s broke off", name)


class Comparison(NamedTuple):
    """The turns of a rerun that have ended, each beside the recorded one, and how many recorded ones have none."""

    pairs: list[Pair]
    unasked: int


def comparison(conversation: Conversation) -> Comparison:
    """What a rerun came to so far; many turns take as many queries as few, and what is no rerun has none."""
    if conversation.rerun_of is None:
        return Comparison([], 0)
    recorded = questions.stored(conversation.rerun_of)
    turns = {turn.rerun_of_id: turn for turn in active_line(conversation) if turn.status not in Turn.OPEN}
    pairs = _pairs(recorded, turns)
    return Comparison(pairs, len(recorded) - len(pairs))


def _pairs(recorded: list[Question], turns: dict[UUID | None, Turn]) -> list[Pair]:
    asked = [
        (question, turns[question.turn.pk])
        for question in recorded
        if question.turn and question.turn.pk in turns
    ]
    again = [turn for _, turn in asked]
    said, misses = answers(again), missed(again, [call for question in recorded for call in question.calls])
    return [Pair(question, turn, said[turn.pk], [], misses[turn.pk]) for question, turn in asked]
