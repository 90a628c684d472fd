"""What a server that is to be killed has beside the product: faster leases if asked for, and failpoints."""

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
        """Hurry the leases, and wrap what is to fail."""
        if seconds := float(os.environ.get(LEASE, "0")):
            _hurry(seconds)
        failpoints.install()


def _hurry(lease: float) -> None:
    """Makes every module of the engine keep shorter leases, in the proportions of the product's own."""
    import conversations.engine.worker
    import project.server

    hurried: dict[str, Any] = {
        "LEASE": timedelta(seconds=lease),
        "SWEEP_EVERY": lease / 4,
        "BEAT": lease / 8,
        "RENEW_EVERY": 2,
    }
    project.server.DRAIN_SECONDS = conversations.engine.worker.HAND_OVER + lease
    for name, module in list(sys.modules.items()):
        if name.startswith("conversations.engine."):
            vars(module).update({key: value for key, value in hurried.items() if key in vars(module)})
