"""The search index, made anew."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand

from conversations.management.timeouts import without_timeout
from conversations.models import reindexing


class Command(BaseCommand):
    """`python manage.py reindex`."""

    help = (
        "Makes the search index of titles, messages and tool calls anew, in batches, while the site goes on."
        " Needed after rows were written in SQL or by loaddata, and where an upgrade says so."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Indexes all rows."""
        number = 0
        with without_timeout():
            for number in reindexing.reindex(apps):
                self.stdout.write(f"{number:,} rows", ending="\r")
                self.stdout.flush()
        self.stdout.write(f"Indexed: {number:,} titles, messages and tool calls.")
