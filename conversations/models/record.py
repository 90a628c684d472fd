"""The record of a conversation: events, and the recordings that they are packed into."""

from typing import ClassVar

from django.db import models

from .conversation import Conversation, Turn


class Event(models.Model):
    """One AG-UI event of a turn that is not packed yet: `data` is the frame as sockets get it."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="events", db_index=False
    )
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.PositiveBigIntegerField()
    data = models.TextField()
    parts = models.TextField(default="", blank=True, help_text="Merged deltas: their times and lengths.")

    class Meta:
        ordering: ClassVar = ["conversation", "seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="one_event_a_seq")
        ]

    def __str__(self) -> str:
        return f"event {self.seq}"


class Recording(models.Model):
    """A finished turn's events in one compact row, and the messages that they add up to."""

    turn = models.OneToOneField(Turn, on_delete=models.CASCADE, primary_key=True, related_name="recording")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="recordings", db_index=False
    )
    first_seq = models.PositiveBigIntegerField()
    last_seq = models.PositiveBigIntegerField()
    body = models.BinaryField()
    snapshot = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["conversation", "first_seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "last_seq"], name="one_recording_a_seq")
        ]

    def __str__(self) -> str:
        return f"recording {self.first_seq} to {self.last_seq}"
