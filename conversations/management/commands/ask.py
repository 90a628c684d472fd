"""One turn in the terminal."""

import sys
import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from conversations import engine
from conversations.errors import Refused
from conversations.management.approvals import answers
from conversations.management.following import following
from conversations.management.terminal import Printer
from conversations.management.users import new_conversation, own_conversation, user_named
from conversations.models import Turn

DRAIN_TIMEOUT = 600.0
"""Seconds in which this process's turns may end."""


class Command(BaseCommand):
    """`python manage.py ask "TEXT"`."""

    help = "Asks the model one thing and prints its answer as it arrives."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument("text", metavar="TEXT")
        parser.add_argument("--conversation", metavar="ID", help="go on with this conversation")
        parser.add_argument("--model", metavar="ID", help="the model to ask")
        parser.add_argument("--user", metavar="NAME", help="whose conversation it is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Asks, and prints how it ended. A turn that was queued behind this one is run to its end too."""
        try:
            turn, error = self._ask(
                options["text"], options["user"], options["conversation"], options["model"]
            )
        except Refused as refused:
            error = str(refused)
        if error is None:
            self.stdout.write(f"Finished streaming messages with model {turn.model}.")
            self.stdout.flush()
        else:
            self.stderr.write(f"A client error occurred: {error}")
        engine.WORKER.wait(timeout=DRAIN_TIMEOUT)
        if error is not None:
            raise SystemExit(1)

    def _ask(
        self, text: str, name: str | None, conversation_id: str | None, model: str | None
    ) -> tuple[Turn, str | None]:
        """Runs and prints a turn, which Ctrl+C stops; returns it and its error's text. Raises Refused."""
        user = user_named(name)
        conversation = (
            own_conversation(user, conversation_id) if conversation_id else new_conversation(user, model)
        )
        printer = Printer(self.stdout)
        try:
            with following(conversation.pk) as follower:
                turn = engine.start(conversation.pk, str(uuid.uuid4()), text, model=model).turn
                error = follower.follow(printer, turn)
                while _is_waiting(turn):
                    engine.resume(conversation, user, answers(turn, sys.stdout))
                    error = follower.follow(printer, turn, with_others=True)
        except Refused:
            if not conversation_id:
                conversation.delete()
            raise
        self.stdout.write("")
        engine.see(conversation.pk, user.pk)
        return turn, error


def _is_waiting(turn: Turn) -> bool:
    turn.refresh_from_db(fields=["status"])
    return turn.status == Turn.Status.WAITING
