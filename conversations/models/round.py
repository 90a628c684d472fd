"""Rounds, their messages, and the tool calls that they ask for."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from .conversation import Conversation, Turn
from .fields import Failure, JSONText, Usage
from .passage import Searchable, SearchableQuerySet


class RequestBase(models.Model):
    """A request without its messages (system prompt, tools, settings), stored once under its SHA-256."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    body = models.TextField()

    def __str__(self) -> str:
        return self.sha256[:12]


class Round(Usage, Failure):
    """One ConverseStream call and the message it returned."""

    class Status(models.TextChoices):
        RUNNING = "running"
        COMPLETED = "completed"
        STOPPED = "stopped"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    attempt = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.RUNNING)
    model = models.CharField(max_length=2048)
    base = models.ForeignKey(RequestBase, on_delete=models.PROTECT, related_name="+")
    request_sha256 = models.CharField(max_length=64, blank=True)
    gateway_request_id = models.CharField(max_length=200, blank=True)
    tries = models.PositiveSmallIntegerField(default=1, help_text="Calls of the gateway, retries included.")
    remedies = JSONText(default=list, help_text="How its request was changed, as it is refused otherwise.")
    stop_reason = models.CharField(max_length=64, blank=True)
    metadata = JSONText(default=dict, help_text="What the stream told beside usage: metrics, trace, tiers.")
    latency_ms = models.PositiveIntegerField(null=True, help_text="As the gateway measured it.")
    first_token_ms = models.PositiveIntegerField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["turn", "number", "attempt"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["turn", "number", "attempt"], name="one_round_an_attempt")
        ]

    def __str__(self) -> str:
        return f"round {self.number}"

    @property
    def prefix(self) -> str:
        """The beginning of its messages' ids."""
        return f"{self.turn_id}:{self.number}" + (f".{self.attempt}" if self.attempt > 1 else "")


class Message(Searchable):
    """A message of one side in Converse's shape; tool results are in their tool calls instead."""

    SEARCHED = frozenset({"content"})

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="messages")
    round = models.OneToOneField(Round, on_delete=models.CASCADE, null=True, related_name="message")
    public_id = models.UUIDField(default=uuid.uuid4, help_text="The user's is the page's.")
    role = models.CharField(max_length=16, choices=Role.choices)
    content = JSONText(default=list)
    complete = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SearchableQuerySet["Message"].as_manager()

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="message_time")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "public_id"], name="one_message_an_id"),
            models.UniqueConstraint(
                fields=["turn"], condition=Q(role="user"), name="one_user_message_a_turn"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} message {self.public_id}"


class ToolCall(Searchable):
    """A tool use block, its execution and its result."""

    SEARCHED = frozenset({"name", "arguments", "input", "result"})

    class Status(models.TextChoices):
        REQUESTED = "requested"
        RUNNING = "running"
        SUCCESS = "success"
        ERROR = "error"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="tool_calls")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="tool_calls")
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="tool_calls")
    position = models.PositiveSmallIntegerField()
    tool_use_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    arguments = models.TextField(blank=True, help_text="As the model sent them.")
    input = JSONText(null=True, help_text="The JSON object they are, if they are one.")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.REQUESTED)
    error = models.CharField(max_length=32, blank=True, help_text="Why there is no good result, as one word.")
    result = JSONText(null=True, help_text="Converse toolResult content.")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)

    objects = SearchableQuerySet["ToolCall"].as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "position"], name="one_call_a_position"),
            models.UniqueConstraint(fields=["conversation", "tool_use_id"], name="one_call_a_tool_use"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at"], name="tool_call_time"),
            models.Index(fields=["tool_use_id"], name="tool_call_use"),
            models.Index(fields=["name", "-created_at"], name="tool_call_name"),
            models.Index(fields=["status", "-created_at"], name="tool_call_status"),
            models.Index(fields=["error", "-created_at"], name="tool_call_error", condition=Q(error__gt="")),
            models.Index(fields=["duration_ms"], name="tool_call_duration"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.tool_use_id}"
