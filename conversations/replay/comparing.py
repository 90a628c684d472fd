"""A rerun beside what it is a rerun of, from what is stored: also while it goes on, and after a restart."""

import logging
import threading

from django.db import connection

from conversations.engine.synthetic import active_line
from conversations.errors import Refused
from conversations.models import Conversation, Turn

from . import questions
from .report import Pair, missed
from .rerunning import Rerun
from .said import said

logger = logging.getLogger(__name__)


def run_in_background(rerun: Rerun) -> threading.Thread:
    """Asks everything again in a thread of this process; what it does not get to can be gone on with by `manage.py rerun --continue`."""
    thread = threading.Thread(target=_run, args=(rerun,), name=f"rerun {rerun.conversation.pk}", daemon=True)
    thread.start()
    return thread


def _run(rerun: Rerun) -> None:
    try:
        asked = sum(1 for _ in rerun.run())
        logger.info("rerun %s: %d turns asked again", rerun.conversation.pk, asked)
    except Refused as refused:
        logger.info("rerun %s was refused: %s", rerun.conversation.pk, refused.code)
    except Exception:
        logger.exception("rerun %s broke off", rerun.conversation.pk)
    finally:
        connection.close()


def pairs(conversation: Conversation) -> list[Pair]:
    """The turns of a rerun that have ended, each beside the recorded one; none where it is no rerun."""
    if conversation.rerun_of is None:
        return []
    asked = questions.stored(conversation.rerun_of)
    calls = [call for question in asked for call in question.calls]
    again = {turn.rerun_of_id: turn for turn in active_line(conversation) if turn.status not in Turn.OPEN}
    found: list[tuple[questions.Question, Turn | None]] = [
        (question, again.get(question.turn.pk if question.turn else None)) for question in asked
    ]
    return [Pair(question, turn, said(turn), [], missed(turn, calls)) for question, turn in found if turn]
