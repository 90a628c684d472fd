"""Exports in a zip: the JSON of conversations, with their attached files beside it.

Nothing of a zip is written to a path that it names. Only members that the JSON names are read, and no more bytes than it says.
"""

import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from tempfile import TemporaryFile
from time import localtime
from typing import IO, TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo, is_zipfile

from django.db import transaction

from conversations.models import Attachment, Conversation

from .format import FilePart
from .importing import DamagedExport, import_document
from .whole import beside_name, document, json_text, sent_files

if TYPE_CHECKING:
    from django.contrib.auth.models import User

JSON_AT_MOST = 256_000_000
"""Bytes that the JSON of a conversation in a zip may have; its files are beside it."""

ENCRYPTED = 1
COMPRESSIONS = (ZIP_STORED, ZIP_DEFLATED)


def write_zip(file: IO[bytes], conversations: Iterable[tuple[str, Conversation]]) -> None:
    """Writes a zip of conversations, each as the JSON of its name, with their files."""
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, conversation in conversations:
            with archive.open(f"{name}.json", "w") as member:
                member.writelines(part.encode() for part in json_text(document(conversation, beside=True)))
            for row in sent_files(conversation):
                _write(archive, row)


def _write(archive: ZipFile, row: Attachment) -> None:
    """Writes a file uncompressed, since most kinds are compressed already; skips one that is lost."""
    member = ZipInfo(beside_name(row), localtime()[:6])
    with suppress(FileNotFoundError), row.open() as file, archive.open(member, "w") as target:
        shutil.copyfileobj(file, target)


def import_file(file: IO[bytes], owner: "User") -> list[Conversation]:
    """The conversations of a file, a zip or the JSON of one, stored as the owner's.

    Raises DamagedExport, with nothing stored, if anything in the file is wrong.
    """
    if not is_zipfile(file):
        file.seek(0)
        return [import_document(_decoded(file.read()), owner)]
    with _faults_of_zips(), ZipFile(file) as archive:
        return _import_all(archive, owner)


def _import_all(archive: ZipFile, owner: "User") -> list[Conversation]:
    """Stores the conversations of a zip. If one is damaged, nothing stays, files included."""
    names = [name for name in archive.namelist() if name.endswith(".json") and "/" not in name]
    if not names:
        raise DamagedExport("there is no export in the zip")
    conversations: list[Conversation] = []
    with ExitStack() as stack, transaction.atomic():
        for name in names:
            text = _decoded(_member(archive, name, JSON_AT_MOST).read())
            conversations.append(import_document(text, owner, partial(_beside, archive)))
            for row in conversations[-1].attachments.all():
                stack.callback(row.delete_files)
        stack.pop_all()  # the files stay
    return conversations


def _beside(archive: ZipFile, part: FilePart) -> IO[bytes]:
    """A file beside its export, copied to a temporary one, no longer than the export says."""
    with _member(archive, part.file or "", part.size) as member, ExitStack() as stack:
        whole = stack.enter_context(TemporaryFile())
        shutil.copyfileobj(member, whole)
        stack.pop_all()  # who reads it closes it
    return whole


def _member(archive: ZipFile, name: str, most: int) -> IO[bytes]:
    """Opens a member of a zip; raises DamagedExport if it is missing, encrypted or over `most` bytes."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise DamagedExport(f"{name} is not in the zip") from None
    if info.file_size > most:
        raise DamagedExport(f"{name} is larger than it may be")
    if info.flag_bits & ENCRYPTED or info.compress_type not in COMPRESSIONS:
        raise DamagedExport(f"{name} is encrypted, or compressed in a way of its own")
    return archive.open(info)


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise DamagedExport("its JSON is no UTF-8") from None


@contextmanager
def _faults_of_zips() -> Iterator[None]:
    try:
        yield
    except (BadZipFile, EOFError, zlib.error) as error:
        raise DamagedExport(f"the zip is damaged: {error}") from None
