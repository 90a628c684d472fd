"""`manage.py serve`: everything from an empty database to a page that answers."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

from conversations import mcp
from conversations.gateway import endpoint
from conversations.management.interpreter import python
from project.database import reach, unapplied_migrations
from project.links import sign_in_path
from project.server import SERVERS, address, listen, runner, serve
from project.static_files import collect

OWNER = "owner"
ADVICE = (
    f"The link signs you in once, within an hour. To set a password: {{}} manage.py changepassword {OWNER}"
)


class Command(BaseCommand):
    """Prepares the database, the owner's account and the demo gateway, then serves until a signal."""

    help = "Serve the site, with the embedded demo gateway unless GATEWAY_URL is set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
        parser.add_argument(
            "--port", default=8080, type=int, help="port to listen at, 0 for any free one (8080)"
        )
        parser.add_argument("--server", default="daphne", choices=SERVERS, help="web server (daphne)")
        parser.add_argument(
            "--no-turns", action="store_true", help="leave turns to other processes, such as `work`"
        )

    def check(self, *args: Any, **options: Any) -> None:
        """Checks as every command does. A fault of MCP_SERVERS is told in one sentence."""
        mcp.ensure_usable()
        super().check(*args, **options)

    def handle(self, *args: Any, host: str, port: int, server: str, no_turns: bool, **options: Any) -> None:
        """Serves; raises ConfigurationError or DatabaseError if it cannot."""
        runner(server)
        listener = listen(host, port)
        reach()
        if unapplied_migrations():
            call_command("migrate", verbosity=0, interactive=False)
        create_owner()
        endpoint()  # starts the demo gateway unless there is another
        collect()
        text = greeting(address(listener))
        serve(listener, lambda: self.announce(text), server=server, turns=not no_turns)

    def announce(self, text: str) -> None:
        """Prints the text at once, also into a pipe."""
        self.stdout.write(text)
        self.stdout.flush()


def create_owner() -> None:
    """Creates the first account, if there is none: a superuser who signs in by link, not by password."""
    users = get_user_model().objects
    if not users.exists():
        users.create_superuser(username=OWNER, email="", password=None)


def greeting(url: str) -> str:
    """The site's address, with a link that signs the owner in until the owner has signed in once."""
    owner = get_user_model().objects.filter(username=OWNER, is_active=True, last_login=None).first()
    if owner is None:
        return f"Turntable is at {url}/"
    return f"Turntable is at {url}{sign_in_path(owner)}\n{ADVICE.format(python())}"
