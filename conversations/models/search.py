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
SAMPLE = 2_000
"""The newest calls; what a tenth of them match is common."""
TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True)
class Term:
    """A word, or several that stand side by side; with `prefix` the last one may go on."""

    text: str
    prefix: bool = False


def terms(text: str) -> list[Term]:
    """The terms of a search: words, "words side by side", and begin* of words. All of them have to match."""
    terms = [
        Term(quoted or word.rstrip("*"), prefix=word.endswith("*")) for quoted, word in TERM.findall(text)
    ]
    return [term for term in terms if any(map(str.isalnum, term.text))][:WORDS_AT_MOST]


class Matches(Expression):
    """Whether a tool call, the query's own table, holds all of the terms."""

    conditional = True

    def __init__(self, terms: list[Term], indexed: bool = True) -> None:
        super().__init__(output_field=BooleanField())
        self.terms, self.indexed = terms, indexed

    def as_postgresql(self, *_: Any) -> tuple[str, list[str]]:
        """Each term's lexemes follow one another; the last one may be marked as a prefix.

        `IS TRUE` keeps the database from using the index.
        """
        phrase = "phraseto_tsquery('simple', conversations_plain(%s))"
        begin = f"(nullif({phrase}::text, '') || ':*')::tsquery"
        query = " && ".join(begin if term.prefix else phrase for term in self.terms)
        match = f"conversations_toolcall.words @@ ({query})"
        return match if self.indexed else f"({match}) IS TRUE", [term.text for term in self.terms]

    def as_sqlite(self, *_: Any) -> tuple[str, list[str]]:
        """FTS5 takes a quoted string as words side by side: nothing in it is an operator."""
        query = " ".join(_quoted(term) for term in self.terms)
        rows = "SELECT rowid FROM conversations_toolcall_words WHERE conversations_toolcall_words MATCH %s"
        calls = f"SELECT call FROM conversations_toolcall_indexed WHERE id IN ({rows})"  # noqa: S608 (constants)
        return f"conversations_toolcall.id IN ({calls})", [query]


def matches(terms: list[Term]) -> Matches:
    """The condition that calls match the terms, with the index or without it, whichever is faster.

    PostgreSQL does not know how many calls a word's beginning matches, and would gather all of them by the index. Where many of the
    newest calls match, it goes through them from the newest on.
    """
    if connection.vendor != "postgresql" or not any(term.prefix for term in terms):
        return Matches(terms)
    newest = ToolCall.objects.order_by("-created_at").annotate(matches=Matches(terms, indexed=False))
    number = sum(newest.values_list("matches", flat=True)[:SAMPLE])
    return Matches(terms, indexed=number * 10 < SAMPLE)


def _quoted(term: Term) -> str:
    return '"{}"{}'.format(term.text.replace('"', " "), "*" if term.prefix else "")


def distinct(model: type[Model], column: str, limit: int = 50) -> list[Any]:
    """The first values of an indexed column that are not blank, in order; each is one step of the index."""
    name, table = connection.ops.quote_name(column), connection.ops.quote_name(model._meta.db_table)
    filled = f"{name} > ''" if column in ("name", "error") else f"{name} IS NOT NULL"
    least = f"SELECT MIN({name}) FROM {table} WHERE {filled}"  # noqa: S608 (our own names)
    following = f"SELECT ({least} AND {name} > steps.value) FROM steps WHERE steps.value IS NOT NULL"  # noqa: S608
    first = f"SELECT value FROM steps WHERE value IS NOT NULL LIMIT {limit}"  # noqa: S608 (our own names)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH RECURSIVE steps(value) AS ({least} UNION ALL {following}) {first}")
        return [value for (value,) in cursor.fetchall()]
