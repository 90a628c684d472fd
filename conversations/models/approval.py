"""Approvals of single tool calls, questions that calls ask, and standing permissions."""

import hashlib
import json
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .fields import JSONText
from .round import ToolCall


class Allowance(models.Model):
    """A user's standing permission for a tool to run unasked, until it is revoked.

    It holds for these very arguments, or for any where it has none.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="allowances")
    tool = models.CharField(max_length=200)
    input = JSONText(null=True, help_text="The arguments; null for any.")
    key = models.CharField(max_length=64, help_text="SHA-256 of tool and canonical arguments.")
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "key"], condition=Q(revoked_at__isnull=True), name="one_standing_allowance"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tool} for {self.user}"

    @staticmethod
    def key_of(tool: str, arguments: dict[str, Any] | None) -> str:
        """The SHA-256 of the tool's name and its arguments, whatever their order; None stands for any."""
        return hashlib.sha256(json.dumps([tool, arguments], sort_keys=True).encode()).hexdigest()


class Approval(models.Model):
    """The approval that a tool call needs before it runs, or the answer it waits for, and who decided."""

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        DENIED = "denied"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    class Always(models.TextChoices):
        ARGUMENTS = "arguments"
        TOOL = "tool"

    call = models.OneToOneField(ToolCall, on_delete=models.CASCADE, primary_key=True, related_name="approval")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    requested_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_by_name = models.CharField(
        max_length=150, blank=True, help_text="Who decided where it was imported from: nobody of this site."
    )
    reason = models.TextField(blank=True, help_text="Why it was denied: the model is told.")
    input = JSONText(null=True, help_text="The arguments, if they were changed.")
    always = models.CharField(
        max_length=16,
        blank=True,
        choices=Always.choices,
        help_text="What was let through from then on: these arguments, or the tool with any.",
    )
    question = JSONText(
        null=True, help_text="What the running call asks: `message`, and the answer's `schema`."
    )
    answer = JSONText(null=True, help_text="A person's answer to it.")
    asked = models.PositiveSmallIntegerField(default=0, help_text="How many questions the call has asked.")
    holder = models.UUIDField(null=True, help_text="The process in which the call waits for the answer.")
    allowance = models.ForeignKey(
        Allowance,
        on_delete=models.SET_NULL,
        null=True,
        related_name="approvals",
        help_text="What let it through.",
    )

    class Meta:
        ordering: ClassVar = ["-requested_at"]
        indexes: ClassVar = [
            models.Index(fields=["status", "expires_at"], name="approval_expiry"),
            models.Index(fields=["-requested_at"], name="approval_time"),
        ]

    def __str__(self) -> str:
        return f"{self.call.name}: {self.status}"

    @property
    def interrupt_id(self) -> str:
        """The id by which an answer names it: the call's, or that of the call's newest question."""
        call: str = self.call.tool_use_id
        return f"{call}:{self.asked}" if self.question is not None else call

    @property
    def decider(self) -> str:
        """The name of who decided, blank if nobody did."""
        return self.decided_by.get_username() if self.decided_by else self.decided_by_name
