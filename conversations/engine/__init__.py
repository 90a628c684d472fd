"""The engine: an accepted message is a turn's row, and a worker runs the turn as a coroutine.

commands.py has what a person may do, messages.py and files.py what comes in, limits.py how much of it; naming.py finds the runs that
programs name. lifecycle.py has every change of a turn's status, queue.py the turns that wait for their beginning.

worker.py is a process with its running turns, run.py one turn's way through its steps: rounds.py and tool_calls.py are the two kinds of
steps, stopping.py cuts them short. recovery.py begins a lost turn again. outgoing.py and requests.py build what a model is sent,
settings.py what goes beside the messages. synthetic.py answers a turn that is asked again.

approvals.py waits for a person, questions.py asks one for a running call, live_calls.py keeps that call meanwhile. permissions.py says
which tools a user may use, progress.py how far a call has come.

notices.py, library.py and shelving.py are about what pages and lists show beside the record, titles.py about a conversation's name.
"""

from . import permissions, settings
from .approvals import may_be_let_through_whole
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
from .synthetic import NOT_RECORDED, PLAYERS, RecordedCall, recorded_calls
from .worker import WORKER

__all__ = [
    "NOT_RECORDED",
    "PLAYERS",
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
    "may_be_let_through_whole",
    "past_turns",
    "permissions",
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
