"""What a process does about turns: it starts them, keeps in touch with other processes, and drains before it ends."""

import asyncio
import logging
import time
from uuid import UUID

from django.db import connection

from conversations.journal.reading import heads
from conversations.live import HUB, keep_in_touch
from conversations.models import Conversation

from .recovery import sweep_for_ever
from .running import run_in_thread
from .starting import Started, store, tell_queue
from .stopping import DRAINING, RUNNING

logger = logging.getLogger(__name__)


def start(
    conversation: Conversation, message_id: object, text: object, *, model: str | None = None
) -> Started:
    """Takes a user's message in; its turn runs as soon as none runs before it. The same id again changes nothing.

    Raises Refused for an id that is no UUID and a text that is blank or too long, Throttled over the user's limits.
    """
    started = store(conversation, message_id, text, model=model)
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
    """Begins no further turn and waits until the running ones have ended, at most `timeout` seconds."""
    DRAINING.set()
    if not wait(timeout):
        logger.warning("%d turns left running", len(RUNNING))


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
