"""Definitions of MCP servers' tools, as they were agreed to."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .fields import JSONText


class ToolDefinition(models.Model):
    """A tool of an MCP server, pinned as it was first seen.

    Where its server has changed it since, the tool is not offered until staff agree.
    """

    server = models.CharField(max_length=100)
    name = models.CharField(max_length=255, help_text="Its name on the server.")
    agreed = JSONText(help_text="The definition that is offered.")
    agreed_sha256 = models.CharField(max_length=64)
    changed = JSONText(null=True, help_text="What the server says now, if that is something else.")
    changed_sha256 = models.CharField(max_length=64, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(null=True)
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["server", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["server", "name"], name="one_definition_a_tool")
        ]
        verbose_name = "tool of an MCP server"
        verbose_name_plural = "tools of MCP servers"

    def __str__(self) -> str:
        return f"{self.name} of {self.server}"

    @property
    def is_changed(self) -> bool:
        """Whether the tool waits for staff to agree."""
        return bool(self.changed_sha256)

    @classmethod
    def agree(cls, pk: int, sha256: str, user: int) -> bool:
        """Agrees to the change that has this hash; False where the server says something else by now."""
        waiting = cls.objects.filter(~Q(changed_sha256=""), pk=pk, changed_sha256=sha256)
        row = waiting.first()
        columns = {"changed": None, "changed_sha256": "", "agreed_at": timezone.now(), "agreed_by": user}
        return row is not None and bool(waiting.update(agreed=row.changed, agreed_sha256=sha256, **columns))
