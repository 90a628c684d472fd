"""Costs of tokens by GATEWAY_PRICES, whose prices are per million tokens; sums are exact."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings

from .usage import Totals

KINDS = {
    "inputTokens": "input", "outputTokens": "output",
    "cacheReadInputTokens": "cacheRead", "cacheWriteInputTokens": "cacheWrite",
}  # fmt: skip
MILLION = 1_000_000


def cost(model: str, tokens: Mapping[str, int]) -> Decimal | None:
    """The cost of tokens, by Converse's names for them, with a model; None where it has no price."""
    price = settings.GATEWAY_PRICES.get(model)
    if price is None:
        return None
    return sum((price[kind] * tokens.get(name, 0) for name, kind in KINDS.items()), Decimal(0)) / MILLION


def cost_of_all(totals: Totals) -> tuple[Decimal, list[str]]:
    """The cost of all tokens, and the models among them that have no price."""
    costs = {model: cost(model, tokens) for model, tokens in totals.items()}
    unpriced = [model for model, amount in costs.items() if amount is None]
    return sum(filter(None, costs.values()), Decimal(0)), unpriced


def as_text(amount: Decimal) -> str:
    """An amount for people: two digits, or as many as its first two figures need."""
    digits = 2 if not amount or amount >= 1 else max(2, 1 - amount.adjusted())
    return f"{amount:,.{digits}f} {settings.PRICE_CURRENCY}"


def as_json(prices: Mapping[str, Mapping[str, Decimal]]) -> dict[str, Any]:
    """The prices as numbers that JSON holds."""
    return {model: {kind: float(price) for kind, price in kinds.items()} for model, kinds in prices.items()}
