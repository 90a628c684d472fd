"""A file that was looked at, as a row with its stored copies; and the bytes that requests hold of it."""

from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import Sum

from conversations.models import Attachment, Conversation
from conversations.protocol.converse import attached

from .inspecting import Inspected
from .problems import TooLarge

Body = dict[str, Any]


def keep(conversation: Conversation, file: IO[bytes], inspected: Inspected) -> Attachment:
    """Stores a file in the conversation; raises TooLarge where its files are too large together.

    Files are stored before their row: one that is left without it is in nobody's reach.
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
        row.forget()
        raise
    return row


def _check_room(conversation: Conversation, size: int) -> None:
    Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    stored = conversation.attachments.aggregate(bytes=Sum("size"))["bytes"] or 0
    if settings.ATTACHMENTS_LIMIT and stored + size > settings.ATTACHMENTS_LIMIT:
        most = settings.ATTACHMENTS_LIMIT // 10**6
        raise TooLarge(f"The files of a conversation may have {most} MB together. Begin a new one for more.")


def left_out(conversation: UUID) -> set[str]:
    """The ids of the conversation's files that requests of later turns are without."""
    rows = Attachment.objects.filter(conversation=conversation, left_out=True)
    return {str(pk) for pk in rows.values_list("pk", flat=True)}


def with_bytes(body: Body, model: str) -> Body:
    """A request with the bytes of the files that its messages name."""
    ids = attached.ids(body["messages"])
    if not ids:
        return body
    rows = {str(row.pk): row for row in Attachment.objects.filter(pk__in=map(UUID, ids))}

    def read(pk: str) -> bytes | None:
        try:
            return rows[pk].model_bytes()
        except (KeyError, FileNotFoundError):
            return None

    messages = attached.with_bytes(body["messages"], read, citing=attached.cites(model))
    return body | {"messages": messages}
