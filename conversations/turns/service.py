"""What a process does about turns: it starts them, keeps in touch with other processes, and drains before it ends."""

import asyncio
import logging
import time
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.utils import timezone

from conversations.journal.reading import heads
from conversations.live import HUB, keep_in_touch
from conversations.models import Conversation, Turn

from .recovery import sweep_for_ever
from .running import run_in_thread
from .starting import LEASE, Again, Started, store, tell_queue
from .stopping import DRAINING, RUNNING

logger = logging.getLogger(__name__)

HAND_OVER = 2.0
"""Seconds of the drain that are kept for handing over what has not ended."""


def start(
    conversation: Conversation,
    message_id: object,
    text: object,
    *,
    model: str | None = None,
    again: Again | None = None,
) -> Started:
    """Takes a user's message in; its turn runs as soon as none runs before it. The same id again changes nothing.

    Raises Refused for an id that is no UUID and a text that is blank or too long, Throttled over the user's limits.
    """
    started = store(conversation, message_id, text, model=model, again=again)
    if started.new and started.queued:
        tell_queue(conversation.pk)
    elif started.new:
        run_in_thread(started.turn)
    return started


def start_service(loop: asyncio.AbstractEventLoop) -> None:
    """Begins what a server process does for as long as its loop runs; called on the loop."""
    HUB.attach(loop)
    TASKS.append(loop.create_task(keep_in_touch(_heads)))
    sweep_for_ever()


def drain(timeout: float) -> None:
    """Begins no further turn and waits until the running ones have ended; those that have not in `timeout` seconds are handed over."""
    DRAINING.set()
    if not wait(timeout - HAND_OVER):
        hand_over()


def hand_over() -> None:
    """Lets go of the turns that this process still runs: whoever sweeps next takes them up at once, and it does not count as an attempt."""
    tokens = {running.lease for running in list(RUNNING.values())}
    left = Turn.objects.filter(lease_token__in=tokens, status=Turn.Status.RUNNING)
    count = left.update(lease_token=None, lease_until=timezone.now() - LEASE, attempts=F("attempts") - 1)
    logger.warning("%d turns handed over", count)


def wait(timeout: float) -> bool:
    """Waits until this process runs no turn, at most `timeout` seconds; whether that came to be."""
    until = time.monotonic() + timeout
    while RUNNING and time.monotonic() < until:
        time.sleep(0.01)
    return not RUNNING


def _heads(conversations: list[UUID]) -> dict[UUID, int]:
    try:
        return heads(conversations)
    finally:
        connection.close()


TASKS: list["asyncio.Task[None]"] = []
