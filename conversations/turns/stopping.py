"""Stopping a turn, from any tab and process, in every phase."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.utils import timezone

from conversations.errors import TurntableError
from conversations.gateway import Call
from conversations.models import Turn


class Stopped(TurntableError):
    """The turn was stopped."""

    code = "stopped"


class Stop:
    """A running turn's stop: set once, from any thread; it interrupts the gateway call that is under way. `lease` is the token that the
    turn is run under.
    """

    def __init__(self, lease: UUID | None = None) -> None:
        self.lease = lease
        self.event = threading.Event()
        self._call: Call | None = None
        self._lock = threading.Lock()

    def request(self) -> None:
        """Stops the turn."""
        with self._lock:
            self.event.set()
            call = self._call
        if call is not None:
            call.interrupt()

    def check(self) -> None:
        """Raises Stopped if the turn was stopped."""
        if self.event.is_set():
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """Waits, or raises Stopped as soon as the turn is stopped."""
        self.event.wait(seconds)
        self.check()

    @contextmanager
    def during(self, call: Call) -> Iterator[Call]:
        """Makes the stop reach the call while it is under way."""
        with self._lock:
            self._call = call
        try:
            self.check()
            yield call
        finally:
            with self._lock:
                self._call = None


DRAINING = threading.Event()
"""Set when the process is to end: no turn is begun any more."""

RUNNING: dict[UUID, Stop] = {}
"""The turns that this process runs, and their stops."""


def stop(conversation: UUID) -> bool:
    """Stops the conversation's running turn, whichever process runs it; whether there was one."""
    running = Turn.objects.filter(conversation=conversation, status__in=Turn.ACTIVE)
    turn = running.values_list("pk", flat=True).first()
    if turn is None:
        return False
    if (here := RUNNING.get(turn)) is not None:
        here.request()  # first: a database that is busy or broken holds up no stop
    running.filter(pk=turn).update(stop_requested_at=timezone.now())
    return True
