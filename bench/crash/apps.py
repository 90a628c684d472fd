"""The app of a server that is to be killed: shorter leases if they are set, and failpoints."""

import os
import sys
from datetime import timedelta
from typing import Any

from django.apps import AppConfig

from . import failpoints

LEASE = "CRASH_LEASE"
"""The environment variable with the seconds of a lease; without it, the product's own."""


class CrashConfig(AppConfig):
    """The last app: all others are ready."""

    name = "bench.crash"
    label = "crash"

    def ready(self) -> None:
        """Shortens the leases, and wraps the functions that are to fail."""
        if seconds := float(os.environ.get(LEASE, "0")):
            _shorten_leases(seconds)
        failpoints.install()


def _shorten_leases(lease: float) -> None:
    """Gives every module of the engine shorter leases, in the proportions of the product's own."""
    import conversations.engine.worker
    import project.server

    values: dict[str, Any] = {
        "LEASE": timedelta(seconds=lease),
        "SWEEP_EVERY": lease / 4,
        "BEAT": lease / 8,
        "RENEW_EVERY": 2,
    }
    project.server.DRAIN_SECONDS = conversations.engine.worker.HAND_OVER + lease
    for name, module in list(sys.modules.items()):
        if name.startswith("conversations.engine."):
            vars(module).update({key: value for key, value in values.items() if key in vars(module)})
