"""An exported conversation, taken back."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.errors import Refused
from conversations.exports import Damaged, import_document
from conversations.management.users import user_named


class Command(BaseCommand):
    """`python manage.py import FILE`."""

    help = "Takes a conversation back that was exported as JSON: the same record under new ids. Nothing in it is run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument("file", metavar="FILE", help="an export in JSON; - for standard input")
        parser.add_argument("--user", metavar="NAME", help="whose conversation it will be")

    def handle(self, *args: Any, file: str, user: str | None, **options: Any) -> None:
        """Imports the file; CommandError says what is wrong and where, and nothing is stored then."""
        try:
            conversation = import_document(_text(file), user_named(user))
        except Damaged as damaged:
            raise CommandError(f"{file} is not imported: {damaged}.") from None
        except Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"Imported {conversation} as conversation {conversation.pk}.")


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from None
