"""Static files under names with a hash of their content, which a browser may keep for a year."""

import hashlib
import logging
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from whitenoise.compress import Compressor

logger = logging.getLogger(__name__)

KEPT_FOLDERS = 10
"""The newest collections, which are kept, as a server that still runs reads one of them."""


class HashedFiles(ManifestStaticFilesStorage):
    """Hashed names for collected files."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 30  # one for each import on the longest way through the modules, and more

    def stored_name(self, name: str) -> str:
        """The name in pages; a file that was not collected keeps its own."""
        return super().stored_name(name) if name in self.hashed_files else name

    def read_manifest(self) -> str | None:  # type: ignore[override]  # as Django's own does
        """The table of names as JSON; None if nothing was collected."""
        return super().read_manifest() if self.location else None

    def read_from(self, folder: Path) -> None:
        """Takes names and files from a folder that `collect` has filled."""
        self._location = str(folder)
        for cached in ("base_location", "location"):
            self.__dict__.pop(cached, None)
        self.hashed_files, self.manifest_hash = self.load_manifest()  # type: ignore[assignment]  # a table and its hash


def collect() -> None:
    """Collects the files, once for each state of the sources, and uses hashed names from now on."""
    storage = staticfiles_storage
    if settings.DEBUG or settings.STATIC_ROOT or not isinstance(storage, HashedFiles):
        return
    sources = dict(sorted(_sources()))
    folder = settings.BASE_DIR / ".static" / _fingerprint(sources.values())
    try:
        if not folder.exists():
            _fill(folder, sources)
    # Nowhere to write, or a file of another app that names one that is not there.
    except (OSError, ValueError) as error:
        logger.warning("Static files keep plain names, which browsers ask for each time: %s", error)
        return
    storage.read_from(folder)


def _sources() -> Iterator[tuple[str, Path]]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            yield name, Path(storage.path(name))


def _fingerprint(paths: Iterable[Path]) -> str:
    """A hash that changes with any of the files, and with this module."""
    states = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in [*paths, Path(__file__)]]
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]


def _fill(folder: Path, sources: dict[str, Path]) -> None:
    """Collects into the folder, which appears once it is whole, as other processes may do the same."""
    folder.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix="new-") as temporary:
        new = Path(temporary, "files")
        for name, source in sources.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, new / name)
        storage = HashedFiles(location=str(new))
        for _, _, result in storage.post_process({name: (storage, name) for name in sources}):
            if isinstance(result, Exception):
                raise result
        _compress(new)
        if not folder.exists():
            new.rename(folder)
    _prune(folder.parent)


def _compress(folder: Path) -> None:
    """Puts a compressed copy beside each file that gets smaller by it, for browsers that take one."""
    compressor = Compressor(quiet=True)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if compressor.should_compress(path.name):
            compressor.compress(str(path))


def _prune(parent: Path) -> None:
    folders = [path for path in parent.iterdir() if not path.name.startswith("new-")]
    newest_first = sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in islice(newest_first, KEPT_FOLDERS, None):
        shutil.rmtree(folder, ignore_errors=True)
