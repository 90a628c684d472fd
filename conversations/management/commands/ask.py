"""One turn in the terminal."""

import uuid
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from conversations import turns
from conversations.errors import TurntableError
from conversations.journal import head
from conversations.live import HUB
from conversations.models import Conversation
from conversations.terminal import Terminal


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
        """Starts the turn and follows it to its end; Ctrl-C stops it."""
        conversation = _conversation(_user(options["user"]), options["conversation"], options["model"])
        terminal = Terminal(conversation.pk, head(conversation.pk), self.stdout)
        HUB.subscribe(conversation.pk, terminal)
        try:
            started = turns.start(conversation, str(uuid.uuid4()), options["text"], model=options["model"])
        except TurntableError as refused:
            raise CommandError(str(refused)) from refused
        error = _follow(terminal, str(started.turn.pk), conversation.pk)
        turns.wait(timeout=5)
        self.stdout.write("")
        if error is not None:
            self.stderr.write(f"A client error occurred: {error}")
            raise SystemExit(1)
        self.stdout.write(f"Finished streaming messages with model {started.turn.model}.")


def _follow(terminal: Terminal, run: str, conversation: UUID) -> str | None:
    try:
        return terminal.follow(run)
    except KeyboardInterrupt:
        turns.stop(conversation)
        return terminal.follow(run)


def _user(name: str | None) -> User:
    users: Any = get_user_model()._default_manager.filter(is_active=True)
    if name is not None:
        user = users.filter(username=name).first()
    else:
        user = users.first() if users.count() == 1 else users.filter(is_superuser=True).order_by("pk").first()
    if user is None:
        who = (
            f"no user is called {name}" if name else "there is no user yet: run `python manage.py serve` once"
        )
        raise CommandError(f"Nobody to ask as: {who}.")
    found: User = user
    return found


def _conversation(user: User, given: str | None, model: str | None) -> Conversation:
    if given is None:
        return Conversation.objects.create(owner=user, model=model or settings.GATEWAY_MODELS[0])
    try:
        return Conversation.objects.owned_by(user).get(pk=UUID(given))
    except (ValueError, Conversation.DoesNotExist):
        raise CommandError(f"{user.get_username()} has no conversation {given}.") from None
