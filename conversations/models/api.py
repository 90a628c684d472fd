"""The API tokens of programs, and runs by the ids that AG-UI clients gave them."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from conversations.protocol.text import clean_text

from .conversation import Conversation, Turn

SCOPES = {
    "read": "Read conversations",
    "run": "Start and stop runs",
    "approve": "Answer tool calls that wait for approval",
}
"""What a token may be used for."""

PREFIX = "tt_"
LAST_USE_PRECISION = timedelta(minutes=1)
"""The time between two writes of a token's last use, at least."""


class ApiToken(models.Model):
    """A token with which a program acts as its user. Only its digest is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token.")
    scopes = models.CharField(max_length=60, default=" ".join(SCOPES), help_text="What it may be used for.")
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, help_text="Its last use, to the minute.")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, user: Any, name: str, scopes: str = " ".join(SCOPES)) -> tuple["ApiToken", str]:
        """A new token's row, and the token, which nobody can read again."""
        token = PREFIX + secrets.token_urlsafe(32)
        return cls.objects.create(user=user, name=name, scopes=scopes, digest=digest_of(token)), token

    @staticmethod
    def clean_name(text: str) -> str:
        """A name as any database takes it, `token` for a blank one."""
        return " ".join(clean_text(text).split())[:60] or "token"

    @property
    def scope_names(self) -> list[str]:
        """What it may be used for, in words."""
        return [words for scope, words in SCOPES.items() if scope in self.scopes.split()]

    @classmethod
    def valid(cls) -> "models.QuerySet[ApiToken]":
        """The tokens that let their users in."""
        return cls.objects.filter(revoked_at=None, user__is_active=True)

    @classmethod
    def authenticate(cls, token: str) -> "ApiToken | None":
        """Returns the row of a valid token, and stores the time of its use."""
        row = cls.valid().select_related("user").filter(digest=digest_of(token)).first()
        now = timezone.now()
        if row is not None and (row.used_at is None or now - row.used_at > LAST_USE_PRECISION):
            cls.objects.filter(pk=row.pk).update(used_at=now)
        return row

    def revoke(self) -> None:
        """Ends the token; the row stays, as evidence."""
        type(self).objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now())


def digest_of(token: str) -> str:
    """The SHA-256 of a token, which is random and needs no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


class PublicRun(models.Model):
    """A run and the id that an AG-UI client gave it, by which the client asks for it again."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="public_runs")
    number = models.PositiveSmallIntegerField(default=1, help_text="Which of the turn's runs.")
    name = models.CharField(max_length=200, help_text="The client's runId.")
    after = models.PositiveBigIntegerField(help_text="The seq of the record that the run follows on.")

    class Meta:
        ordering: ClassVar = ["conversation", "after"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "name"], name="one_run_a_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def run_id(self) -> str:
        """The run's id in the record."""
        return str(self.turn_id) if self.number == 1 else f"{self.turn_id}:{self.number}"
