"""The comparison of a stored rerun with its original. It may still be under way, or broken off."""

import logging
from functools import partial
from typing import NamedTuple
from uuid import UUID

from conversations.engine import WORKER
from conversations.errors import Refused
from conversations.models import Conversation, Turn, active_line

from .answers import answers
from .questions import Question, stored_questions
from .report import Pair, missed_calls
from .rerunning import Rerun

logger = logging.getLogger(__name__)


def run_in_background(rerun: Rerun) -> None:
    """Runs a rerun beside this process's turns. `rerun --continue` goes on with one that broke off."""
    WORKER.spawn(partial(_run, rerun))


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
    """The turns of a rerun that have ended, beside the recorded ones, and how many of those have none."""

    pairs: list[Pair]
    unasked: int


def comparison(conversation: Conversation) -> Comparison:
    """The comparison of a rerun so far, in a fixed number of queries; empty for what is no rerun."""
    if conversation.rerun_of is None:
        return Comparison([], 0)
    recorded = stored_questions(conversation.rerun_of)
    turns = {turn.rerun_of_id: turn for turn in active_line(conversation) if turn.status not in Turn.OPEN}
    pairs = _pairs(recorded, turns)
    return Comparison(pairs, len(recorded) - len(pairs))


def _pairs(recorded: list[Question], turns: dict[UUID | None, Turn]) -> list[Pair]:
    answered = [
        (question, turns[question.turn.pk])
        for question in recorded
        if question.turn and question.turn.pk in turns
    ]
    again = [turn for _, turn in answered]
    calls = [call for question in recorded for call in question.calls]
    by_turn, missed = answers(again), missed_calls(again, calls)
    return [Pair(question, turn, by_turn[turn.pk], [], missed[turn.pk]) for question, turn in answered]
