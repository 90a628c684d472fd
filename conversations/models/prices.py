"""Costs of tokens by the prices of the catalogue, which are per million tokens; sums are exact."""

from collections.abc import Mapping
from decimal import Decimal

from conversations.conf import settings

from .catalogue import Model
from .usage import Totals

KINDS = {
    "inputTokens": "input", "outputTokens": "output",
    "cacheReadInputTokens": "cacheRead", "cacheWriteInputTokens": "cacheWrite",
}  # fmt: skip
MILLION = 1_000_000


def cost(model: str, tokens: Mapping[str, int]) -> Decimal | None:
    """The cost of tokens, by Converse's names for them, with a model; None where it has no price."""
    return cost_at(Model.of(model).prices, tokens)


def cost_at(price: Mapping[str, Decimal] | None, tokens: Mapping[str, int]) -> Decimal | None:
    """The cost of tokens at the prices of a model; None where there are none."""
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


def as_json() -> dict[str, dict[str, float]]:
    """The prices of all models that have one, as numbers that JSON holds."""
    prices = {model_id: Model.of(model_id).prices for model_id in Model.ids()}
    return {
        model_id: {kind: float(price) for kind, price in kinds.items()}
        for model_id, kinds in prices.items()
        if kinds
    }
