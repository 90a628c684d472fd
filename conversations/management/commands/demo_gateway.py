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
        parser.add_argument(
            "--upstream",
            default="",
            metavar="URL",
            help="base URL of an OpenAI-compatible server that answers instead (UPSTREAM_URL; its key: UPSTREAM_API_KEY)",
        )
        parser.add_argument(
            "--upstream-model",
            default="",
            metavar="NAME",
            help="the model there (UPSTREAM_MODEL; else the one asked for)",
        )

    def handle(self, *args: Any, port: int, upstream: str, upstream_model: str, **options: Any) -> None:
        """Starts it, prints its address and what it can show, and waits; exits with 1 if it cannot start."""
        try:
            gateway = demo.embedded(port, upstream, upstream_model)
        except ConfigurationError as error:
            self.stderr.write(str(error))
            raise SystemExit(1) from error
        with suppress(KeyboardInterrupt), closing(gateway):
            rest = f"It hands on to {gateway.upstream.address}." if gateway.upstream else demo.help_text()
            self.stdout.write(f"The demo gateway is at {gateway.url} (Ctrl-C ends it).\n\n{rest}")
            self.stdout.flush()
            threading.Event().wait()
