"""Signals for a site, sent after the commit: `turn_ended`, `call_ended`, `conversation_created`."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from conversations.threads import Threads

turn_ended = Signal()
"""A turn has ended, well or not; receivers get the row as `turn`."""

call_ended = Signal()
"""A tool call has its result, which may say that it was refused; receivers get the row as `call`."""

conversation_created = Signal()
"""There is a new conversation; receivers get the row as `conversation`."""

_THREADS = Threads("signals", 1)


def announce(signal: Signal, **facts: Any) -> None:
    """Sends a signal in a thread of its own, so that no turn waits for receivers; failures are logged."""
    sender = type(next(iter(facts.values())))
    if signal.has_listeners(sender):
        _THREADS.submit(signal.send_robust, sender, **facts)


def announce_answered(calls: Iterable[Any]) -> None:
    """Sends `call_ended` after the commit, for the calls that were stored with a result and never run."""
    for call in calls:
        if call.result is not None:
            transaction.on_commit(partial(announce, call_ended, call=call), robust=True)
