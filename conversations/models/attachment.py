"""Files that a person attaches to a conversation.

Their bytes are in a storage, under names made of ids.
"""

import uuid
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.db import models, transaction
from django.db.models import QuerySet
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from .conversation import Conversation
from .round import Message

COPIES = ("", ".model", ".thumbnail")
"""The stored files of an attachment: the original; of a picture also a model's and a page's copy."""


class Attachment(models.Model):
    """A file of a conversation, and the messages that it was sent with."""

    class Kind(models.TextChoices):
        IMAGE = "image"
        DOCUMENT = "document"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="attachments")
    messages = models.ManyToManyField(Message, related_name="attachments")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    format = models.CharField(max_length=8, help_text="As Converse calls it.")
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField(help_text="Bytes of the file as it came.")
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    left_out = models.BooleanField(
        default=False, help_text="Whether requests of later turns have a line in its place."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def facts(self) -> dict[str, Any]:
        """Its facts, as pages and clients get them."""
        members = {"name": self.name, "kind": self.kind, "format": self.format, "size": self.size}
        return {"id": str(self.pk), **members}

    @property
    def is_picture(self) -> bool:
        """Whether it has copies for models and pages."""
        return self.kind == self.Kind.IMAGE

    def open(self, copy: str = "") -> "File[bytes]":
        """The stored file, or one of its copies; raises FileNotFoundError where it is lost."""
        return storage().open(_path(self.pk, copy))

    def model_bytes(self) -> bytes:
        """The bytes that a model gets."""
        return self.read(".model" if self.is_picture else "")

    def read(self, copy: str = "") -> bytes:
        """The bytes of the file, or of a copy; raises FileNotFoundError where it is lost."""
        with self.open(copy) as file:
            data: bytes = file.read()
            return data

    def store(self, file: "File[bytes] | bytes", copy: str = "") -> None:
        """Stores the file, or a copy. If its transaction fails, the caller has to call `delete_files`."""
        content = ContentFile(file) if isinstance(file, bytes) else file
        storage().save(_path(self.pk, copy), content)

    def delete_files(self) -> None:
        """Deletes its files."""
        _delete(self.pk)


def storage() -> Storage:
    """The storage of attachments: `STORAGES["attachments"]`."""
    return storages["attachments"]


def _path(pk: uuid.UUID, copy: str) -> str:
    return f"{pk.hex[:2]}/{pk.hex}{copy}"


def unsent(conversation: Conversation) -> QuerySet[Attachment]:
    """The conversation's files that no message has been sent with."""
    return conversation.attachments.filter(messages__isnull=True)


def delete_unsent(before: datetime) -> int:
    """Deletes files that were attached before the moment and never sent; returns their number."""
    rows = Attachment.objects.filter(created_at__lt=before, messages__isnull=True)
    count: int = rows.delete()[1].get(Attachment._meta.label, 0)
    return count


@receiver(post_delete, sender=Attachment)
def _delete_files(instance: Attachment, **_: Any) -> None:
    """Deletes the files of a row once it is gone for good: a file without a row hurts nobody."""
    transaction.on_commit(partial(_delete, instance.pk), robust=True)


def _delete(pk: uuid.UUID) -> None:
    for copy in COPIES:
        storage().delete(_path(pk, copy))
