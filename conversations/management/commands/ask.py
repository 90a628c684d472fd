"""One turn in the terminal."""

import sys
import uuid
from argparse import ArgumentParser
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

from conversations import engine
from conversations.errors import Refused
from conversations.journal import HUB, head
from conversations.management.approving import answers
from conversations.management.terminal import Terminal
from conversations.management.users import user_named
from conversations.models import Conversation, Turn

LAST_TURNS = 600.0
"""Seconds in which the turns that this process runs may end."""


class Command(BaseCommand):
    """`python manage.py ask "TEXT"`."""

    help = "Asks the model one thing and prints its answer as it arrives."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The contract's arguments."""
        parser.add_argument("text", metavar="TEXT")
        parser.add_argument("--conversation", metavar="ID", help="go on with this conversation")
        parser.add_argument("--model", metavar="ID", help="the model to ask")
        parser.add_argument("--user", metavar="NAME", help="whose conversation it is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Asks, and says how it ended; a turn that came to wait behind this one is run to its end too."""
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
        engine.WORKER.wait(timeout=LAST_TURNS)
        if error is not None:
            raise SystemExit(1)

    def _ask(
        self, text: str, name: str | None, given: str | None, model: str | None
    ) -> tuple[Turn, str | None]:
        """One turn, printed, and its error's text; Ctrl-C stops it. Raises Refused."""
        user = user_named(name)
        conversation = _own(user, given) if given else _new(user, model)
        terminal = Terminal(conversation.pk, head(conversation.pk), self.stdout)
        HUB.subscribe(conversation.pk, terminal)
        try:
            turn = engine.start(conversation.pk, str(uuid.uuid4()), text, model=model).turn
            error = _follow(terminal, str(turn.pk), conversation.pk)
            while _waits(turn):
                engine.resume(conversation, user, answers(turn, sys.stdout))
                error = _follow(terminal, str(turn.pk), conversation.pk)
            self.stdout.write("")
            return turn, error
        except Refused:
            if not given:
                conversation.delete()
            raise
        finally:
            HUB.unsubscribe(conversation.pk, terminal)


def _follow(terminal: Terminal, run: str, conversation: UUID) -> str | None:
    meanwhile = partial(
        engine.WORKER.sweep, conversation
    )  # what runs before this turn may have lost its process
    try:
        return terminal.follow(run, meanwhile)
    except KeyboardInterrupt:
        engine.stop(conversation)
        return terminal.follow(run, meanwhile)


def _waits(turn: Turn) -> bool:
    turn.refresh_from_db(fields=["status"])
    return turn.status == Turn.Status.WAITING


def _new(user: User, model: str | None) -> Conversation:
    return Conversation.objects.create(owner=user, model=model or settings.GATEWAY_MODELS[0])


def _own(user: User, given: str) -> Conversation:
    try:
        return Conversation.objects.owned_by(user).get(pk=UUID(given))
    except (ValueError, Conversation.DoesNotExist):
        raise Refused(f"{user.get_username()} has no conversation {given}.") from None
