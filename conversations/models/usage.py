"""Sums of usage, and the totals that stay when conversations are deleted."""

from collections import Counter, defaultdict
from datetime import date
from itertools import chain
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from .conversation import Turn
from .fields import TOKENS
from .round import Round, ToolCall
from .titling import Titling

Totals = dict[str, dict[str, int]]
"""Tokens by Converse's names, and the number of `rounds` and of those `unreported`, by model."""

Key = tuple[int, str, date]
"""A user, a model and a month."""


class UsageTotal(models.Model):
    """The usage of a user's deleted conversations with a model in a month."""

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


def title_usage(conversation: UUID) -> dict[str, dict[str, int]]:
    """The usage of the round that has titled a conversation, by its model; empty without one."""
    columns = {name: F(column) for column, name in TOKENS.items() if column != "total_tokens"}
    rows: Any = Titling.objects.filter(conversation=conversation).values("model", **columns)
    return {row.pop("model"): row | {"rounds": 1} for row in rows}


def totals(conversation: UUID) -> Totals:
    """The usage of each model in a conversation's rounds that have ended, on all branches.

    `unreported` is the number of rounds whose tokens are a lower bound, if there are any.
    """
    rounds = Round.objects.filter(turn__conversation=conversation).exclude(status=Round.Status.RUNNING)
    sums = {name: Sum(column) for column, name in TOKENS.items() if column != "total_tokens"}
    unreported = Count("pk", filter=Q(usage={}, input_tokens=0, output_tokens__gt=0))
    by_model = rounds.order_by("model").values("model")
    rows: Any = by_model.annotate(**sums, rounds=Count("pk"), unreported=unreported)
    return {
        row.pop("model"): {name: number for name, number in row.items() if name != "unreported" or number}
        for row in rows
    }


def add_to_totals(conversations: list[UUID]) -> None:
    """Adds the usage of conversations to the totals of their users, models and months."""
    totals: dict[Key, Counter[str]] = defaultdict(Counter)
    turns = _by_month(Turn.objects.filter(conversation__in=conversations), "")
    tokens = {column: Sum(column) for column in TOKENS}
    rounds = _by_month(Round.objects.filter(turn__conversation__in=conversations), "turn__")
    calls = _by_month(ToolCall.objects.filter(conversation__in=conversations), "turn__")
    titles = Titling.objects.filter(conversation__in=conversations)
    for row in chain(
        _by_month(titles, "").annotate(rounds=Count("pk"), **tokens),
        turns.annotate(turns=Count("pk"), **tokens),
        rounds.annotate(rounds=Count("pk")),
        calls.annotate(tool_calls=Count("pk")),
    ):
        totals[row.pop("of_user"), row.pop("of_model"), row.pop("month").date()].update(row)
    for key, sums in totals.items():
        _add(key, sums)


def _by_month(rows: QuerySet[Any], turn: str) -> QuerySet[Any, dict[str, Any]]:
    month = TruncMonth(f"{turn}created_at")
    return rows.order_by().values(of_user=F(f"{turn}user"), of_model=F(f"{turn}model"), month=month)


def _add(key: Key, sums: Counter[str]) -> None:
    user, model, month = key
    row, _ = UsageTotal.objects.get_or_create(user_id=user, model=model, month=month)
    UsageTotal.objects.filter(pk=row.pk).update(**{name: F(name) + number for name, number in sums.items()})
