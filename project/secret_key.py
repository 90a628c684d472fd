"""The key that signs sessions and links, made on the first run."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from conversations.errors import ConfigurationError


def read_or_make(path: Path) -> str:
    """The key in the file, which is written if it is missing; raises ConfigurationError if it cannot be."""
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
    """Writes a new key that only its owner may read; of several processes the first one's stays."""
    descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # O_EXCL, mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()
