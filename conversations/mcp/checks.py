"""Django's check of the file that MCP_SERVERS names."""

from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error

from conversations.errors import ConfigurationError

from .configuration import SETTING, read

MISSING = f"{SETTING} is set, and the package mcp is not installed: `pip install -r requirements-mcp.txt` installs it."


def ensure_usable() -> None:
    """Raises ConfigurationError, whose sentence names what is wrong, if the servers cannot be used."""
    if read() and find_spec("mcp") is None:
        raise ConfigurationError(MISSING)


def check(**options: Any) -> list[CheckMessage]:
    """The same as a check of Django's."""
    try:
        ensure_usable()
    except ConfigurationError as error:
        return [Error(str(error), id="conversations.E101")]
    return []
