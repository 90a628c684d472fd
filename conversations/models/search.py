"""Full text over tool calls: every word of their names, arguments and results.

The database keeps the index by itself, however a row is written: PostgreSQL in a generated column of `tsvector`, SQLite by triggers
in an FTS5 table. Both index decoded JSON, its punctuation as blanks; the migration that makes them is beside this (`Index`).
"""

import re
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Expression, Model

from .round import ToolCall

WORDS_AT_MOST = 32
PROBED = 2_000
"""The newest calls, by which it is told whether a word's beginning is common: a tenth of them is enough."""
TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True)
class Term:
    """A word, or several that stand side by side; with `prefix` the last one may go on."""

    text: str
    prefix: bool = False


def terms(text: str) -> list[Term]:
    """What is sought: all of the words, "words side by side", and begin* of words. Anything else in it means nothing."""
    found = [
        Term(quoted or word.rstrip("*"), prefix=word.endswith("*")) for quoted, word in TERM.findall(text)
    ]
    return [term for term in found if any(map(str.isalnum, term.text))][:WORDS_AT_MOST]


class Says(Expression):
    """Whether a tool call, the query's own table, holds all of the terms."""

    conditional = True

    def __init__(self, sought: list[Term], indexed: bool = True) -> None:
        super().__init__(output_field=BooleanField())
        self.sought, self.indexed = sought, indexed

    def as_postgresql(self, *_: Any) -> tuple[str, list[str]]:
        """Each term's lexemes follow one another; the quoted form of the last takes the mark of a prefix. `IS TRUE` uses no index."""
        phrase = "phraseto_tsquery('simple', conversations_plain(%s))"
        begin = f"(nullif({phrase}::text, '') || ':*')::tsquery"
        asked = " && ".join(begin if term.prefix else phrase for term in self.sought)
        held = f"conversations_toolcall.words @@ ({asked})"
        return held if self.indexed else f"({held}) IS TRUE", [term.text for term in self.sought]

    def as_sqlite(self, *_: Any) -> tuple[str, list[str]]:
        """FTS5 takes a quoted string as words side by side: nothing in it is an operator."""
        asked = " ".join(_quoted(term) for term in self.sought)
        held = "SELECT rowid FROM conversations_toolcall_words WHERE conversations_toolcall_words MATCH %s"
        calls = f"SELECT call FROM conversations_toolcall_indexed WHERE id IN ({held})"  # noqa: S608 (constants)
        return f"conversations_toolcall.id IN ({calls})", [asked]


def says(sought: list[Term]) -> Says:
    """The condition. Of a word's beginning PostgreSQL does not know how many calls have it, and would gather all of them by the index:
    where many of the newest do, the calls are gone through from the newest on."""
    if connection.vendor != "postgresql" or not any(term.prefix for term in sought):
        return Says(sought)
    probed = ToolCall.objects.order_by("-created_at").annotate(found=Says(sought, indexed=False))
    found = sum(probed.values_list("found", flat=True)[:PROBED])
    return Says(sought, indexed=found * 10 < PROBED)


def _quoted(term: Term) -> str:
    return '"{}"{}'.format(term.text.replace('"', " "), "*" if term.prefix else "")


def distinct(of_model: type[Model], column: str, limit: int = 50) -> list[Any]:
    """The first values of an indexed column that are not blank, in order: a step of the index for each, not a row."""
    table = of_model._meta.db_table
    name, of = connection.ops.quote_name(column), connection.ops.quote_name(table)
    filled = f"{name} > ''" if column in ("name", "error") else f"{name} IS NOT NULL"
    least = f"SELECT MIN({name}) FROM {of} WHERE {filled}"  # noqa: S608 (our own names)
    following = f"SELECT ({least} AND {name} > found.value) FROM found WHERE found.value IS NOT NULL"  # noqa: S608
    told = f"SELECT value FROM found WHERE value IS NOT NULL LIMIT {limit}"  # noqa: S608 (our own names)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH RECURSIVE found(value) AS ({least} UNION ALL {following}) {told}")
        return [value for (value,) in cursor.fetchall()]
