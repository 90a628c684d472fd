"""Attachments as rows with stored copies, and their bytes for requests."""

from typing import IO, Any
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.db.models import Sum

from conversations.conf import settings
from conversations.models import COPIES, Attachment, Conversation
from conversations.protocol.converse import attached
from conversations.protocol.converse.content import Message

from .inspecting import Inspection
from .problems import TooLarge

Body = dict[str, Any]


def store(conversation: Conversation, file: IO[bytes], inspected: Inspection) -> Attachment:
    """Stores a file in the conversation; raises TooLarge where its files are too large together.

    Files are stored before their row: without it nobody can reach them.
    """
    row = Attachment(
        conversation=conversation,
        kind=inspected.kind,
        **{
            name: getattr(inspected, name) for name in ("format", "name", "size", "sha256", "width", "height")
        },
    )
    try:
        row.store(File(file))
        for copy, data in inspected.copies.items():
            row.store(data, copy)
        with transaction.atomic():
            _check_room(conversation, inspected.size)
            row.save(force_insert=True)
    except BaseException:
        row.delete_files()
        raise
    return row


def _check_room(conversation: Conversation, size: int) -> None:
    Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    stored = conversation.attachments.aggregate(bytes=Sum("size"))["bytes"] or 0
    if settings.ATTACHMENTS_LIMIT and stored + size > settings.ATTACHMENTS_LIMIT:
        most = settings.ATTACHMENTS_LIMIT // 10**6
        raise TooLarge(f"The files of a conversation may have {most} MB together. Begin a new one for more.")


def left_out_ids(conversation: UUID) -> set[str]:
    """The ids of the conversation's files that stay out of requests of later turns."""
    rows = Attachment.objects.filter(conversation=conversation, left_out=True)
    return {str(pk) for pk in rows.values_list("pk", flat=True)}


def copy_to(row: Attachment, conversation: Conversation) -> Attachment:
    """Copies a file into another conversation, and returns the copy."""
    with row.open() as file:
        members = ("name", "format", "size", "sha256", "width", "height")
        copies = {copy: row.read(copy) for copy in COPIES[1:]} if row.is_picture else {}
        facts = {name: getattr(row, name) for name in members}
        return store(conversation, file, Inspection(**facts, copies=copies))


def with_bytes(body: Body, model: str, conversation: UUID) -> Body:
    """A request with the bytes of the files of the conversation that its messages name."""
    return body | {"messages": messages_with_bytes(body["messages"], model, conversation)}


def messages_with_bytes(messages: list[Message], model: str, conversation: UUID) -> list[Message]:
    """The messages with the bytes of the files of the conversation that they name."""
    ids = attached.ids(messages)
    if not ids:
        return messages
    attachments = Attachment.objects.filter(conversation=conversation, pk__in=map(UUID, ids))
    rows = {str(row.pk): row for row in attachments}

    def read(pk: str) -> bytes | None:
        try:
            return rows[pk].model_bytes()
        except (KeyError, FileNotFoundError):
            return None

    return attached.with_bytes(messages, read, with_citations=attached.needs_citations(model))
