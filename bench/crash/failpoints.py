"""Named points at which a server fails, wrapped round the product's functions from outside.

A point is armed by a file that names it, what is to happen, and the how many-eth time; the file is renamed as it happens.
"""

import functools
import importlib
import inspect
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER = "CRASH_FOLDER"
"""The environment variable with the folder of the two files."""

EFFECTS = "CRASH_EFFECTS"
"""The environment variable with the path of the file that the tools' effects are lines of."""

ARMED, FIRED = "armed", "fired"
Mode = Literal["kill", "raise"]


class Injected(Exception):
    """A failure that was armed."""


@dataclass(frozen=True)
class Point:
    """A point before or after a function (`module:attribute`), at its first call or a later one.

    `scene` names what is to happen in a conversation so that the point is reached.
    """

    name: str
    target: str
    when: Literal["before", "after"] = "before"
    time: int = 1
    scene: str = "tool"


COMMANDS, LIFECYCLE = "conversations.engine.commands", "conversations.engine.lifecycle"
RUN, STREAMING = "conversations.engine.run", "conversations.engine.rounds:Streaming"
WORKER, CALLS = "conversations.engine.worker:Worker", "conversations.engine.tool_calls:Calls"
RECOVERY, WRITER = "conversations.engine.recovery", "conversations.journal.writer"
PACKING, CONSUMER = "conversations.journal.recordings", "conversations.sockets.consumer"

POINTS = (
    Point("a message has come", f"{LIFECYCLE}:accept"),
    Point("a message is written, not committed", f"{LIFECYCLE}:_update_conversation"),
    Point("a message is stored, its turn not begun", f"{LIFECYCLE}:accept", "after"),
    Point("a turn is opened", f"{RECOVERY}:opening_events", "after"),
    Point("a step is written, not committed", f"{STREAMING}._save_start", "after"),
    Point("a step has begun, the gateway is not called", f"{STREAMING}._stream"),
    Point("deltas have come, not queued", f"{STREAMING}._show", time=3),
    Point("deltas hold their turns", f"{WRITER}:Batch._lock_turns", "after", time=4),
    Point("deltas are committed, not shown", "conversations.journal.hub:Hub._schedule", time=4),
    Point("a round's end is written, not committed", f"{STREAMING}._save_end", "after"),
    Point("a round has ended, which is not committed", f"{STREAMING}._end_well", "after"),
    Point("calls are set running, not committed", f"{CALLS}._save_running", "after"),
    Point("a call is set running, its tool not called", f"{CALLS}._execute"),
    Point("a tool has done its work", "bench.crash.tools:leave_trace", "after"),
    Point("one of two results is stored", f"{CALLS}._store", "after"),
    Point("a turn's end is written, not committed", f"{LIFECYCLE}:end", "after"),
    Point("a turn has ended, not packed", f"{RUN}:Run._end", "after"),
    Point("a recording is made, not written", f"{PACKING}:squeeze", "after"),
    Point("a recording is written, not committed", "conversations.models:Recording.save", "after"),
    Point("a recording is committed", f"{RUN}:pack", "after"),
    Point("a queued turn is about to be claimed", f"{LIFECYCLE}:claim", scene="queue"),
    Point("a queued turn is claimed, not committed", f"{LIFECYCLE}:_begin_queued", "after", scene="queue"),
    Point("a queued turn is claimed, not begun", f"{WORKER}.begin", time=2, scene="queue"),
    Point("a stop is asked for", "conversations.engine:stop", scene="stop"),
    Point("a stop is noted", "conversations.engine:stop", "after", scene="stop"),
    Point("a stopped round is about to end", f"{STREAMING}._end_stopped", scene="stop"),
    Point("a lost turn is found", f"{WORKER}._take_over", scene="lost"),
    Point("a lost turn is leased, not begun", f"{LIFECYCLE}:take_over", "after", scene="lost"),
    Point("a cut round is closed, not queued", f"{RECOVERY}:closing_events", "after", scene="lost"),
    Point(
        "a cut round's end is written, not committed", f"{RECOVERY}:_save_cut_rounds", "after", scene="lost"
    ),
    Point("a lost call is settled", f"{CALLS}._store_all", "after", scene="lost call"),
    Point("turns are about to be handed over", f"{LIFECYCLE}:hand_over", scene="drain"),
    Point("turns are handed over", f"{LIFECYCLE}:hand_over", "after", scene="drain"),
    Point("a page is read", f"{CONSUMER}:page", scene="page"),
    Point("a socket reads on", f"{CONSUMER}:read", scene="page"),
)


def resolve(target: str) -> tuple[Any, str]:
    """The object that has the function, and its name there; raises LookupError where there is none."""
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    try:
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        getattr(owner, name)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"there is no {target} to fail at") from error
    return owner, name


def install(points: tuple[Point, ...] = POINTS) -> None:
    """Wraps the functions; does nothing outside of a site that names a folder."""
    if FOLDER in os.environ:
        for point in points:
            owner, name = resolve(point.target)
            setattr(owner, name, _wrap(point, getattr(owner, name)))


def arm(folder: Path, point: Point, mode: Mode) -> None:
    """Lets the point fail, once."""
    (folder / FIRED).unlink(missing_ok=True)
    new = folder / "arming"
    new.write_text(f"{point.name}\t{mode}")
    new.rename(folder / ARMED)


def has_fired(folder: Path) -> bool:
    """Whether the point that was armed last has failed."""
    return (folder / FIRED).exists()


def disarm(folder: Path) -> None:
    """Lets nothing fail any more."""
    (folder / ARMED).unlink(missing_ok=True)


_times: dict[str, int] = {}
_lock = threading.Lock()


def _wrap(point: Point, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def around(*args: Any, **options: Any) -> Any:
        if point.when == "before":
            _reach(point)
        result = function(*args, **options)
        if point.when == "after":
            _reach(point)
        return result

    @functools.wraps(function)
    async def around_coroutine(*args: Any, **options: Any) -> Any:
        if point.when == "before":
            _reach(point)
        result = await function(*args, **options)
        if point.when == "after":
            _reach(point)
        return result

    return around_coroutine if inspect.iscoroutinefunction(function) else around


def _reach(point: Point) -> None:
    armed = Path(os.environ[FOLDER], ARMED)
    try:
        name, mode = armed.read_text().split("\t")
    except FileNotFoundError:
        return
    if name == point.name and _is_due(point, armed):
        if mode == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise Injected(f"as armed: {point.name}")


def _is_due(point: Point, armed: Path) -> bool:
    with _lock:
        _times[point.name] = _times.get(point.name, 0) + 1
        if _times[point.name] < point.time:
            return False
        _times[point.name] = 0
        try:
            armed.rename(armed.with_name(FIRED))
        except FileNotFoundError:
            return False
        return True
