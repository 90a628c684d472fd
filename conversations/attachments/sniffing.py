"""The format of a file by its bytes, out of an allow-list of what Converse takes.

The content decides, never the name alone, and never the type that a browser sends.
"""

import codecs
import mimetypes
import re
import zipfile
from pathlib import PurePath
from typing import IO

from .problems import Damaged, TooLarge, Unsupported

CHUNK = 64 * 1024
MAGIC = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"%PDF-": "pdf",
    b"PK\x03\x04": "zip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole",
}
PICTURES = ("png", "jpeg", "gif", "webp")
ENDINGS = {
    "png": ("png",), "jpeg": ("jpg", "jpeg", "jpe", "jfif"), "gif": ("gif",), "webp": ("webp",), "pdf": ("pdf",),
    "docx": ("docx",), "xlsx": ("xlsx",), "doc": ("doc",), "xls": ("xls",), "csv": ("csv",), "html": ("html", "htm"),
    "md": ("md", "markdown"), "txt": ("txt",),
}  # fmt: skip
FORMATS = {ending: name for name, endings in ENDINGS.items() for ending in endings}
TEXTS = ("csv", "html", "md", "txt")
NOT_UTF8 = "This text is not in UTF-8. Save it as UTF-8, then attach it again."
STREAMS = {"WordDocument": "doc", "Workbook": "xls", "Book": "xls"}
"""The streams of OLE files that tell their format."""

SVG = re.compile(
    rb"(?>\s|<\?.*?\?>|<!--.*?-->|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)*+<(?:[\w.-]+:)?svg[\s/>]", re.DOTALL
)
"""The beginning of a document whose outermost element is an SVG's, in small letters."""

MEMBERS = 10_000
UNPACKED = 256 * 1024 * 1024
DIRECTORY = 2 * 1024 * 1024
"""The most of a zip that is looked at: members, bytes once unpacked, bytes of its directory."""

END_OF_ZIP, LARGE_ZIP = b"PK\x05\x06", b"PK\x06\x07"


def format_of(file: IO[bytes], name: str) -> str:
    """The file's format as Converse calls it; raises Unsupported, Damaged or TooLarge.

    A file whose content and name differ is Unsupported too.
    """
    ending = PurePath(name).suffix.lower().removeprefix(".")
    format_ = _format_of_content(file, ending)
    named = FORMATS.get(ending, "")
    if named and named != format_:
        raise Unsupported(f"This is no {named.upper()} file, though its name says so.")
    if not named and _is_of_another_kind(name, ending):
        raise Unsupported(f"Files that end in .{ending} are not taken.")
    return format_


def _format_of_content(file: IO[bytes], ending: str) -> str:
    head = _head(file)
    kind = next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    match kind:
        case "zip":
            return _office(file)
        case "ole":
            return _ole(file, ending)
        case "":
            return _text(file, head, ending)
    return kind


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    head = file.read(CHUNK)
    file.seek(0)
    return head


def _is_of_another_kind(name: str, ending: str) -> bool:
    """Whether the name's ending is that of a picture, a sound or a program."""
    kind = mimetypes.guess_type(name)[0] or ""
    major, _, minor = kind.partition("/")
    is_text = major == "text" or minor.endswith(("json", "xml", "javascript", "sh", "sql", "yaml", "toml"))
    return ending in ("svg", "svgz") or not (is_text or not kind)


# -- zips


def _office(file: IO[bytes]) -> str:
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise Damaged from error
    if len(members) > MEMBERS or sum(member.file_size for member in members) > UNPACKED:
        raise TooLarge("Unpacked, this file is too large.")
    names = {member.filename for member in members}
    if "[Content_Types].xml" in names:
        for folder, kind in (("word/", "docx"), ("xl/", "xlsx")):
            if any(name.startswith(folder) for name in names):
                return kind
    raise Unsupported("Of archives, only DOCX and XLSX files are taken.")


def _check_directory(file: IO[bytes]) -> None:
    """Raises Damaged for a zip without its end, TooLarge for one with a huge directory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 66_000))
    tail = file.read()
    end = tail.rfind(END_OF_ZIP)
    if end < 0 or len(tail) < end + 22:
        raise Damaged
    if LARGE_ZIP in tail[:end] or int.from_bytes(tail[end + 12 : end + 16], "little") > DIRECTORY:
        raise TooLarge("This file holds too many others.")
    file.seek(0)


# -- OLE


def _ole(file: IO[bytes], ending: str) -> str:
    """The format of an OLE file, by the names of its streams, or else by its own name."""
    kinds = {kind for name, kind in STREAMS.items() if _holds(file, name.encode("utf-16-le"))}
    if len(kinds) == 1:
        return kinds.pop()
    if ending in ("doc", "xls"):
        return ending
    raise Unsupported("Of these files, only DOC and XLS are taken.")


def _holds(file: IO[bytes], words: bytes) -> bool:
    file.seek(0)
    before = b""
    while chunk := file.read(CHUNK):
        if words in before + chunk:
            return True
        before = chunk[-len(words) :]
    return False


# -- text


def _text(file: IO[bytes], head: bytes, ending: str) -> str:
    _check_utf8(file, is_text=FORMATS.get(ending, "") in TEXTS)
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if SVG.match(start):
        raise Unsupported("SVG is not taken: it may hold script. Save it as PNG.")
    named = FORMATS.get(ending, "")
    if named in TEXTS:
        return named
    return "html" if not ending and start.startswith((b"<!doctype html", b"<html")) else "txt"


def _check_utf8(file: IO[bytes], *, is_text: bool) -> None:
    """Raises Unsupported for bytes that are no UTF-8."""
    words = NOT_UTF8 if is_text else ""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while chunk := file.read(CHUNK):
            if b"\0" in chunk:
                raise Unsupported(words)
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise Unsupported(words) from error
