#!/usr/bin/env python3
"""Runs Turntable's commands. An error that an operator can mend is one sentence and exit code 1."""

import atexit
import gc
import os
import sys
from typing import NoReturn


def main() -> None:
    """Runs the command of the command line; `--traceback` shows where a failure comes from."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    atexit.register(gc.freeze)  # the last collection would walk through all that was imported
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import DatabaseError

        from conversations.errors import ConfigurationError
    except ImportError as error:
        fail(f"{error}: `make run` installs what Turntable needs, then use .venv/bin/python.")
    try:
        execute_from_command_line(sys.argv)
    except (ConfigurationError, ImproperlyConfigured) as error:
        fail(str(error), error)
    except DatabaseError as error:
        from project.database import explain

        fail(explain(error), error)
    except KeyboardInterrupt:
        sys.exit(130)


def fail(sentence: str | None, error: Exception | None = None) -> NoReturn:
    """Exits with the error's sentence on stderr; raises one without a sentence, or with --traceback."""
    if error and (sentence is None or "--traceback" in sys.argv):
        raise error
    sys.exit(" ".join((sentence or "").split()))


if __name__ == "__main__":
    main()
