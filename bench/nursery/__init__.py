"""Commands of `manage.py` as children of a process that has imported the product already.

A start takes a seventh of the time then, and the tests start commands all the time.
"""

import fcntl
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping
from multiprocessing.reduction import DupFd
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Self, TextIO

from bench.processes import ROOT

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["__main__", f"{__name__}.imports"])

Streams = tuple[int, int, int]
"""Descriptors of what a command reads, writes and complains to."""


class Command:
    """A running command with this environment alone: what one uses of subprocess.Popen."""

    stdout: TextIO | None = None

    def __init__(
        self, environment: Mapping[str, str], *arguments: str, streams: Streams, at_terminal: bool = False
    ) -> None:
        copies = tuple(map(_Descriptor, streams))
        self._process = _context.Process(
            target=_run, args=(dict(environment), copies, arguments, at_terminal), daemon=True
        )
        self._process.start()
        self.pid = self._process.pid or 0

    @classmethod
    def piped(cls, environment: Mapping[str, str], *arguments: str, errors: int = 2) -> Self:
        """A command whose output is read from `stdout`."""
        its_end, end = os.pipe()
        command = cls(environment, *arguments, streams=(0, end, errors))
        os.close(end)
        command.stdout = os.fdopen(its_end, encoding="utf-8")
        return command

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.join()
        if self.stdout is not None:
            self.stdout.close()

    def poll(self) -> int | None:
        """Its exit code; None if it still runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired("manage.py", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Sends it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Sends it SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.send_signal(signal.SIGKILL)


def run(
    environment: Mapping[str, str], *arguments: str, timeout: float
) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    with TemporaryFile("w+") as output, TemporaryFile("w+") as errors, Path(os.devnull).open() as nothing:
        streams = (nothing.fileno(), output.fileno(), errors.fileno())
        with Command(environment, *arguments, streams=streams) as command:
            code = command.wait(timeout)
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, code, output.read(), errors.read())


class _Descriptor:
    """A file descriptor for a child, which gets one of its own."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _detach, (DupFd(self._number),)


def _detach(copy: Any) -> int:
    return int(copy.detach())


def _run(
    environment: dict[str, str], streams: Streams, arguments: tuple[str, ...], at_terminal: bool
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    _replace_streams(streams)
    if at_terminal:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [str(ROOT / "manage.py"), *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")


def _replace_streams(streams: Streams) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
