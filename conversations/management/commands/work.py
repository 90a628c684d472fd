"""`manage.py work`: turns, and no web server."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from conversations import mcp
from conversations.conf import settings
from conversations.errors import ConfigurationError
from conversations.gateway import endpoint
from project.database import not_up_to_date, reach, unapplied_migrations
from project.server import work


class Command(BaseCommand):
    """Claims queued turns and runs them until a signal."""

    help = "Run turns, and no web server; `serve --no-turns` is the other half."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument(
            "--turns",
            default=settings.MAX_TURNS_AT_ONCE,
            type=int,
            help=f"turns at once ({settings.MAX_TURNS_AT_ONCE})",
        )

    def check(self, *args: Any, **options: Any) -> None:
        """Checks as every command does. A fault of MCP_SERVERS is told in one sentence."""
        mcp.ensure_usable()
        super().check(*args, **options)

    def handle(self, *args: Any, turns: int, **options: Any) -> None:
        """Runs turns until a signal; raises ConfigurationError or DatabaseError if it cannot."""
        if turns < 1:
            raise ConfigurationError("--turns must be a number above 0.")
        reach()
        if unapplied_migrations():
            raise ConfigurationError(not_up_to_date())
        endpoint()  # starts the demo gateway unless there is another
        work(turns, lambda: self.announce(turns))

    def announce(self, turns: int) -> None:
        """Prints the number of turns at once, also into a pipe."""
        self.stdout.write(f"Turntable runs up to {turns} turns at once.")
        self.stdout.flush()
