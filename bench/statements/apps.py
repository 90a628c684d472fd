"""A log of every database statement of this process, with its time and thread."""

import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

LOG = "STATEMENTS_LOG"
"""The environment variable with the path of the file to write to."""

LENGTH = 200
"""Characters of a statement that are kept."""


class StatementsConfig(AppConfig):
    """The last app: all others are ready."""

    name = "bench.statements"
    label = "statements"

    def ready(self) -> None:
        """Listens for connections."""
        self.log = Log(os.environ[LOG])
        connection_created.connect(self.log.watch, dispatch_uid=self.label)


class Log:
    """A file of lines: time, thread, whether in an atomic block, and statement."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def watch(self, connection: BaseDatabaseWrapper, **_: object) -> None:
        """Logs the connection from now on; a wrapper of connections connects more than once."""
        if self.statement in connection.execute_wrappers:
            return
        connection.execute_wrappers.append(self.statement)
        commit = connection.commit

        def commit_and_write() -> None:
            self.write("COMMIT", is_atomic=True)
            commit()

        vars(connection)["commit"] = commit_and_write

    def statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Logs a statement and executes it."""
        self.write(" ".join(str(sql)[: 2 * LENGTH].split()), is_atomic=context["connection"].in_atomic_block)
        return execute(sql, params, many, context)

    def write(self, sql: str, *, is_atomic: bool) -> None:
        """Writes a line, at once and whole, as threads share the file."""
        at = time.monotonic_ns() // 1000
        line = json.dumps((at, threading.current_thread().name, is_atomic, sql[:LENGTH]))
        os.write(self._file, f"{line}\n".encode())
