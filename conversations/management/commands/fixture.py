"""A conversation written to a file, against which it can be checked."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.errors import Refused
from conversations.management.users import conversation_with
from conversations.rerun import fixtures


class Command(BaseCommand):
    """`python manage.py fixture ID -o FILE`."""

    help = "Writes a conversation to a file with which `rerun --against FILE` needs no gateway."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument("id", metavar="ID", help="the conversation")
        parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="(standard output)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Writes the file, whole or not at all; raises CommandError."""
        output: Path | None = options["output"]
        try:
            text = "".join(line + "\n" for line in fixtures.write(conversation_with(options["id"])))
            if output is None:
                self.stdout.write(text, ending="")
                return
            part = output.with_name(output.name + ".part")
            part.write_text(text, encoding="utf-8")
            part.replace(output)
        except Refused as refused:
            raise CommandError(str(refused)) from None
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error}") from None
        self.stderr.write(f"{output}: {len(text.encode()):,} bytes")
