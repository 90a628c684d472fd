"""`python manage.py demo_gateway`: the embedded demo gateway alone."""

import threading
from contextlib import closing, suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from conversations import demo_gateway as demo
from conversations.errors import ConfigurationError


class Command(BaseCommand):
    """Runs the demo gateway until it is interrupted."""

    help = "Runs the embedded demo gateway alone: a stand-in for a gateway in front of Amazon Bedrock."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds the arguments."""
        parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1 (default: 8000)")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        """Starts it, says where it is and what it can show, and waits; exits with 1 if the port is taken."""
        try:
            gateway = demo.start(port=port)
        except ConfigurationError as error:
            self.stderr.write(str(error))
            raise SystemExit(1) from error
        with suppress(KeyboardInterrupt), closing(gateway):
            self.stdout.write(f"The demo gateway is at {gateway.url} (Ctrl-C ends it).\n\n{demo.help_text()}")
            self.stdout.flush()
            threading.Event().wait()
