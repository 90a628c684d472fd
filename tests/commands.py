"""Management commands in this process."""

import io

from django.core.management import CommandError, call_command


def command(*arguments: str) -> tuple[int, str, str]:
    """A command's exit code, and what it printed; a CommandError is 1 and its text."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    except CommandError as error:
        return 1, out.getvalue(), f"{err.getvalue()}{error}"
    return 0, out.getvalue(), err.getvalue()
