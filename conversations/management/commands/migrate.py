"""`manage.py migrate`: Django's own, without the time-out that statements have."""

from typing import Any

from django.core.management.commands import migrate

from conversations.management.timeouts import without_timeout


class Command(migrate.Command):
    """Migrates tables however large they are."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrates."""
        with without_timeout():
            super().handle(*args, **options)
