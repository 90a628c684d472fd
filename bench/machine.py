"""The machine: the cores' tasks, and a process's use of them by Linux's own counters."""

import asyncio
import os
import platform
import time
from collections.abc import Coroutine, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Cores(NamedTuple):
    """The core of the tested processes, and the core of gateway and clients, which may be the same."""

    tested: int
    load: int

    @property
    def note(self) -> str:
        """How the work is spread, in a sentence."""
        if self.tested == self.load:
            return f"All on core {self.tested}, the only one: lag and CPU time hold gateway and clients too."
        return f"Tested on core {self.tested}, gateway and clients on core {self.load}."


def cores() -> Cores:
    """The first two cores that this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[min(1, len(allowed) - 1)])


def pin(core: int, pid: int = 0) -> None:
    """Keeps a process that has not begun a thread yet (by default this one) on a core."""
    os.sched_setaffinity(pid, {core})


def now() -> int:
    """The monotonic clock in microseconds, the same for all processes."""
    return time.monotonic_ns() // 1000


def resident(pid: int) -> float:
    """A process's resident memory in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


def threads(pid: int) -> int:
    """How many threads a process has."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nThreads:")[2].split(maxsplit=1)[0])


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Runs a coroutine of the load's side, on uvloop where that is installed, as its core is soon full."""
    if find_spec("uvloop") is None:
        return asyncio.run(main)
    result: Result = import_module("uvloop").run(main)
    return result


class Usage(NamedTuple):
    """The usage of processes between two moments, in microseconds of the monotonic clock.

    `others` is what other processes took of the tested core, `load` what anybody took of the load's core.
    """

    opened: int
    closed: int
    cpu: float
    others: float
    load: float
    rss: float

    @property
    def seconds(self) -> float:
        """The length of the window."""
        return (self.closed - self.opened) / 1e6


class Meter:
    """Measures processes, from now on."""

    def __init__(self, pids: Sequence[int], cores: Cores) -> None:
        self._pids, self._cores = pids, cores
        self._opened, self._spent = now(), self._seconds()

    def read(self) -> Usage:
        """The usage since the meter was made."""
        closed = now()
        spent = zip(self._seconds(), self._spent, strict=True)
        cpu, tested, load = (seconds - before for seconds, before in spent)
        rss = sum(map(resident, self._pids))
        return Usage(self._opened, closed, cpu, max(0.0, tested - cpu), load, rss)

    def _seconds(self) -> tuple[float, float, float]:
        cpu = sum(map(cpu_seconds, self._pids))
        return cpu, busy_seconds(self._cores.tested), busy_seconds(self._cores.load)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, its ended threads included, by its clock of clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def busy_seconds(core: int) -> float:
    """For how long a core has been busy, whoever used it (/proc/stat: all but idle and iowait)."""
    line = next(
        line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} ")
    )
    spent = [int(ticks) for ticks in line.split()[1:9]]
    return (sum(spent) - spent[3] - spent[4]) / TICKS


def description() -> dict[str, object]:
    """The machine that the figures depend on."""
    model = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    return {
        "cpu": model.partition(":")[2].strip() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
