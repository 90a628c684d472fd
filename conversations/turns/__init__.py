"""Turns: the imperative shell round the pure core. Whoever asks for a turn gets a row; a worker thread does the rest.

starting.py takes messages in and says which turn is next; running.py runs one; rounds.py and calls.py are its two kinds of step;
stopping.py ends it early; approvals.py keeps it waiting for a person; loading.py turns rows into the core's values;
commands.py is what a person may ask for beside a message; recorded.py answers a turn that is asked again;
leases.py and service.py are what a process does beside.
"""

from .aside import aside
from .commands import edit, keep_draft, regenerate, resume, run_again, show_branch, stop, withdraw
from .loading import rebuild_request
from .running import JOURNAL
from .service import drain, start, start_service, wait
from .starting import Again, Started

__all__ = [
    "JOURNAL",
    "Again",
    "Started",
    "aside",
    "drain",
    "edit",
    "keep_draft",
    "rebuild_request",
    "regenerate",
    "resume",
    "run_again",
    "show_branch",
    "start",
    "start_service",
    "stop",
    "wait",
    "withdraw",
]
