"""Old conversations, deleted."""

import logging
import re
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from conversations.management.timeouts import without_timeout
from conversations.models import retention

logger = logging.getLogger(__name__)

AGE = re.compile(r"([1-9]\d{0,4})([dwy])")
DAYS = {"d": 1, "w": 7, "y": 365}
A_CENTURY = 36_500


class Command(BaseCommand):
    """`python manage.py prune --older-than 90d`."""

    help = (
        "Deletes conversations whose last activity is older, whole, and keeps what they have used as totals."
        " Says what would go; --delete does it. None with a turn that runs, waits or is queued is touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument(
            "--older-than",
            metavar="AGE",
            type=_age,
            required=True,
            help="90d, 12w or 2y: days, weeks or years",
        )
        parser.add_argument(
            "--delete", "--yes", action="store_true", help="delete, not only say what would go"
        )

    def handle(self, *args: Any, older_than: timedelta, delete: bool, **options: Any) -> None:
        """Says what would go, or deletes it."""
        with without_timeout():
            self._prune(timezone.now() - older_than, delete)

    def _prune(self, moment: datetime, delete: bool) -> None:
        self.stdout.write(f"Conversations without activity since {moment:%Y-%m-%d %H:%M} UTC.")
        if not delete:
            self.stdout.write(f"Would go: {_counts(retention.count(moment))}.")
            self.stdout.write("Nothing was deleted: --delete does it.")
            return
        self._delete(moment)

    def _delete(self, moment: datetime) -> None:
        deleted: Counter[str] = Counter()
        for batch in retention.prune(moment):
            deleted += batch
            self.stdout.write(f"{deleted['conversations']:,} conversations", ending="\r")
            self.stdout.flush()
        self.stdout.write(f"Gone: {_counts(deleted)}.")
        logger.info("pruned %d conversations older than %s", deleted["conversations"], moment.isoformat())


def _age(text: str) -> timedelta:
    match = AGE.fullmatch(text)
    days = int(match[1]) * DAYS[match[2]] if match else 0
    if not 0 < days <= A_CENTURY:
        raise ArgumentTypeError(f"{text} is no age: say 90d, 12w or 2y")
    return timedelta(days=days)


def _counts(rows: Counter[str]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in rows.items() if number) or "nothing"
