"""What was used, when the conversations themselves are gone."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class UsageTotal(models.Model):
    """What a user's conversations with a model had used in a month, summed when they were pruned."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    model = models.CharField(max_length=2048)
    month = models.DateField(help_text="Its first day.")
    turns = models.PositiveBigIntegerField(default=0)
    rounds = models.PositiveBigIntegerField(default=0)
    tool_calls = models.PositiveBigIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    total_tokens = models.PositiveBigIntegerField(default=0)
    cache_read_tokens = models.PositiveBigIntegerField(default=0)
    cache_write_tokens = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-month", "user", "model"]
        indexes: ClassVar = [models.Index(fields=["user", "month"], name="usage_of_user")]

    def __str__(self) -> str:
        return f"{self.model} in {self.month:%B %Y}"
