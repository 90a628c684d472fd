"""Processes on cores of their own, which end with the measurement."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .machine import pin

ROOT = Path(__file__).resolve().parent.parent


class Process:
    """A running process."""

    def __init__(self, pid: int, output: IO[str]) -> None:
        self.pid = pid
        self._output = output

    def line(self) -> str:
        """The next line of its output, once there is one; blank if it has ended."""
        return self._output.readline()


@contextmanager
def running(
    *arguments: str,
    core: int | None,
    environment: Mapping[str, str] | None = None,
    errors: IO[str] | None = None,
    python: str = sys.executable,
) -> Iterator[Process]:
    """Python with these arguments in the checkout, on a core if one is named; killed at the end."""
    process = subprocess.Popen(  # noqa: S603 (commands of our own)
        [python, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    with process:
        if core is not None:
            pin(core, process.pid)
        try:
            if process.stdout is not None:
                yield Process(process.pid, process.stdout)
        finally:
            process.kill()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
