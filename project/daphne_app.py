"""Daphne as an app: its `runserver` takes the place of Django's."""

from django.apps import AppConfig


class DaphneApp(AppConfig):
    """Daphne's app without its server: Twisted takes a sixth of a start, and few commands serve."""

    name = "daphne"
    verbose_name = "Daphne"
