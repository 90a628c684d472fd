"""Files come in by what they are, and go out as nothing but downloads."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image

from conversations.models import Attachment, Conversation, Message
from tests.files import HTML, OLE, PDF, SVG, attached, office, picture, pixel_bomb, upload
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


FILES: list[tuple[str, bytes, str, str]] = [
    ("photo.png", picture("png"), "image", "png"),
    ("photo.JPG", picture("jpeg"), "image", "jpeg"),
    ("photo.jpeg", picture("jpeg"), "image", "jpeg"),
    ("photo.gif", picture("gif"), "image", "gif"),
    ("photo.webp", picture("webp"), "image", "webp"),
    ("photo", picture("png"), "image", "png"),
    ("paper.pdf", PDF, "document", "pdf"),
    ("letter.docx", office("word"), "document", "docx"),
    ("table.xlsx", office("xl"), "document", "xlsx"),
    ("letter.doc", OLE + "WordDocument".encode("utf-16-le"), "document", "doc"),
    ("table.xls", OLE + "Workbook".encode("utf-16-le"), "document", "xls"),
    ("table.csv", b"a,b\n1,2\n", "document", "csv"),
    ("notes.md", "# Gr\u00fc\u00dfe".encode(), "document", "md"),
    ("notes.txt", b"\xef\xbb\xbfhello", "document", "txt"),
    ("page.htm", HTML, "document", "html"),
    ("drawn.html", b"<!-- a page --><html><body>" + SVG, "document", "html"),
    ("station.py", b"print('WKRP')", "document", "txt"),
    ("data.json", b"{}", "document", "txt"),
    ("LICENSE", b"MIT", "document", "txt"),
]


@pytest.mark.parametrize(("name", "data", "kind", "format_"), FILES, ids=[case[0] for case in FILES])
def test_a_file_that_converse_takes_is_taken(
    client: Client, conversation: Conversation, name: str, data: bytes, kind: str, format_: str
) -> None:
    answer = upload(client, conversation, name, data)
    assert answer.status_code == 201, answer.content
    row = Attachment.objects.get()
    facts = {"id": str(row.pk), "name": name, "kind": kind, "format": format_, "size": len(data)}
    assert answer.json() == facts
    download = client.get(f"/attachments/{row.pk}/")
    assert download.content == data
    assert download["Content-Disposition"].startswith("attachment")


# What is large is built by its test: each worker of a run reads this list.
HOSTILE: list[tuple[str, str, bytes | Callable[[], bytes], int]] = [
    ("nothing", "empty.txt", b"", 400),
    ("a picture that is cut", "photo.png", picture("png", (400, 400))[:-40], 400),
    ("a JPEG that is cut", "photo.jpg", picture("jpeg", (400, 400))[:300], 400),
    ("a picture of noise behind its head", "photo.gif", b"GIF89a" + bytes(range(250)), 400),
    ("a zip that is cut", "letter.docx", office()[:-30], 400),
    ("a bomb of pixels", "bomb.png", lambda: pixel_bomb(20_000), 413),
    ("a bomb of pixels that Pillow only warns of", "bomb.png", lambda: pixel_bomb(9_000), 413),
    ("a bomb of zeros", "bomb.docx", lambda: office(zeros=bytes(300 * 1024 * 1024)), 413),
    (
        "a zip of very many members",
        "many.docx",
        lambda: office(**{f"word/{n}": b"" for n in range(10_001)}),
        413,
    ),
    ("SVG", "logo.svg", SVG, 415),
    ("SVG as text", "logo.txt", b'<?xml version="1.0"?>\n' + SVG, 415),
    ("SVG behind a long remark", "logo.txt", b"<!--" + b"-" * 9_000 + b"-->" + SVG, 415),
    (
        "SVG behind a document type",
        "logo.xml",
        b'<!DOCTYPE s:svg [<!ENTITY a "b">]>\n<s:SVG xmlns:s="x"/>',
        415,
    ),
    ("SVG as a picture", "logo.png", SVG, 415),
    ("HTML as a picture", "photo.png", HTML, 415),
    ("HTML as PDF", "paper.pdf", HTML, 415),
    ("a picture as PDF", "paper.pdf", picture(), 415),
    ("a PNG as JPEG", "photo.jpg", picture(), 415),
    ("PDF as text", "notes.txt", PDF, 415),
    ("a zip as DOCX", "letter.docx", office("other"), 415),
    ("XLSX as DOCX", "letter.docx", office("xl"), 415),
    ("a zip with a GIF before it", "app.jar", picture("gif") + office("META-INF"), 415),
    ("a program", "setup.exe", b"MZ" + bytes(200), 415),
    ("a program as text", "notes.txt", b"MZ\x90\0\x03", 415),
    ("text that is not UTF-8", "notes.txt", "caf\u00e9".encode("latin-1"), 415),
    ("text as a program", "setup.exe", b"echo", 415),
    ("a film", "film.mp4", b"\0\0\0\x20ftypisom" + bytes(40), 415),
    ("Flash", "film.swf", b"FWS\x09" + bytes(40), 415),
]


@pytest.mark.any_database
@pytest.mark.parametrize(("what", "name", "data", "status"), HOSTILE, ids=[case[0] for case in HOSTILE])
def test_a_hostile_file_is_refused_in_words_and_leaves_nothing(
    client: Client,
    conversation: Conversation,
    what: str,
    name: str,
    data: bytes | Callable[[], bytes],
    status: int,
) -> None:
    answer = upload(client, conversation, name, data() if callable(data) else data)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
    assert answer.json()["error"]["message"].endswith(".")
    assert not Attachment.objects.exists()


POLYGLOTS: list[tuple[str, bytes]] = [
    ("photo.png", picture("png") + HTML),
    ("photo.gif", picture("gif") + b"/*" + HTML + b"*/"),
    ("photo.gif", picture("gif") + office("META-INF")),
    ("photo.jpg", picture("jpeg", comment=HTML)),
    ("paper.pdf", PDF + HTML),
    ("notes.txt", HTML),
    ("page.html", HTML),
]


@pytest.mark.parametrize(("name", "data"), POLYGLOTS)
def test_a_polyglot_goes_out_as_a_download_that_no_browser_opens(
    client: Client, conversation: Conversation, name: str, data: bytes
) -> None:
    answer = upload(client, conversation, name, data)
    assert answer.status_code == 201, answer.content
    row = Attachment.objects.get()
    download = client.get(f"/attachments/{row.pk}/")
    assert download.content == data
    assert download["Content-Type"] == "application/octet-stream"
    assert download["Content-Disposition"].startswith("attachment")
    assert download["X-Content-Type-Options"] == "nosniff"
    assert download["Content-Security-Policy"] == "sandbox; default-src 'none'"
    if row.is_picture:
        copies = [client.get(f"/attachments/{row.pk}/?thumbnail").content, row.model_bytes()]
        assert not [copy for copy in copies if b"script" in copy or b"META-INF" in copy]


NAMES = [
    ("../../etc/passwd", "passwd"),
    ("..\\..\\windows\\system.txt", "system.txt"),
    ("/etc/cron.d/job.txt", "job.txt"),
    ("a\r\nSet-Cookie: x=1.txt", "a Set-Cookie: x=1.txt"),
    ("a\0b.txt", "ab.txt"),
    ("\u202etxt.exe.txt", "txt.exe.txt"),
    ("x" * 300 + ".txt", "x" * 196 + ".txt"),
    ("\U0001f983" * 300 + ".txt", "\U0001f983" * 196 + ".txt"),
    ('"><img src=x>.txt', '"><img src=x>.txt'),
    ("..", "file.txt"),
]


@pytest.mark.parametrize(("name", "clean"), NAMES)
def test_a_name_is_clean_and_the_file_is_not_stored_under_it(
    client: Client, conversation: Conversation, attachments_folder: Any, name: str, clean: str
) -> None:
    row = attached(conversation, name, b"hello")
    assert row.name == clean
    stored = attachments_folder / row.pk.hex[:2] / row.pk.hex
    assert stored.read_bytes() == b"hello"
    disposition = client.get(f"/attachments/{row.pk}/")["Content-Disposition"]
    assert "\r" not in disposition
    assert "\n" not in disposition


def test_a_file_goes_to_its_conversations_owner_alone(
    client: Client, conversation: Conversation, other_user: User
) -> None:
    theirs = attached(conversation_of(other_user))
    for address in (f"/attachments/{theirs.pk}/", f"/attachments/{theirs.pk}/?thumbnail"):
        assert client.get(address).status_code == 404
        assert Client().get(address).status_code == 302
    answer = upload(client, theirs.conversation, "photo.png", picture())
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert Attachment.objects.count() == 1


def test_every_refusal_is_json(client: Client, conversation: Conversation, user: User) -> None:
    address = f"/conversations/{conversation.pk}/attachments/"
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    answers = {
        "no session": Client().post(address),
        "no token": strict.post(address, {"file": io.BytesIO(b"hello")}),
        "no file": client.post(address),
        "no form": client.post(address, b"{", content_type="application/json"),
        "a broken form": client.post(address, b"x", content_type="multipart/form-data; boundary=y"),
        "a field": client.post(address, {"file": "text"}),
        "got": client.get(address),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "no session": 401, "no token": 403, "no file": 400, "no form": 400, "a broken form": 400, "a field": 400,
        "got": 405,
    }  # fmt: skip
    assert all(json.loads(answer.content)["error"]["message"] for answer in answers.values())


def test_a_picture_is_upright_and_without_exif_for_models_and_pages(
    client: Client, conversation: Conversation
) -> None:
    image = Image.new("RGB", (40, 20), "teal")
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "39.1031 N 84.5120 W"
    output = io.BytesIO()
    image.save(output, "JPEG", exif=exif, comment=b"secret")
    row = Attachment.objects.get(pk=upload(client, conversation, "photo.jpg", output.getvalue()).json()["id"])
    thumbnail = client.get(f"/attachments/{row.pk}/?thumbnail")
    assert (thumbnail["Content-Type"], thumbnail.headers.get("Content-Disposition")) == ("image/webp", None)
    for copy in (row.model_bytes(), thumbnail.content):
        upright = Image.open(io.BytesIO(copy))
        assert (upright.size, dict(upright.getexif())) == ((20, 40), {})
        assert b"39.1031" not in copy
        assert b"secret" not in copy
    assert (row.width, row.height) == (20, 40)
    assert client.get(f"/attachments/{row.pk}/").content == output.getvalue()


@pytest.mark.large
def test_a_picture_that_no_model_takes_is_scaled_down(conversation: Conversation) -> None:
    wide = attached(conversation, "wide.png", picture(size=(9_000, 90)))
    assert Image.open(io.BytesIO(wide.model_bytes())).size == (8_000, 80)
    noise = io.BytesIO()
    Image.effect_noise((2_400, 2_400), 90).save(noise, "PNG")
    heavy = attached(conversation, "heavy.png", noise.getvalue())
    assert heavy.size > 3_932_160 > len(heavy.model_bytes())


def test_a_documents_thumbnail_is_404(client: Client, conversation: Conversation) -> None:
    row = attached(conversation, "paper.pdf", PDF)
    assert client.get(f"/attachments/{row.pk}/?thumbnail").status_code == 404


def test_a_file_over_32_mb_and_one_too_many_are_413(
    client: Client, conversation: Conversation, settings: LazySettings
) -> None:
    large = upload(client, conversation, "large.txt", b"x" * (32 * 1024 * 1024 + 1))
    assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
    settings.ATTACHMENTS_LIMIT = 10
    assert upload(client, conversation, "one.txt", b"1234567890").status_code == 201
    assert upload(client, conversation, "two.txt", b"1").status_code == 413
    assert Attachment.objects.count() == 1


def test_a_file_is_deleted_only_before_it_is_sent_and_left_out_only_by_its_owner(
    client: Client, conversation: Conversation, other_user: User
) -> None:
    row, theirs = attached(conversation), attached(conversation_of(other_user))
    address = f"/attachments/{row.pk}/"
    for value, is_left_out in (("1", True), ("0", False)):
        assert client.post(address, {"left_out": value}).status_code == 204
        row.refresh_from_db()
        assert row.left_out is is_left_out
    for method in (client.post, client.delete):
        assert method(f"/attachments/{theirs.pk}/", {"left_out": "1"}).status_code == 404
    own = {"conversation": conversation, "turn": conversation.turns.create(number=1, user=conversation.owner)}
    row.messages.add(Message.objects.create(**own, role="user", content=[]))
    assert client.delete(address).status_code == 409
    row.messages.clear()
    assert client.delete(address).status_code == 204
    assert Attachment.objects.get() == theirs
