"""What tokens cost, by GATEWAY_PRICES: prices are per million tokens, sums are exact."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Sum

from conversations.models import Round
from conversations.models.fields import TOKENS

KINDS = {
    "inputTokens": "input", "outputTokens": "output",
    "cacheReadInputTokens": "cacheRead", "cacheWriteInputTokens": "cacheWrite",
}  # fmt: skip
MILLION = 1_000_000

Totals = dict[str, dict[str, int]]


def totals(conversation: UUID) -> Totals:
    """What each model has used in the rounds of the conversation that have ended, on all branches, and how many they are."""
    rounds = Round.objects.filter(turn__conversation=conversation).exclude(status=Round.Status.RUNNING)
    sums = {name: Sum(column) for column, name in TOKENS.items() if name in KINDS}
    used: Any = rounds.order_by("model").values("model").annotate(**sums, rounds=Count("pk"))
    return {row.pop("model"): row for row in used}


def cost(model: str, used: Mapping[str, int]) -> Decimal | None:
    """What the tokens cost with that model, by Converse's names for them; None where it has no price."""
    price = settings.GATEWAY_PRICES.get(model)
    if price is None:
        return None
    return sum((price[kind] * used.get(name, 0) for name, kind in KINDS.items()), Decimal(0)) / MILLION


def cost_of_all(used: Totals) -> tuple[Decimal, list[str]]:
    """What all of it cost, and the models that were used and have no price."""
    costs = {model: cost(model, tokens) for model, tokens in used.items()}
    return sum(filter(None, costs.values()), Decimal(0)), [
        name for name, paid in costs.items() if paid is None
    ]


def shown(amount: Decimal) -> str:
    """An amount for people: two digits, or as many as its first two figures need."""
    digits = 2 if not amount or amount >= 1 else max(2, 1 - amount.adjusted())
    return f"{amount:,.{digits}f} {settings.PRICE_CURRENCY}"


def as_json(prices: Mapping[str, Mapping[str, Decimal]]) -> dict[str, Any]:
    """The prices as numbers that JSON holds."""
    return {model: {kind: float(price) for kind, price in kinds.items()} for model, kinds in prices.items()}
