"""The catalogue of models: a row for each id, whose facts come before those that the id tells."""

import time
from dataclasses import fields, replace
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from conversations.conf import settings
from conversations.protocol.converse.capabilities import Capabilities, capabilities_of

from .fields import JSONText

FRESH_SECONDS = 2
"""How long a process may not notice what another has changed."""

FACTS = tuple(field.name for field in fields(Capabilities))

PRICE_COLUMNS = {
    "input": "input_price", "output": "output_price",
    "cacheRead": "cache_read_price", "cacheWrite": "cache_write_price",
}  # fmt: skip


def _fact(title: str, help_text: str = "") -> "models.BooleanField[bool | None, bool | None]":
    return models.BooleanField(title, null=True, blank=True, help_text=help_text)


def _number(title: str, help_text: str = "") -> "models.PositiveIntegerField[int | None, int | None]":
    above_zero = [MinValueValidator(1)]
    return models.PositiveIntegerField(
        title, null=True, blank=True, validators=above_zero, help_text=help_text
    )


def _price(title: str) -> "models.DecimalField[Decimal | None, Decimal | None]":
    at_least_zero = [MinValueValidator(Decimal(0))]
    return models.DecimalField(
        title, max_digits=18, decimal_places=9, null=True, blank=True, validators=at_least_zero
    )


class Model(models.Model):
    """A model, with facts that staff edited and refusals taught. None means: as the id tells.

    `capabilities` and `prices` join them all; the columns are the staff's edits alone.
    """

    model_id = models.CharField("model id", max_length=2048, unique=True)
    name = models.CharField(max_length=200, blank=True, help_text="Empty: the model id is shown.")
    enabled = models.BooleanField(
        default=True, help_text="Whether it is offered, if GATEWAY_MODELS names it."
    )
    position = models.PositiveSmallIntegerField(
        "order", null=True, blank=True, help_text="Empty: as in GATEWAY_MODELS. The first is the default."
    )
    context_window = _number("context window", "Tokens of a request and its answer.")
    most_output_tokens = _number("most output tokens", "What MAX_TOKENS is held to.")
    takes_system = _fact("takes instructions")
    takes_tools = _fact("takes tools")
    takes_tools_streaming = _fact("streams answers with tools")
    takes_text_beside_tools = _fact("takes text beside a tool use")
    takes_pictures = _fact("takes pictures")
    takes_documents = _fact("takes documents")
    takes_temperature = _fact("takes temperature")
    takes_top_p = _fact("takes topP")
    takes_temperature_with_top_p = _fact("takes temperature and topP together")
    takes_stop_sequences = _fact("takes stop sequences")
    takes_cache_points = _fact(
        "takes cache points", "Up to them a model keeps what it has read, for the next request."
    )
    takes_cache_point_after_tools = _fact("takes a cache point after tools")
    most_temperature = models.FloatField(
        "highest temperature",
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0)],
        help_text="Empty: 1, as Converse has it.",
    )
    reasons = _fact("reasons", "Whether it takes a budget, as Claude does (thinking).")
    reasoning_budget = _number("reasoning budget", "Tokens that it may think. Empty: it is not asked to.")
    input_price = _price("input tokens")
    output_price = _price("output tokens")
    cache_read_price = _price("tokens read from cache")
    cache_write_price = _price("tokens written to cache")
    learned = JSONText(
        default=dict, editable=False, help_text="By fact: value, at, why. It comes before the columns."
    )

    class Meta:
        ordering: ClassVar = [models.F("position").asc(nulls_last=True), "model_id"]

    def __str__(self) -> str:
        return self.name or self.model_id

    @staticmethod
    def of(model_id: str) -> "Model":
        """The model's row, or an unsaved one. The row is cached for all callers: never change it."""
        return _fresh_rows().get(model_id) or Model(model_id=model_id)

    @staticmethod
    def name_of(model_id: str) -> str:
        """The model, as people call it."""
        row = _fresh_rows().get(model_id)
        return model_id if row is None else str(row)

    @staticmethod
    def ids() -> list[str]:
        """The ids of all rows, and those that the settings name."""
        return list(dict.fromkeys([*_named(), *_fresh_rows()]))

    @staticmethod
    def offered() -> list["Model"]:
        """The enabled ones of GATEWAY_MODELS, in their order."""
        rows = [(index, Model.of(model_id)) for index, model_id in enumerate(settings.GATEWAY_MODELS, 1)]
        return [row for _, row in sorted(rows, key=_order) if row.enabled]

    @staticmethod
    def is_offered(model_id: object) -> bool:
        """Whether it can be chosen."""
        return any(row.model_id == model_id for row in Model.offered())

    @staticmethod
    def default() -> "Model":
        """The first that is offered; the first of GATEWAY_MODELS where none is."""
        return next(iter(Model.offered()), None) or Model.of(settings.GATEWAY_MODELS[0])

    @staticmethod
    def make_rows() -> None:
        """Makes the rows of the models that the settings name."""
        named = _named()
        rows = Model.objects.filter(model_id__in=named).values_list("model_id", flat=True)
        missing = named.keys() - set(rows)
        if missing:
            Model.objects.bulk_create([Model(model_id=name) for name in missing], ignore_conflicts=True)

    @cached_property
    def capabilities(self) -> Capabilities:
        """Its capabilities by what refusals taught, else by the staff's edits, else by its id."""
        edited = {name: getattr(self, name) for name in FACTS if getattr(self, name) is not None}
        learned = {name: fact["value"] for name, fact in self.learned.items() if name in FACTS}
        return replace(capabilities_of(self.model_id), **edited | learned)

    @property
    def prices(self) -> dict[str, Decimal] | None:
        """The prices of a million tokens, by kind; None unless those of input and output are known."""
        seeds = settings.GATEWAY_PRICES.get(self.model_id, {})
        own: dict[str, Decimal | None] = {
            kind: getattr(self, column) for kind, column in PRICE_COLUMNS.items()
        }
        prices = seeds | {kind: price for kind, price in own.items() if price is not None}
        if not {"input", "output"} <= prices.keys():
            return None
        return {kind: prices.get(kind, prices["input"]) for kind in PRICE_COLUMNS}


def _order(row: tuple[int, Model]) -> tuple[int, int]:
    """Orders by the staff's position, before or behind the model at that index of GATEWAY_MODELS."""
    index, position = row[0], row[1].position
    return (index, 0) if position is None else (position, position - index)


def learn(model_id: str, why: str = "", **facts: Any) -> None:
    """Stores facts that a refusal taught about a model, until staff edit or reset them.

    Raises TypeError for a name that is no fact. `why` is the refusal's text.
    """
    Capabilities(**facts)
    with transaction.atomic():
        row, _ = Model.objects.select_for_update().get_or_create(model_id=model_id)
        known = {name: fact["value"] for name, fact in row.learned.items()}
        new = {name: value for name, value in facts.items() if (name, value) not in known.items()}
        at = timezone.now().isoformat(timespec="seconds")
        row.learned |= {name: {"value": value, "at": at, "why": why[:500]} for name, value in new.items()}
        if new:
            row.save(update_fields=["learned"])


def _named() -> dict[str, None]:
    return dict.fromkeys([*settings.GATEWAY_MODELS, *settings.GATEWAY_PRICES])


def _fresh_rows() -> dict[str, Model]:
    return _rows(int(time.monotonic() / FRESH_SECONDS))


@lru_cache(maxsize=1)
def _rows(_: int) -> dict[str, Model]:
    """All rows, read once in each span of time."""
    return {row.model_id: row for row in Model.objects.all()}


def forget_rows() -> None:
    """Clears the cache of rows."""
    _rows.cache_clear()


@receiver([post_save, post_delete], sender=Model)
def _forget(**_: Any) -> None:
    forget_rows()
    transaction.on_commit(forget_rows)
