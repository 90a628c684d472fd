"""Exports in a zip are written, imported, and refused where they are hostile."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from conversations import engine, exports
from conversations.models import Attachment, Conversation, Round
from tests.files import PDF, attached, picture, request_of, send
from tests.turns import conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
Members = dict[str, bytes]


@pytest.fixture
def with_files(conversation: Conversation) -> Conversation:
    """A conversation with a picture and a document."""
    send(conversation, "What is this?", attached(conversation), attached(conversation, "paper.pdf", PDF))
    return conversation


def archive_of(*conversations: Conversation) -> bytes:
    file = io.BytesIO()
    exports.write_zip(file, ((f"number {at}", one) for at, one in enumerate(conversations)))
    return file.getvalue()


def members_of(archive: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def zipped(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def taken(archive: bytes, owner: User) -> list[Conversation]:
    return exports.import_file(io.BytesIO(archive), owner)


def test_the_page_offers_a_zip_whose_json_names_the_files_beside_it(
    client: Client, with_files: Conversation
) -> None:
    client.force_login(with_files.owner)
    answer: Any = client.get(f"/conversations/{with_files.pk}/export/?format=zip")
    assert re.fullmatch(r'attachment; filename="[\w-]+\.zip"', answer["Content-Disposition"])
    members = members_of(b"".join(answer))
    (name,) = (name for name in members if name.endswith(".json"))
    export = json.loads(members[name])
    assert {file["name"]: members[file["file"]] for file in export["attachments"]} == {
        "photo.png": picture(),
        "paper.pdf": PDF,
    }
    assert all("data" not in file for file in export["attachments"])
    assert '"bytes"' not in json.dumps(export["messages"])


def test_a_zip_comes_back_as_it_was_exported(with_files: Conversation, other_user: User) -> None:
    request, text = request_of(with_files.turns.get()), json.loads(exports.as_json(with_files))
    archive = archive_of(with_files)
    with_files.delete()
    (again,) = taken(archive, other_user)
    assert request_of(again.turns.get()) == request
    copy = json.loads(exports.as_json(again))
    assert copy["messages"] == text["messages"]
    assert [file["data"] for file in copy["attachments"]] == [file["data"] for file in text["attachments"]]


def test_the_command_takes_several_at_once_or_none(
    with_files: Conversation, other_user: User, tmp_path: Path
) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(archive_of(with_files, conversation_of(with_files.owner, title="Turkeys")))
    out = io.StringIO()
    call_command("import", str(path), user=other_user.username, stdout=out)
    assert out.getvalue().count("Imported ") == other_user.conversations.count() == 2
    members = members_of(path.read_bytes())
    path.write_bytes(zipped(members | {"number 1.json": b"{}"}))
    before = Conversation.objects.count(), Attachment.objects.count()
    with pytest.raises(CommandError, match=r"is not imported"):
        call_command("import", str(path), user=other_user.username, stdout=out)
    assert (Conversation.objects.count(), Attachment.objects.count()) == before


def test_a_file_that_is_lost_costs_no_export_its_import(with_files: Conversation, other_user: User) -> None:
    for row in with_files.attachments.filter(kind="document"):
        row.delete_files()
    exported = exports.import_document(exports.as_json(with_files), other_user)
    (zipped_one,) = taken(archive_of(with_files), other_user)
    for again in (exported, zipped_one):
        assert [file.name for file in again.attachments.all()] == ["photo.png"]
        round_ = Round.objects.filter(turn__conversation=again).earliest("pk")
        assert b"(A document, which is lost.)" in engine.rebuild_request(round_)


def named(members: Members, kind: str) -> str:
    return next(name for name in members if name.endswith(kind))


def without_file(members: Members) -> bytes:
    return zipped({name: data for name, data in members.items() if not name.endswith(".png")})


def longer(members: Members) -> bytes:
    return zipped(members | {named(members, ".pdf"): PDF + bytes(50_000_000)})


def other_content(members: Members) -> bytes:
    return zipped(members | {named(members, ".png"): b"<svg/>"})


def one_file_for_two(members: Members) -> bytes:
    text = members["number 0.json"].decode()
    pdf, png = named(members, ".pdf"), named(members, ".png")
    return zipped(members | {"number 0.json": text.replace(pdf, png).encode()})


def json_alone(members: Members) -> bytes:
    return members["number 0.json"]


def cut_in_its_middle(members: Members) -> bytes:
    whole = bytearray(zipped(members))
    at = whole.find(b"photo") if b"photo" in whole else len(whole) // 3
    whole[at : at + 40] = bytes(40)
    return bytes(whole)


def in_another_way(members: Members) -> bytes:
    return zipped(members, zipfile.ZIP_LZMA)


def marked_as_encrypted(members: Members) -> bytes:
    whole = bytearray(zipped(members))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = whole.find(signature)
        while at >= 0:
            whole[at + flags] |= 1
            at = whole.find(signature, at + 4)
    return bytes(whole)


def without_json(members: Members) -> bytes:
    return zipped({f"folder/{name}": data for name, data in members.items()})


HOSTILE = [
    without_file,
    longer,
    other_content,
    one_file_for_two,
    json_alone,
    cut_in_its_middle,
    in_another_way,
    marked_as_encrypted,
    without_json,
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_wrong_with_a_zip_is_said_and_nothing_of_it_stays(
    with_files: Conversation,
    other_user: User,
    attachments_folder: Path,
    hostile: Callable[[Members], bytes],
) -> None:
    archive = hostile(members_of(archive_of(with_files)))
    before = sorted(path for path in attachments_folder.rglob("*") if path.is_file())
    with pytest.raises(exports.DamagedExport):
        taken(archive, other_user)
    assert not other_user.conversations.exists()
    assert sorted(path for path in attachments_folder.rglob("*") if path.is_file()) == before


def test_a_bomb_is_refused_before_it_is_read(
    with_files: Conversation, other_user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = members_of(archive_of(with_files))
    monkeypatch.setattr("conversations.exports.archive.JSON_AT_MOST", 1_000)
    with pytest.raises(exports.DamagedExport, match="larger than it may be"):
        taken(zipped(members), other_user)
    monkeypatch.undo()
    settings.ATTACHMENTS_LIMIT = 10
    with pytest.raises(exports.DamagedExport, match="MB together"):
        taken(zipped(members), other_user)


def test_names_that_lead_elsewhere_are_names_alone(
    with_files: Conversation, other_user: User, tmp_path: Path
) -> None:
    members = members_of(archive_of(with_files))
    name = named(members, ".png")
    text = members.pop("number 0.json").replace(name.encode(), b"../../outside.png")
    members["../../outside.png"] = members.pop(name)
    (again,) = taken(zipped(members | {"export.json": text}), other_user)
    assert again.attachments.get(kind="image").read() == picture()
    assert not list(tmp_path.parent.rglob("outside.png"))
