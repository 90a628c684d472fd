"""The heartbeat of the turns that this process runs: their leases renewed, and stops that other processes asked for heard."""

import logging
import threading
import time
from itertools import count

from django.db import connection
from django.utils import timezone

from conversations.models import Turn

from .starting import LEASE
from .stopping import RUNNING

logger = logging.getLogger(__name__)

BEAT = 0.5
RENEW_EVERY = 5
_lock = threading.Lock()
_threads: list[threading.Thread] = []


def keep_leases() -> None:
    """Lets the heart beat from now on; once a process."""
    with _lock:
        if not _threads:
            _threads.append(threading.Thread(target=_beat_for_ever, name="leases", daemon=True))
            _threads[0].start()


def _beat_for_ever() -> None:
    for number in count():
        time.sleep(BEAT)
        try:
            if RUNNING:
                beat(renew=number % RENEW_EVERY == 0)
        except Exception:
            logger.exception("the leases of %d turns could not be renewed", len(RUNNING))
        finally:
            connection.close()


def beat(*, renew: bool) -> None:
    """Renews the leases, and stops what is to be stopped: by a person, or because another process has taken the turn up meanwhile."""
    here = dict(RUNNING)
    tokens = [running.lease for running in here.values()]
    ours = Turn.objects.filter(pk__in=here, lease_token__in=tokens, status=Turn.Status.RUNNING)
    if renew:
        ours.update(lease_until=timezone.now() + LEASE)
    asked = dict(ours.values_list("pk", "stop_requested_at"))
    for turn, running in here.items():
        if turn not in asked or asked[turn] is not None:
            running.request()
