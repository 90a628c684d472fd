"""Files in exports and imports, and in what is asked again."""

import base64
import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from conversations import engine, exports, rerun
from conversations.models import Attachment, Conversation, Round
from conversations.rerun import fixtures
from conversations.rerun.testing import assert_same
from tests.files import PDF, attached, picture, request_of, send
from tests.turns import conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


@pytest.fixture
def with_files(conversation: Conversation) -> Conversation:
    """A conversation with a picture and a document, one of them left out of a second turn."""
    photo, paper = attached(conversation), attached(conversation, "paper.pdf", PDF)
    send(conversation, "What is this?", photo, paper)
    Attachment.objects.filter(pk=paper.pk).update(left_out=True)
    send(conversation, "And now?")
    return conversation


def test_an_exports_messages_can_be_sent_again_and_its_files_are_whole(with_files: Conversation) -> None:
    export = json.loads(exports.as_json(with_files))
    image, document, text = export["messages"][0]["content"]
    assert base64.b64decode(document["document"]["source"]["bytes"]) == PDF
    assert document["document"]["name"] == "Document 1"
    assert (set(image["image"]), text) == ({"format", "source"}, {"text": "What is this?"})
    files = {file["name"]: base64.b64decode(file["data"]) for file in export["attachments"]}
    assert files == {"photo.png": picture(), "paper.pdf": PDF}


def test_an_export_without_files_is_as_before(conversation: Conversation) -> None:
    send(conversation, "hello")
    assert "attachments" not in json.loads(exports.as_json(conversation))


def test_an_import_has_files_of_its_own(with_files: Conversation, other_user: User) -> None:
    text = exports.as_json(with_files)
    requests = [request_of(turn) for turn in with_files.turns.order_by("number")]
    with_files.delete()
    assert not Attachment.objects.exists()
    again = exports.import_document(text, other_user)
    assert {file.name for file in again.attachments.all()} == {"photo.png", "paper.pdf"}
    assert [request_of(turn) for turn in again.turns.order_by("number")] == requests
    assert [file.messages.count() for file in again.attachments.all()] == [1, 1]
    exported = json.loads(exports.as_json(again))
    ids = {file["id"] for file in exported["attachments"]}
    start = next(event for event in exported["turns"][0]["events"] if event["type"] == "TEXT_MESSAGE_START")
    assert {file["id"] for file in start["metadata"]["attachments"]} == ids


def test_an_import_reaches_nobody_elses_files(with_files: Conversation, user: User, other_user: User) -> None:
    """A file that names another conversation's attachments gets none of their bytes."""
    secret = attached(conversation_of(other_user), "secret.txt", b"the turkeys can fly")
    export = json.loads(exports.as_json(with_files))
    names = {file["name"]: file["id"] for file in export["attachments"]}
    text = exports.as_json(with_files).replace(names["paper.pdf"], str(secret.pk))
    parts = json.loads(text)
    parts["attachments"] = [file for file in parts["attachments"] if file["name"] != "paper.pdf"]
    stolen = exports.import_document(json.dumps(parts), user)
    body = engine.rebuild_request(Round.objects.filter(turn__conversation=stolen).first())
    assert base64.b64encode(b"the turkeys can fly") not in body
    assert b"(A document, which is lost.)" in body


def test_a_hostile_file_in_an_export_is_refused_with_all_of_it(with_files: Conversation, user: User) -> None:
    export = json.loads(exports.as_json(with_files))
    export["attachments"][0]["data"] = base64.b64encode(b"<svg/>").decode()
    before = Conversation.objects.count(), Attachment.objects.count()
    with pytest.raises(exports.DamagedExport):
        exports.import_document(json.dumps(export), user)
    assert (Conversation.objects.count(), Attachment.objects.count()) == before


def test_a_copy_has_files_of_its_own(with_files: Conversation) -> None:
    copy = exports.copy_for(with_files, with_files.model)
    files = {file.name: file for file in copy.attachments.all()}
    assert {name: file.read() for name, file in files.items()} == {"photo.png": picture(), "paper.pdf": PDF}
    assert files["paper.pdf"].left_out
    assert not set(files.values()) & set(with_files.attachments.all())
    assert (
        json.loads(exports.as_json(copy))["messages"] == json.loads(exports.as_json(with_files))["messages"]
    )


def test_markdown_names_the_files(with_files: Conversation) -> None:
    assert "*Attached: photo.png*\n\n*Attached: paper.pdf*\n\n> What is this?" in exports.as_markdown(
        with_files
    )


def test_a_rerun_asks_with_files_of_its_own(conversation: Conversation) -> None:
    turn = send(conversation, "What is this?", attached(conversation), attached(conversation, "a.pdf", PDF))
    again = rerun.rerun(conversation)
    (pair,) = again.run()
    assert not pair.differs
    assert request_of(again.conversation.turns.get())["messages"] == request_of(turn)["messages"]
    assert again.conversation.attachments.count() == 2
    assert not set(again.conversation.attachments.all()) & set(conversation.attachments.all())


def test_a_fixture_needs_neither_gateway_nor_storage(conversation: Conversation, tmp_path: Path) -> None:
    send(conversation, "What is this?", attached(conversation), attached(conversation, "a.pdf", PDF))
    send(conversation, "", attached(conversation, "b.txt", b"hello"))
    path = tmp_path / "fixture.jsonl"
    path.write_text("\n".join(fixtures.write(conversation)) + "\n")
    conversation.delete()
    assert_same(path)
