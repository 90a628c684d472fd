"""The machine: which core does what, and what a process takes of it, from Linux's own counters."""

import os
import platform
import time
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Cores(NamedTuple):
    """The core of what is tested and that of gateway and clients; one and the same where there are no two."""

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


class Usage(NamedTuple):
    """What a process took between two moments, in microseconds of the monotonic clock, and others of its core."""

    opened: int
    closed: int
    cpu: float
    others: float
    rss: float

    @property
    def seconds(self) -> float:
        """How long that was."""
        return (self.closed - self.opened) / 1e6


class Meter:
    """Measures a process on its core, from now on."""

    def __init__(self, pid: int, core: int) -> None:
        self._pid, self._core = pid, core
        self._opened, self._cpu, self._busy = now(), cpu_seconds(pid), busy_seconds(core)

    def read(self) -> Usage:
        """What was taken since."""
        closed, cpu = now(), cpu_seconds(self._pid) - self._cpu
        others = busy_seconds(self._core) - self._busy - cpu
        return Usage(self._opened, closed, cpu, max(0.0, others), resident(self._pid))


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
    """What the figures depend on."""
    model = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    return {
        "cpu": model.partition(":")[2].strip() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
