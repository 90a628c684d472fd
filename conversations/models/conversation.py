"""Conversations and their turns."""

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .fields import TOKENS, Failure, JSONText, Usage, count

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Conversations, by who may see them."""

    def owned_by(self, user: "AbstractBaseUser | AnonymousUser") -> "ConversationQuerySet":
        """The user's own."""
        return self.filter(owner_id=user.pk)


class Conversation(models.Model):
    """One owner's thread with a model."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="conversations"
    )
    title = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=2048)
    system = models.TextField(blank=True)
    inference = JSONText(default=dict, help_text="Converse's inferenceConfig, beside maxTokens.")
    rerun_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="reruns")
    head = models.ForeignKey(
        "Turn",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Where the shown branch ends.",
    )
    draft = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-updated_at"]
        indexes: ClassVar = [models.Index(fields=["owner", "-updated_at"], name="conversation_of_owner")]

    def __str__(self) -> str:
        return self.title or "Untitled"

    def is_watched_by(self, user: "User | AnonymousUser") -> bool:
        """Whether the user may see it played back: it is their own, or the admin shows them everybody's."""
        is_own: bool = self.owner_id == user.pk
        return is_own or (user.is_staff and user.has_perm("conversations.view_conversation"))


class Turn(Usage, Failure):
    """A user message and all that follows until the answer is final."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        WAITING = "waiting"
        COMPLETED = "completed"
        STOPPED = "stopped"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    ACTIVE: ClassVar = (Status.RUNNING, Status.WAITING)
    OPEN: ClassVar = (*ACTIVE, Status.QUEUED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="children")
    number = models.PositiveIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    model = models.CharField(max_length=2048)
    system = models.TextField(blank=True)
    inference = JSONText(default=dict)
    rerun_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="reruns")
    rerun = JSONText(default=dict, help_text="Asked again: what answers its tools and its rounds.")
    attempts = models.PositiveSmallIntegerField(default=0)
    runs = models.PositiveSmallIntegerField(default=1, help_text="One more for each wait for an approval.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    first_token_ms = models.PositiveIntegerField(null=True)
    stop_requested_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True, help_text="Who runs it.")
    lease_until = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["conversation", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "number"], name="one_turn_a_number"),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status__in=["running", "waiting"]),
                name="one_running_turn",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "lease_until"], name="turn_lease"),
            models.Index(fields=["user", "created_at"], name="turn_of_user"),
        ]

    def __str__(self) -> str:
        return f"turn {self.number}"

    @property
    def run_id(self) -> str:
        """The AG-UI run that is on: its own id, `ID:2` after the first wait for an approval, and so on."""
        return str(self.pk) if self.runs == 1 else f"{self.pk}:{self.runs}"

    def take_figures(self) -> None:
        """Takes the sum of its rounds' usage, and the time to the first token of the first that had one."""
        rounds = list(self.rounds.order_by("number", "attempt").values_list("usage", "first_token_ms"))
        members = {member for usage, _ in rounds for member in usage if member in TOKENS.values()}
        self.take_usage(
            {member: sum(count(usage.get(member)) for usage, _ in rounds) for member in sorted(members)}
        )
        self.first_token_ms = next((waited for _, waited in rounds if waited is not None), None)
