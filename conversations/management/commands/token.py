"""API tokens for programs that use AG-UI over HTTP."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.errors import Refused
from conversations.management.users import user_named
from conversations.models import ApiToken


class Command(BaseCommand):
    """`python manage.py token USER`."""

    help = (
        "Makes an API token, with which a program acts as the user over AG-UI, and prints it, once, as the last word."
        " With --revoke the user's tokens of the name are ended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--name", metavar="TEXT", default="token", help="what it is for (default: token)")
        parser.add_argument("--revoke", action="store_true", help="end the tokens of this name")

    def handle(self, *args: Any, user: str, name: str, revoke: bool, **options: Any) -> None:
        """Makes a token, or ends those of the name."""
        try:
            self._revoke(user, name) if revoke else self._issue(user, name)
        except Refused as refused:
            raise CommandError(str(refused)) from None

    def _issue(self, user: str, name: str) -> None:
        row, token = ApiToken.issue(user_named(user), ApiToken.clean_name(name))
        self.stdout.write(f"The API token named {row.name} of {user}, which is not shown again: {token}")

    def _revoke(self, user: str, name: str) -> None:
        rows = list(user_named(user).api_tokens.filter(name=ApiToken.clean_name(name), revoked_at=None))
        if not rows:
            raise Refused(f"{user} has no API token named {name}.")
        for row in rows:
            row.revoke()
        tokens = "1 API token" if len(rows) == 1 else f"{len(rows)} API tokens"
        self.stdout.write(f"Revoked: {tokens} named {name} of {user}.")
