"""A command at a terminal: keys are pressed, and what stands there is read."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.nursery import Command
from tests.servers import command_line

SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
CTRL_C, CTRL_D, UP, ENTER = "\x03", "\x04", "\x1b[A", "\r"


class Terminal:
    """The command's own terminal, which answers no question about itself."""

    def __init__(self, process: "Command | subprocess.Popen[bytes]", descriptor: int) -> None:
        self.process, self._descriptor = process, descriptor
        self.raw = ""
        self._read_to = 0

    @property
    def text(self) -> str:
        """All that was written, without what moves and colours it."""
        return SEQUENCE.sub("", self.raw).replace("\r", "")

    def press(self, keys: str) -> None:
        """Presses keys."""
        os.write(self._descriptor, keys.encode())

    def wait_for(self, pattern: str, timeout: float = 60) -> str:
        """Waits until this is written behind what was waited for before; returns what stood between."""
        deadline = time.monotonic() + timeout
        while not (match := re.compile(pattern).search(self.text, self._read_to)):
            assert time.monotonic() < deadline, f"{pattern} did not come: {self.text[self._read_to :]}"
            self._read(0.1)
        between = self.text[self._read_to : match.end()]
        self._read_to = match.end()
        return between

    def resize(self, rows: int, columns: int) -> None:
        """Makes the window another size."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def exit_code(self, timeout: float = 60) -> int:
        """The command's exit code, with all that it wrote read."""
        deadline = time.monotonic() + timeout
        while self._read(0.1) or self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.text}"
        return self.process.wait()

    def _read(self, seconds: float) -> bool:
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._descriptor, 65_536)
        except OSError:  # nobody has it open any more
            return False
        self.raw += data.decode(errors="replace")
        return bool(data)


@contextmanager
def at_terminal(
    environment: dict[str, str], *arguments: str, term: str = "xterm", anew: bool = False
) -> Iterator[Terminal]:
    """A command of the product at a terminal, killed at the end if it still runs.

    It is one of the nursery's, or has a new interpreter.
    """
    ours, theirs = pty.openpty()
    start = _start_anew if anew else _start
    with start(environment | {"TERM": term}, arguments, theirs) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


def _start(environment: dict[str, str], arguments: tuple[str, ...], terminal: int) -> Command:
    return Command(environment, *arguments, streams=(terminal, terminal, terminal), at_terminal=True)


def _start_anew(
    environment: dict[str, str], arguments: tuple[str, ...], terminal: int
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command_line(*arguments),
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 (so that Ctrl+C is a signal)
    )
