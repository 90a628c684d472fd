"""Lines from a pipe, or from a plain terminal, which edits them itself."""

import io
import os
import select
import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, TextIO

from django.core.management.base import OutputWrapper

from conversations.management.following import on_ctrl_c
from conversations.management.terminal import printable

LOOK_EVERY = 0.5
"""Seconds between two looks for news while a line is awaited."""

HasNews = Callable[[], bool]


class Lines(Protocol):
    """The source of a session's lines."""

    def read(self, prompt: str, has_news: HasNews, *, is_answer: bool = False) -> str | None:
        """The next line, or None where there is news first.

        Raises EOFError at the end and KeyboardInterrupt for Ctrl+C, which loses nothing that was written. An answer to a question is
        not remembered as a message.
        """

    def remember(self, text: str) -> None:
        """Adds an earlier message to the history that the arrow keys call up."""

    def quiet(self) -> AbstractContextManager[None]:
        """Within the context only a prompt echoes keys. What is typed meanwhile stands at the next one."""


class PlainLines:
    """Plain lines. Those from a pipe are printed, as nobody has seen them being typed."""

    def __init__(self, stream: TextIO, out: OutputWrapper) -> None:
        self._stream, self._out = stream, out
        self._is_terminal = stream.isatty()
        self._pending = b""

    def read(self, prompt: str, has_news: HasNews, *, is_answer: bool = False) -> str | None:
        """The next line, or None where there is news first."""
        if not self._is_terminal:
            with on_ctrl_c(signal.default_int_handler):
                line = self._next(has_news)
            self._print("" if line is None else f"{prompt}{line}\n")
            return line
        try:
            with on_ctrl_c(signal.default_int_handler):
                self._print(prompt + self._pending.decode(errors="replace"))
                line = self._next(has_news)
        except (KeyboardInterrupt, EOFError):
            self._take_back()
            raise
        if line is None:
            self._take_back()
        return line

    def remember(self, text: str) -> None:
        """Does nothing: there is no history."""

    def quiet(self) -> AbstractContextManager[None]:
        """Within the context Ctrl+C discards nothing that was typed. The terminal echoes keys itself."""
        return keys(self._stream.fileno()) if self._is_terminal else nullcontext()

    def _take_back(self) -> None:
        """Takes an unfinished line from the terminal, so that it stands at the next prompt."""
        number = self._stream.fileno()
        with keys(number, without=termios.ICANON):
            while select.select([number], [], [], 0)[0] and (data := os.read(number, 65_536)):
                self._pending += data
        self._print("\n")

    def _print(self, text: str) -> None:
        self._out.write(printable(text), ending="")
        self._out.flush()

    def _next(self, has_news: HasNews) -> str | None:
        try:
            number = self._stream.fileno()
        except (io.UnsupportedOperation, AttributeError):
            return self._whole(self._stream.readline().encode())
        while b"\n" not in self._pending:
            if not select.select([number], [], [], LOOK_EVERY)[0]:
                if has_news():
                    return None
                continue
            data = os.read(number, 65_536)
            if not data:
                last, self._pending = self._pending, b""
                return self._whole(last)
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return self._whole(line + b"\n")

    @staticmethod
    def _whole(data: bytes) -> str:
        if not data:
            raise EOFError
        return data.decode(errors="replace").rstrip("\r\n")


@contextmanager
def keys(number: int, without: int = 0) -> Iterator[None]:
    """Within the context the terminal lacks some modes, and Ctrl+C discards nothing that was typed."""
    former, mode = termios.tcgetattr(number), termios.tcgetattr(number)
    mode[3] = mode[3] & ~without | termios.NOFLSH
    termios.tcsetattr(number, termios.TCSANOW, mode)
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSANOW, former)
