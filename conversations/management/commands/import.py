"""An exported conversation, taken back."""

import sys
from argparse import ArgumentParser
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from conversations.errors import Refused
from conversations.exports import DamagedExport, import_file
from conversations.management.users import user_named


class Command(BaseCommand):
    """`python manage.py import FILE`."""

    help = "Takes back what was exported as JSON, or as a zip with its files: the same record under new ids. Nothing in it is run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument("file", metavar="FILE", help="an export in JSON, or a zip; - for standard input")
        parser.add_argument("--user", metavar="NAME", help="whose conversation it will be")

    def handle(self, *args: Any, file: str, user: str | None, **options: Any) -> None:
        """Imports the file, or nothing of it: a CommandError then says what is wrong and where."""
        try:
            with _opened(file) as export:
                conversations = import_file(export, user_named(user))
        except DamagedExport as damaged:
            raise CommandError(f"{file} is not imported: {damaged}.") from None
        except Refused as refused:
            raise CommandError(str(refused)) from None
        for conversation in conversations:
            self.stdout.write(f"Imported {conversation} as conversation {conversation.pk}.")


def _opened(file: str) -> IO[bytes]:
    try:
        return BytesIO(sys.stdin.buffer.read()) if file == "-" else Path(file).open("rb")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error}") from None
