"""Files of every kind that is taken, and of those that are not, made as small as they can be."""

import io
import json
import struct
import uuid
import zipfile
import zlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from conversations import engine
from conversations.attachments import inspect, store
from conversations.models import Attachment, Conversation, Round, Turn
from conversations.protocol.converse.request import sha256

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><title>x</title><script>document.title = 'owned'</script>"


def picture(kind: str = "png", size: tuple[int, int] = (8, 6), **options: Any) -> bytes:
    """A picture in one colour."""
    output = io.BytesIO()
    Image.new("RGB", size, "teal").save(output, kind.upper(), **options)
    return output.getvalue()


def office(folder: str = "word", **members: bytes) -> bytes:
    """A DOCX (`xl`: an XLSX) with further members."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{folder}/document.xml", "<w/>")
        for name, data in members.items():
            archive.writestr(name, data)
    return output.getvalue()


def pixel_bomb(side: int = 20_000) -> bytes:
    """A PNG of few bytes and very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    lines = zlib.compress(bytes((side // 8 + 1) * side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def upload(client: Client, conversation: Conversation, name: str, data: bytes) -> Any:
    """The answer to a file that is attached."""
    file = SimpleUploadedFile("file", data)
    file._name = name  # type: ignore[attr-defined]  # as it is, where Django would cut its folders
    return client.post(f"/conversations/{conversation.pk}/attachments/", {"file": file})


def attached(conversation: Conversation, name: str = "photo.png", data: bytes | None = None) -> Attachment:
    """A file of the conversation."""
    file = io.BytesIO(picture() if data is None else data)
    return store(conversation, file, inspect(file, name))


def new_id() -> str:
    """An id for a message."""
    return str(uuid.uuid4())


def send(conversation: Conversation, text: object, *files: Attachment, message_id: str = "") -> Turn:
    """A message with files, whose turn runs to its end."""
    ids = [str(file.pk) for file in files]
    started = engine.start(conversation.pk, message_id or new_id(), text, files=ids)
    assert engine.WORKER.wait(20), "the turn did not end"
    return Turn.objects.get(pk=started.turn.pk)


def request_of(turn: Turn) -> dict[str, Any]:
    """The turn's newest request, byte for byte as it was sent."""
    row = Round.objects.filter(turn=turn).latest("number", "attempt")
    body = engine.rebuild_request(row)
    assert sha256(body) == row.request_sha256
    request: dict[str, Any] = json.loads(body)
    return request
