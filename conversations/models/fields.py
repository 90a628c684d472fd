"""The columns that several rows share."""

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, models

from conversations.protocol.converse.usage import count, is_reported

if TYPE_CHECKING:

    class TextBase(models.TextField[Any, Any]):
        """A column that holds any value, as the type checker sees it."""

        _pyi_private_set_type: Any
        _pyi_private_get_type: Any
else:
    TextBase = models.TextField


class JSONText(TextBase):
    """A JSON value stored as its exact text, so that key order and numbers stay on every database."""

    def from_db_value(self, value: str | None, *_: object) -> Any:
        """The value that the text stands for."""
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        """The value that a serialiser's text stands for."""
        return json.loads(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> str | None:
        """Compact ASCII JSON, so that no database meets a NUL or a lone surrogate."""
        return None if value is None else json.dumps(value, separators=(",", ":"), allow_nan=False)

    def value_to_string(self, obj: models.Model) -> str:
        """The text itself, for Django's serialisers."""
        return self.get_prep_value(self.value_from_object(obj)) or ""


def uuid_value(value: UUID | None) -> Any:
    """A UUID as the database takes it in SQL of our own."""
    return _UUIDS.get_db_prep_value(value, connection)


_UUIDS = models.UUIDField()

TOKENS = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "total_tokens": "totalTokens",
    "cache_read_tokens": "cacheReadInputTokens",
    "cache_write_tokens": "cacheWriteInputTokens",
}


class Usage(models.Model):
    """Token counts as columns, and in `usage` all that the gateway reported.

    Where it reported none, the columns have a lower bound.
    """

    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    total_tokens = models.PositiveIntegerField(default=0)
    cache_read_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    usage = JSONText(default=dict)

    class Meta:
        abstract = True

    @property
    def is_reported(self) -> bool:
        """Whether a gateway has reported any usage."""
        return is_reported(self.usage)

    def set_usage(self, usage: dict[str, Any], unreported: int = 0) -> None:
        """Sets the columns from Converse's `usage`; a member that is no count becomes 0.

        `unreported` is a lower bound of the tokens that were written where no usage was reported.
        """
        self.usage = usage
        for column, member in TOKENS.items():
            setattr(self, column, count(usage.get(member)))
        self.output_tokens += unreported
        self.total_tokens += unreported


class Failure(models.Model):
    """An error: its code, the sentence for a person, and the other side's words."""

    error_code = models.CharField(max_length=32, blank=True)
    error_text = models.TextField(blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        abstract = True


MODEL_SETTINGS = ("model", "system", "inference", "tools_off", "reasoning_budget")
"""The columns that a turn takes over from its conversation."""


class ModelSettings(models.Model):
    """The settings with which a model is called: of a conversation, and of each turn as it was sent."""

    model = models.CharField(max_length=2048)
    system = models.TextField(blank=True)
    inference = JSONText(default=dict, help_text="Converse's inferenceConfig, as far as it is set.")
    tools_off = JSONText(default=list, help_text="Names of tools that are not offered; all others are.")
    reasoning_budget = models.PositiveIntegerField(
        null=True, help_text="Tokens of reasoning. 0: none, empty: as the catalogue says."
    )

    class Meta:
        abstract = True

    def model_settings(self) -> dict[str, Any]:
        """The values of these columns, by their names."""
        return {name: getattr(self, name) for name in MODEL_SETTINGS}
