"""Commands of `manage.py` as children of a process that has imported the libraries already.

A start takes half the time then, and servers that are killed all the time start all the time.
"""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from bench.processes import ROOT

LIBRARIES = (
    "autobahn.twisted.websocket", "boto3", "botocore.session", "django.contrib.admin.sites", "django.core.management",
    "django.db.backends.sqlite3.base", "django.db.models", "django.forms", "django.http", "django.template", "django.urls",
    "httptools", "pydantic", "pydantic_settings", "regex", "twisted.internet.posixbase", "twisted.internet.tcp", "twisted.web.http",
)  # fmt: skip
"""What can be imported before there are settings, and without an event loop."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["__main__", __name__, *LIBRARIES])


def start(
    environment: Mapping[str, str], log: Path, output: Connection, *command: str
) -> multiprocessing.context.ForkServerProcess:
    """Starts a command with this environment alone.

    Its output goes to the connection, its errors to the log.
    """
    process = _context.Process(target=_run, args=(dict(environment), log, output, command), daemon=True)
    process.start()
    return process


def _run(environment: dict[str, str], log: Path, output: Connection, command: tuple[str, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    os.dup2(output.fileno(), sys.stdout.fileno())
    with log.open("a") as errors:
        os.dup2(errors.fileno(), sys.stderr.fileno())
    sys.argv = ["manage.py", *command]
    runpy.run_path("manage.py", run_name="__main__")
