"""The search index: a passage for each title, message and tool call, written with its row.

A searchable row has a column `words`, which stays empty: a trigger moves what is written to it into the row's passage. So the index
costs a turn no statement of its own. The triggers are in `migrations/_index.py`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .texts import TEXTS
from .words import words

if TYPE_CHECKING:
    TextBase = models.TextField[Any, Any]
    FieldBase = models.Field[Any, Any]
else:
    TextBase, FieldBase = models.TextField, models.Field

Row_co = TypeVar("Row_co", bound="Searchable", covariant=True)

OWNER = "\ue000"
"""The beginning of an owner's word: a private letter, which no word of a text has."""

KIND_WORDS = {"conversation": "\ue001", "message": "\ue002", "toolcall": "\ue003"}
"""The word that all passages of a kind of rows have, by kind; the triggers write it too."""

POSITIONS = 16_383
"""Positions of a tsvector. They start again after the last, so that later phrases match too."""


def owner_word(owner: Any) -> str:
    """The word that all passages of an owner have."""
    return f"{OWNER}{owner}"


def _as_stored(words: Iterable[str], vendor: str) -> str:
    """Words as the index takes them: with positions on PostgreSQL, else in their order."""
    if vendor != "postgresql":
        return " ".join(words)
    return " ".join(f"{word}:{at % POSITIONS + 1}" for at, word in enumerate(words))


class Words(TextBase):
    """The column through which a row's words get into the index."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """The words of the row as it is now."""
        text = TEXTS[str(model_instance._meta.model_name)]
        return words(text(model_instance))

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """The words as one text."""
        return _as_stored(value, connection.vendor) if isinstance(value, list) else value


class WordIndex(FieldBase):
    """A passage's words: a tsvector on PostgreSQL, else a text that triggers put into the FTS5 table."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The column's type."""
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_placeholder(self, value: Any, compiler: Any, connection: BaseDatabaseWrapper) -> str:
        """Texts are cast, as PostgreSQL takes none for a tsvector."""
        return "%s::tsvector" if connection.vendor == "postgresql" else "%s"

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """The words as one text."""
        return _as_stored(value, connection.vendor)


class SearchableQuerySet(models.QuerySet[Row_co]):
    """Rows whose passages are updated however the rows are written."""

    def update(self, **columns: Any) -> int:
        """Updates the rows, and their passages where their text may have changed."""
        if not columns.keys() & self.model.SEARCHED:
            return super().update(**columns)
        with transaction.atomic():
            keys = list(self.values_list("pk", flat=True))
            number = super().update(**columns)
            for row in self.model._base_manager.filter(pk__in=keys):
                row.save(update_fields=["words"])
        return number


class Searchable(models.Model):
    """A row that can be searched by its words."""

    SEARCHED: ClassVar[frozenset[str]] = frozenset()
    """The columns that its text is made of."""

    words = Words(null=True, editable=False, default=None)

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Saves the row, and its words with its text."""
        if update_fields is not None and self.SEARCHED & set(update_fields):
            update_fields = {*update_fields, "words"}
        super().save(*args, update_fields=update_fields, **options)


class Passage(models.Model):
    """The words of a title, a message or a tool call; the newest passage has the highest key.

    Triggers delete it with its row.
    """

    conversation = models.ForeignKey(
        "Conversation", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    message = models.OneToOneField(
        "Message", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    call = models.OneToOneField(
        "ToolCall", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    words = WordIndex()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(message=None, call=None),
                name="one_passage_a_title",
            )
        ]

    def __str__(self) -> str:
        return f"passage {self.pk}"
