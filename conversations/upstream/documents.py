"""The text of a document, for models that take text alone."""

import codecs
import io
import logging
from collections.abc import Mapping
from typing import Any

from conversations.protocol.converse.content import decode_base64
from conversations.upstream.refusals import Refused

TEXTS = ("txt", "md", "csv", "html")
UNREADABLE = "The document could not be read as text: {}."


def document_text(document: Mapping[str, Any]) -> str:
    """The text of a document block; raises Refused if it has none or cannot be read."""
    source, kind = document["source"], document.get("format") or "txt"
    if source.get("text") is not None:
        return str(source["text"])
    if source.get("content") is not None:
        return "\n\n".join(part.get("text") or "" for part in source["content"])
    data = decode_base64(source.get("bytes"))
    if data is None:
        raise Refused(400, UNREADABLE.format("its bytes have to be in the request"))
    if kind in TEXTS:
        return _decoded(data)
    text = _pdf_text(data) if kind == "pdf" else ""
    if not text.strip():
        reason = "it holds none" if kind == "pdf" else f"pdf, {', '.join(TEXTS)} can be, {kind} cannot"
        raise Refused(400, UNREADABLE.format(reason))
    return text


def _decoded(data: bytes) -> str:
    """The text of a file: UTF-16 by its byte order mark, UTF-8, or else Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _pdf_text(data: bytes) -> str:
    """The text of a PDF, blank if it cannot be read: a stranger's file may be broken in any way."""
    try:
        from pypdf import PdfReader
    except ImportError:  # an extra of the package
        raise Refused(400, UNREADABLE.format("pypdf is not installed")) from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # each oddity of a file is a warning to it
    try:
        return "\n\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    except Exception:  # noqa: BLE001 (it has many, and raises others')
        return ""
