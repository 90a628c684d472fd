"""Conversations and their turns."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from conversations.protocol.converse.usage import count

from .catalogue import Model
from .fields import TOKENS, Failure, JSONText, ModelSettings, Usage
from .passage import Searchable, SearchableQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User


RoundFigures = tuple[dict[str, Any], int | None]
"""A round's usage, and its time to the first token in ms."""


ListPosition = tuple[datetime, uuid.UUID]
"""A position in the list of conversations: when the one there was last active, and its id."""


class ConversationQuerySet(SearchableQuerySet["Conversation"]):
    """Conversations, by who may see them and where they are listed."""

    def owned_by(self, user: "AbstractBaseUser | AnonymousUser") -> "ConversationQuerySet":
        """The user's own."""
        return self.filter(owner_id=user.pk)

    def listed(self) -> "ConversationQuerySet":
        """Those that are not in the archive, the last active first."""
        return self.filter(archived_at=None).order_by("-updated_at", "-pk")

    def archived(self) -> "ConversationQuerySet":
        """Those in the archive, the last active first."""
        return self.filter(archived_at__isnull=False).order_by("-updated_at", "-pk")

    def pinned(self) -> "ConversationQuerySet":
        """Those that stay on top of the list, the last pinned first."""
        return self.filter(archived_at=None, pinned_at__isnull=False).order_by("-pinned_at", "-pk")

    def after(self, position: ListPosition) -> "ConversationQuerySet":
        """Those that follow on a position in the list."""
        updated_at, pk = position
        older = Q(updated_at__lt=updated_at) | Q(pk__lt=pk)
        return self.filter(older, updated_at__lte=updated_at)

    def empty(self) -> "ConversationQuerySet":
        """Conversations without a turn, a title or changed settings."""
        turns = Turn.objects.filter(conversation=OuterRef("pk"))
        untouched: dict[str, Any] = {"system": "", "inference": {}, "tools_off": [], "reasoning_budget": None}
        return self.filter(~Exists(turns), title="", **untouched, rerun_of=None, archived_at=None)


Conversations = models.Manager.from_queryset(ConversationQuerySet)


class Undeleted(Conversations["Conversation"]):
    """Conversations that are not deleted."""

    def get_queryset(self) -> ConversationQuerySet:
        """All that are not deleted."""
        return ConversationQuerySet(self.model, using=self._db).filter(deleted_at=None)


class Conversation(Searchable, ModelSettings):
    """One owner's thread with a model."""

    SEARCHED = frozenset({"title"})

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="conversations"
    )
    title = models.CharField(max_length=200, blank=True)
    has_own_title = models.BooleanField(
        default=False, help_text="Whether a person chose its title, which nothing else changes then."
    )
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
    changed_at = models.DateTimeField(
        default=timezone.now, help_text="When anything that a list shows of it has last changed."
    )
    seen = models.PositiveIntegerField(
        default=0, help_text="The number of the newest turn whose end its reader has had in sight."
    )
    pinned_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(
        null=True, help_text="Since when nobody sees it. It can be restored until it is swept away."
    )

    objects = Undeleted()
    with_deleted = Conversations()

    class Meta:
        ordering: ClassVar = ["-updated_at"]
        indexes: ClassVar = [
            models.Index(fields=["owner", "changed_at"], name="conversation_changed"),
            models.Index(
                fields=["owner", "-updated_at", "-id"],
                condition=Q(archived_at=None, deleted_at=None),
                name="conversation_listed",
            ),
            models.Index(
                fields=["owner", "-updated_at", "-id"],
                condition=Q(archived_at__isnull=False, deleted_at=None),
                name="conversation_archived",
            ),
            models.Index(
                fields=["owner", "-pinned_at", "-id"],
                condition=Q(pinned_at__isnull=False, archived_at=None, deleted_at=None),
                name="conversation_pinned",
            ),
            models.Index(fields=["owner"], condition=Q(title=""), name="conversation_untitled"),
            models.Index(
                fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="conversation_deleted"
            ),
        ]

    def __str__(self) -> str:
        return self.title or "Untitled"

    @property
    def model_name(self) -> str:
        """Its model, as people call it."""
        return Model.name_of(self.model)

    def is_watchable_by(self, user: "User | AnonymousUser") -> bool:
        """Whether the user may see it played back: it is their own, or the admin shows them everybody's."""
        is_own: bool = self.owner_id == user.pk
        return is_own or (user.is_staff and user.has_perm("conversations.view_conversation"))


class Turn(Usage, Failure, ModelSettings):
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
    beside = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="The turn in whose place it is asked; none for one that follows on the shown branch.",
    )
    number = models.PositiveIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    rerun_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="reruns")
    rerun = JSONText(default=dict, help_text="Asked again: what answers its tools and its rounds.")
    left_out = models.BooleanField(
        default=False, help_text="Whether its content was refused: later requests are without it."
    )
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
            models.Index(
                fields=["user"], condition=Q(status__in=["running", "queued"]), name="turn_under_way"
            ),
        ]

    def __str__(self) -> str:
        return f"turn {self.number}"

    @property
    def run_id(self) -> str:
        """The AG-UI run that is on: its own id, `ID:2` after the first wait for an approval, and so on."""
        return str(self.pk) if self.runs == 1 else f"{self.pk}:{self.runs}"

    def set_figures(self, rounds: Sequence[RoundFigures], unreported: int = 0) -> None:
        """Sets the sum of the rounds' usage, and the time to the first token of the first that had one.

        `unreported` is a lower bound of the tokens that rounds without usage have written.
        """
        members = {member for usage, _ in rounds for member in usage if member in TOKENS.values()}
        self.set_usage(
            {member: sum(count(usage.get(member)) for usage, _ in rounds) for member in sorted(members)},
            unreported,
        )
        self.first_token_ms = next(
            (milliseconds for _, milliseconds in rounds if milliseconds is not None), None
        )


class Notice(models.Model):
    """News of a conversation that is no part of its record, for processes without a channel layer."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=16)
    process = models.UUIDField(help_text="Who announced it, and so has it shown already.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "name"], name="one_notice_a_name")
        ]

    def __str__(self) -> str:
        return self.name
