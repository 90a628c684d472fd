"""The engine: whoever takes a message gets a row, and a worker runs its turn as a coroutine.

messages.py is what comes in; lifecycle.py has every change of a turn's status; worker.py what a process does with its turns; run.py one
turn's way through its steps, of which rounds.py and tool_calls.py are the two kinds; recovery.py how a lost one begins again; approvals.py
what waits for a person; requests.py what a model is sent; synthetic.py what answers a turn that is asked again; commands.py what a person
may do.
"""

from .commands import (
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
from .messages import Accepted, Again
from .notices import aside, current
from .requests import past_turns, rebuild_request
from .stopping import Stopped
from .synthetic import NOT_RECORDED, PLAYERS, RecordedCall, recorded_calls
from .worker import WORKER

__all__ = [
    "NOT_RECORDED",
    "PLAYERS",
    "WORKER",
    "Accepted",
    "Again",
    "RecordedCall",
    "Stopped",
    "aside",
    "current",
    "edit",
    "keep_draft",
    "past_turns",
    "rebuild_request",
    "recorded_calls",
    "regenerate",
    "resume",
    "run_again",
    "show_branch",
    "start",
    "stop",
    "stop_here",
    "withdraw",
]
