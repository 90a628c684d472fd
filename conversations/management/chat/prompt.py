"""Lines from a full terminal: edited as in a shell, with a history."""

import os
import select
import sys
import termios
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.db import connections
from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import DummyHistory, InMemoryHistory
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import CompleteStyle

from .lines import LOOK_EVERY, HasNews, keys

STYLE = "bold fg:ansidefault"
"""The style of a prompt. It names no colour, but without a style its last space is not written."""


class PromptLines:
    """Lines from a prompt. Enter sends; Alt+Enter, or a backslash before Enter, breaks the line."""

    def __init__(self, words: Iterable[str]) -> None:
        self._draft = ""
        output = Vt100_Output.from_pty(sys.stdout, term=os.environ.get("TERM"))
        output.enable_cpr = False  # a terminal need not know where its cursor is
        self._messages: PromptSession[str | None] = PromptSession(
            history=InMemoryHistory(),
            completer=WordCompleter(list(words), sentence=True),
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            multiline=True,
            prompt_continuation="  ",
            key_bindings=self._bindings(),
            output=output,
            color_depth=ColorDepth.MONOCHROME,
        )
        self._answers: PromptSession[str | None] = PromptSession(
            history=DummyHistory(), output=output, color_depth=ColorDepth.MONOCHROME
        )

    def read(self, prompt: str, has_news: HasNews, *, is_answer: bool = False) -> str | None:
        """The next line, or None where there is news first."""
        session = self._answers if is_answer else self._messages
        with _watch(session.app, has_news, self._keep_draft):
            if is_answer:
                return session.prompt([(STYLE, prompt)])
            draft, self._draft = self._draft, ""
            return session.prompt([("", "\n"), (STYLE, prompt)], default=draft)

    def remember(self, text: str) -> None:
        """Adds an earlier message to the history that the arrow keys call up."""
        self._messages.history.append_string(text)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Within the context only a prompt echoes keys. What is typed meanwhile stands at the next one."""
        number = sys.stdin.fileno()
        with keys(number, without=termios.ECHO | termios.ICANON):
            while select.select([number], [], [], 0)[0] and (data := os.read(number, 65_536)):
                self._press(data)
            yield

    def _press(self, data: bytes) -> None:
        """Takes keys from before the terminal was ours, when it turned Ctrl+D into a NUL."""
        presses: list[KeyPress] = []
        parser = Vt100Parser(presses.append)
        parser.feed_and_flush(data.decode(errors="replace").replace("\0", "\x04"))
        store_typeahead(self._messages.input, presses)

    def _keep_draft(self) -> None:
        self._draft = self._messages.default_buffer.text

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()

        @bindings.add("enter")
        @bindings.add("c-j")
        def send(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.document.text_before_cursor.endswith("\\"):
                buffer.delete_before_cursor()
                buffer.insert_text("\n")
            else:
                buffer.validate_and_handle()

        @bindings.add("escape", "enter")
        def break_line(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @bindings.add("c-c")
        @bindings.add("<sigint>")
        def interrupt(event: KeyPressEvent) -> None:
            self._keep_draft()
            event.app.exit(exception=KeyboardInterrupt())

        return bindings


@contextmanager
def _watch(app: Application[str | None], has_news: HasNews, before: Callable[[], None]) -> Iterator[None]:
    """Within the context a thread looks for news, and takes the prompt away as soon as there is any."""
    ended = threading.Event()

    def leave() -> None:
        if app.is_running and not app.is_done:
            before()
            app.erase_when_done = True
            app.exit(result=None)

    def look() -> None:
        try:
            while not ended.wait(LOOK_EVERY):
                if has_news() and app.loop is not None:
                    app.loop.call_soon_threadsafe(leave)
        finally:
            connections.close_all()

    app.erase_when_done = False
    thread = threading.Thread(target=look, name="news", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
