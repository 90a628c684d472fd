"""The engine: an accepted message is a turn's row, and a worker runs the turn as a coroutine.

commands.py has a person's commands; messages.py and files.py check what a message holds, limits.py how many its sender may send, and
naming.py names the runs of programs. lifecycle.py has every change of a turn's status, queue.py finds the queued turns that may begin.

worker.py runs a process's turns, run.py takes one of them through its steps: rounds.py and tool_calls.py are the two kinds of steps,
stopping.py cuts them short. recovery.py begins a lost turn again. requests.py and outgoing.py build a model's request, settings.py has
what is in it beside the messages. synthetic.py answers a turn that is asked again.

approvals.py has decisions about calls, questions.py what a running call asks a person, and live_calls.py keeps that call meanwhile.
permissions.py says which tools a user may use, progress.py records how far a call has come.

notices.py, library.py and shelving.py change what pages and lists show beside the record; titles.py asks a model for a title.
"""

from . import permissions, settings
from .approvals import DECIDED_ALREADY, permits_any_arguments
from .commands import (
    change_settings,
    edit,
    keep_draft,
    regenerate,
    resume,
    run_again,
    show_branch,
    start,
    stop,
    stop_here,
    withdraw,
)
from .files import check_files, ids_in
from .library import change, see
from .messages import Accepted, Repetition
from .naming import refuse_while_open, run_named
from .notices import current_notices, first_notices
from .questions import value_of
from .requests import past_turns, rebuild_request
from .shelving import archive, delete, pin, rename, restore
from .stopping import Stopped
from .synthetic import NOT_RECORDED, RECORDED_GATEWAYS, RecordedCall, recorded_calls
from .worker import WORKER

__all__ = [
    "DECIDED_ALREADY",
    "NOT_RECORDED",
    "RECORDED_GATEWAYS",
    "WORKER",
    "Accepted",
    "RecordedCall",
    "Repetition",
    "Stopped",
    "archive",
    "change",
    "change_settings",
    "check_files",
    "current_notices",
    "delete",
    "edit",
    "first_notices",
    "ids_in",
    "keep_draft",
    "past_turns",
    "permissions",
    "permits_any_arguments",
    "pin",
    "rebuild_request",
    "recorded_calls",
    "refuse_while_open",
    "regenerate",
    "rename",
    "restore",
    "resume",
    "run_again",
    "run_named",
    "see",
    "settings",
    "show_branch",
    "start",
    "stop",
    "stop_here",
    "value_of",
    "withdraw",
]
