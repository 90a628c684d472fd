"""The rounds in which models gave titles to conversations, stored for their cost."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from .conversation import Conversation
from .fields import Failure, Usage


class Titling(Usage, Failure):
    """The small round that gave a conversation its title, or failed."""

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, primary_key=True, related_name="titling"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    model = models.CharField(max_length=2048)
    title = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "created_at"], name="titling_of_user")]

    def __str__(self) -> str:
        return self.title or self.error_code
