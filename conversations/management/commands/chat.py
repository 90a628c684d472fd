"""A conversation in the terminal."""

import os
import sys
from argparse import ArgumentParser
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand

from conversations import engine
from conversations.errors import Refused
from conversations.management.chat.lines import Lines, PlainLines
from conversations.management.chat.session import Session, SessionDisplay
from conversations.management.chat.transcript import Transcript
from conversations.management.users import new_conversation, own_conversation, user_named

EXTRAS = ("markdown_it", "prompt_toolkit", "rich")
"""The packages that a full terminal needs. Without one of them the session is plain text."""

DRAIN_TIMEOUT = 600.0
"""Seconds in which this process's turns may end."""


class Command(BaseCommand):
    """`python manage.py chat`."""

    help = "A conversation in the terminal: a line is a message, /help lists what else there is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument("--conversation", metavar="ID", help="go on with this conversation")
        parser.add_argument("--model", metavar="ID", help="the model to ask")
        parser.add_argument("--user", metavar="NAME", help="whose conversation it is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the session until the lines end, and then the turns that still run here."""
        display, lines = self._terminal()
        try:
            user = user_named(options["user"])
            conversation = options["conversation"]
            row = (
                own_conversation(user, conversation)
                if conversation
                else new_conversation(user, options["model"])
            )
            Session(user, display, lines, options["model"]).run(row)
        except Refused as refused:
            self.stderr.write(f"A client error occurred: {refused}")
            raise SystemExit(1) from None
        engine.WORKER.wait(timeout=DRAIN_TIMEOUT)

    def _terminal(self) -> tuple[SessionDisplay, Lines]:
        """The session's display, and the source of its lines."""
        is_able = os.environ.get("TERM") not in ("dumb", "unknown") and all(map(find_spec, EXTRAS))
        if is_able and sys.stdin.isatty() and self.stdout.isatty():
            from conversations.management.chat.commands import COMMANDS
            from conversations.management.chat.prompt import PromptLines
            from conversations.management.chat.screen import Screen

            return Screen(), PromptLines(f"/{name}" for name in COMMANDS)
        return Transcript(self.stdout, self.stderr), PlainLines(sys.stdin, self.stdout)
