"""Turns: the imperative shell round the pure core. Whoever asks for a turn gets a row; a worker thread does the rest.

starting.py takes messages in and says which turn is next; running.py runs one; rounds.py and calls.py are its two kinds of step;
stopping.py ends it early; loading.py turns rows into the core's values;
recorded.py answers a turn that is asked again; leases.py and service.py are what a process does beside.
"""

from .loading import rebuild_request
from .running import JOURNAL
from .service import drain, start, start_service, wait
from .starting import Again, Started
from .stopping import stop

__all__ = [
    "JOURNAL",
    "Again",
    "Started",
    "drain",
    "rebuild_request",
    "start",
    "start_service",
    "stop",
    "wait",
]
