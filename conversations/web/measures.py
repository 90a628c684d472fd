"""Tokens, times and cost of turns, in two columns with their differences."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from conversations.models import TOKENS, Model, Turn, prices

Value = Decimal | int | None
Measures = Mapping[str, Value]
"""Numbers by the name of their row; None where a number is not known."""

NONE = "\N{EN DASH}"


class Row(NamedTuple):
    """A row of the table: its name, both values, and their difference."""

    name: str
    old: str
    new: str
    difference: str


def duration(milliseconds: Any) -> str:
    """How long something took: "12 ms", "1.4 s", "2 min 5 s"."""
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds // 60_000} min {milliseconds % 60_000 // 1_000} s"


KINDS: dict[str, Callable[[Any], str]] = {
    "Tokens in": "{:,}".format,
    "From the cache": "{:,}".format,
    "Tokens out": "{:,}".format,
    "First token": duration,
    "Time": duration,
    "Cost": prices.as_text,
}
"""The rows of the table, and how their numbers are written."""

OF_ONE_TURN = "First token"
"""The row that makes no sense as a sum."""


class Prices:
    """The prices of the models of some turns, read at once."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        ids = {turn.model for turn in turns}
        rows = Model.objects.in_bulk(ids, field_name="model_id")
        self._by_model = {name: rows.get(name, Model(model_id=name)).prices for name in ids}

    def measures(self, turn: Turn, total_ms: int | None) -> Measures:
        """What a turn took; `total_ms` is its whole time."""
        tokens = {name: getattr(turn, column) for column, name in TOKENS.items()}
        cached = turn.cache_read_tokens
        return {
            "Tokens in": turn.input_tokens + cached + turn.cache_write_tokens,
            "From the cache": cached,
            "Tokens out": turn.output_tokens,
            "First token": turn.first_token_ms,
            "Time": total_ms,
            "Cost": prices.cost_at(self._by_model[turn.model], tokens),
        }


def total(measures: Sequence[Measures]) -> Measures:
    """The sums of several turns. A sum is not known if any of its numbers is not."""
    return {name: _sum([side[name] for side in measures]) for name in KINDS if name != OF_ONE_TURN}


def table(old: Measures, new: Measures) -> list[Row]:
    """The rows in which either side has a number."""
    return [
        Row(name, _text(old[name], write), _text(new[name], write), _difference(old[name], new[name], write))
        for name, write in KINDS.items()
        if old.get(name) or new.get(name)
    ]


def _sum(values: list[Value]) -> Value:
    numbers = [value for value in values if value is not None]
    return sum(numbers) if len(numbers) == len(values) else None


def _text(value: Value, write: Callable[[Any], str]) -> str:
    return NONE if value is None else write(value)


def _difference(old: Value, new: Value, write: Callable[[Any], str]) -> str:
    if old is None or new is None or old == new:
        return "" if old == new else NONE
    sign = "+" if new > old else "\N{MINUS SIGN}"
    return sign + write(
        abs(Decimal(new) - Decimal(old)) if isinstance(new, Decimal) else abs(int(new) - int(old))
    )
