"""Conversations with several processes: what is asked, and what readers were told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from bench.crash.reader import Reader
from bench.crash.session import Chat, Session, until

LONG = "show a long answer"
PACE = 0.5
"""A long answer takes some fifteen seconds, then."""

STOPS_IN = 1.0
"""Seconds, as promised, whichever process runs the turn."""


@contextmanager
def slow_answers(session: Session) -> Iterator[None]:
    """Lets the gateway write slowly, while something has to happen in the middle of an answer.

    The rest of the answer comes at once.
    """
    session.site.gateway.pace = PACE
    yield
    session.site.gateway.pace = 0


def events_of(reader: Reader, kind: str) -> list[dict]:
    events = [json.loads(text) for connection in reader.connections for _, text in connection.frames]
    return [event for event in events if event["type"] == kind]


def interrupted_rounds(reader: Reader) -> list[dict]:
    """The ends of rounds that were interrupted."""
    return [event for event in events_of(reader, "STEP_FINISHED") if event["metadata"].get("interrupted")]


def seconds_to_stop(session: Session) -> list[float]:
    """From the stored request to the stored end of each turn that was stopped."""
    stopped = [turn for turn in session.site.store.turns() if turn.status == "stopped"]
    return [(turn.finished or inf) - (turn.stop_requested or 0) for turn in stopped]


async def answering(chat: Chat, cuts: int = 0) -> None:
    """Waits until every reader has text of the newest answer, after `cuts` that began twice."""
    count = len(chat.readers[0].sent) + cuts

    def begun() -> bool:
        return all(
            sum(event["role"] == "assistant" for event in events_of(reader, "TEXT_MESSAGE_START")) >= count
            for reader in chat.readers
        )

    assert await until(begun)
