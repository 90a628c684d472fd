"""The name of our Python, for sentences that tell an operator what to type."""

import os
import shlex
import shutil
import sys


def python() -> str:
    """The Python that runs this process, as a shell in the current folder finds it."""
    if shutil.which("python") == sys.executable:
        return "python"
    inside = os.path.relpath(sys.executable)
    return shlex.quote(sys.executable if inside.startswith(os.pardir) else inside)
