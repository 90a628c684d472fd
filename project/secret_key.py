"""The key that signs sessions and links, made on the first run."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from conversations.errors import ConfigurationError


def read_or_make(path: Path) -> str:
    """The key in the file, which is made when it is missing; ConfigurationError if neither can be done."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"SECRET_KEY must be set: {path} cannot be used ({error.strerror})."
        ) from None
    if not key:
        raise ConfigurationError(f"SECRET_KEY must be set, or the empty file {path} be removed.")
    return key


def _make(path: Path) -> None:
    """Write a new key for its owner's eyes; of processes that start together the first one's is kept."""
    descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # O_EXCL, mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()
