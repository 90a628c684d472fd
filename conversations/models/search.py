"""Search by words: the passages that hold them, and a snippet of each for the page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, Lookup, Model, OuterRef, Q, QuerySet

from conversations.protocol.text import beginning, visible

from .conversation import Conversation
from .passage import KIND_WORDS, Passage, WordIndex, owner_word
from .round import Message, ToolCall
from .texts import TEXTS
from .words import Term, spans, terms

__all__ = [
    "Hit",
    "Match",
    "Term",
    "conversations",
    "hits",
    "matches",
    "matching",
    "terms",
]

if TYPE_CHECKING:
    LookupBase = Lookup[Any]
else:
    LookupBase = Lookup

HITS_AT_MOST = 1_000
"""Matches of an owner's search, the newest: older ones are not listed."""

HITS_SHOWN = 2
"""Passages of each conversation that are shown."""

BEFORE, LENGTH = 40, 220
"""Letters of a snippet before its first hit, and letters in all."""

SNIPPET_RANGE = 50_000
"""Letters of a text in which hits for a snippet are looked for."""

SAMPLE, COMMON = 2_000, 8
"""The newest passages that are sampled. Terms that one in COMMON of them matches are common."""

RARE = 100
"""Terms that fewer than one in RARE sampled passages match are rare: a scan hardly meets them."""

SCAN = 10_000
"""The newest passages that are scanned for common terms, enough for all the hits that are listed."""

LONG_SCAN = 20_000
"""The newest passages that are scanned for terms that are common each and rare together."""

Part = tuple[str, bool]
"""A part of a snippet, and whether it is a hit."""


@dataclass(frozen=True, eq=False)
class Query:
    """Terms that all have to match, in passages of one owner or of one kind of rows.

    The index is not used for the `unindexed`: the passages are read. SQLite's index returns the `newest` so many.
    """

    indexed: Sequence[Term] = ()
    unindexed: Sequence[Term] = ()
    owner: Any = None
    kind: str = ""
    newest: int | None = None

    @property
    def scope(self) -> list[str]:
        """The words by which the passages of the owner and of the kind are found."""
        owner = [] if self.owner is None else [owner_word(self.owner)]
        return [*owner, *([KIND_WORDS[self.kind]] if self.kind else [])]

    def as_tsquery(self) -> str:
        """The query for PostgreSQL; words hold no quotes."""
        return " & ".join([*(f"'{word}'" for word in self.scope), *map(_tsquery, self.indexed)])

    def as_fts(self) -> str:
        """The query for FTS5, to which nothing inside quotes is an operator."""
        return " ".join([*(f'"{word}"' for word in self.scope), *map(_fts, self.indexed)])


def _tsquery(term: Term) -> str:
    return "({}{})".format(" <-> ".join(f"'{word}'" for word in term.words), ":*" if term.is_prefix else "")


def _fts(term: Term) -> str:
    return '"{}"{}'.format(" ".join(term.words), "*" if term.is_prefix else "")


@WordIndex.register_lookup
class Matches(LookupBase):
    """Whether a passage matches a Query."""

    lookup_name = "matches"
    prepare_rhs = False
    rhs: Query

    def as_postgresql(self, compiler: Any, connection: Any, *_: Any) -> tuple[str, list[Any]]:
        """By the GIN index, and by reading passages, for which `IS TRUE` keeps the index out of use."""
        words, _ = self.process_lhs(compiler, connection)
        conditions, parameters = ["TRUE"], []
        if query := self.rhs.as_tsquery():
            conditions.append(f"{words} @@ %s::tsquery")
            parameters.append(query)
        for term in self.rhs.unindexed:
            conditions.append(f"({words} @@ %s::tsquery) IS TRUE")
            parameters.append(_tsquery(term))
        return f"({' AND '.join(conditions)})", parameters

    def as_sqlite(self, compiler: Any, connection: Any, *_: Any) -> tuple[str, list[Any]]:
        """By the FTS5 table, which returns the newest first, and by reading passages."""
        words, _ = self.process_lhs(compiler, connection)
        conditions, parameters = ["TRUE"], []
        if query := self.rhs.as_fts():
            newest = "" if self.rhs.newest is None else f"ORDER BY rowid DESC LIMIT {self.rhs.newest}"
            rows = f"SELECT rowid FROM conversations_passage_words WHERE conversations_passage_words MATCH %s {newest}"  # noqa: S608 (constants)
            conditions.append(f"{compiler.quote_name_unless_alias(self.lhs.alias)}.id IN ({rows})")
            parameters.append(query)
        for term in self.rhs.unindexed:
            conditions.append(f"instr(' ' || {words} || ' ', %s)")
            parameters.append(f" {' '.join(term.words)}" + " " * (not term.is_prefix))
        return f"({' AND '.join(conditions)})", parameters


def _newest(number: int, owner: Any = None, kind: str = "") -> QuerySet[Passage]:
    """The newest passages of an owner or of a kind."""
    rows = Passage.objects.filter(words__matches=Query(owner=owner, kind=kind, newest=number))
    if connection.vendor == "sqlite":  # its index returns no more than that
        return rows
    return Passage.objects.filter(pk__in=rows.order_by("-pk").values("pk")[:number])


@dataclass(frozen=True)
class Sample:
    """How many of the newest passages there are, and how many match all the terms.

    `common` are the terms for which the index is not to be used; `are_all_common` counts each term by itself.
    """

    rows: int
    hits: int
    common: Sequence[Term] = ()
    are_all_common: bool = False

    @property
    def is_all(self) -> bool:
        """Whether the sample holds all passages."""
        return self.rows < SAMPLE

    @property
    def is_common(self) -> bool:
        """Whether a scan of the newest passages soon finds the hits."""
        return self.is_all or self.hits * COMMON >= self.rows


def _sample(terms: Sequence[Term], owner: Any = None, kind: str = "") -> Sample:
    """How common the terms are among the newest passages.

    For common terms PostgreSQL's index gathers and sorts all hits, and SQLite's does so for prefixes. SQLite finds whole words from the
    newest passage on, so that nothing is counted for them.
    """
    is_sqlite = connection.vendor == "sqlite"
    if is_sqlite and not any(term.is_prefix for term in terms):
        return Sample(SAMPLE, 0)
    hits = {"hits": _count(terms)} | {f"hits{at}": _count([term]) for at, term in enumerate(terms)}
    counts = _newest(SAMPLE, owner, kind).aggregate(rows=Count("pk"), **hits)
    common = [term for at, term in enumerate(terms) if counts[f"hits{at}"] * COMMON >= counts["rows"]]
    read = [term for term in common if term.is_prefix or not is_sqlite]
    return Sample(counts["rows"], counts["hits"], read, are_all_common=len(common) == len(terms))


def _count(terms: Sequence[Term]) -> Count:
    return Count("pk", filter=Q(words__matches=Query(unindexed=terms)))


def _query(
    terms: Sequence[Term], common: Sequence[Term], newest: int | None, owner: Any = None, kind: str = ""
) -> Query:
    """The query that uses the index for rare terms alone, and reads its passages for the common ones."""
    rare = [term for term in terms if term not in common]
    if not rare and connection.vendor == "postgresql":
        rare, common = list(terms), ()
    return Query(rare, common, owner, kind, None if common else newest)


# -- an owner's search


class Match(NamedTuple):
    """A passage that matches: its key, and those of its conversation and of its message or tool call."""

    passage: int
    conversation: UUID
    message: int | None
    call: UUID | None


class MatchList(list[Match]):
    """The newest matches. `reach` is the number of newest passages that were searched, None for all."""

    reach: int | None = None

    @property
    def is_cut(self) -> bool:
        """Whether there may be more, which were not looked for."""
        return len(self) >= HITS_AT_MOST


def matches(terms: Sequence[Term], owner: Any, *, is_whole: bool = False) -> MatchList:
    """The newest titles, messages and tool calls of the owner that hold the terms.

    For terms that are common each and rare together the index takes seconds: it is used for them only if the search `is_whole`.
    """
    if not terms:
        return MatchList()
    sample = _sample(terms, owner)
    if sample.is_common:
        scanned = _newest(SCAN, owner).filter(words__matches=Query(unindexed=terms))
        newest = _newest_matches(scanned)
        if sample.is_all or newest.is_cut:
            return newest
    if not is_whole and sample.are_all_common and len(terms) > 1:
        return _long_scan(terms, owner)
    query = _query(terms, sample.common, HITS_AT_MOST, owner)
    passages = Passage.objects.filter(words__matches=query)
    return _newest_matches(passages, are_rare=sample.hits * RARE < sample.rows)


def _long_scan(terms: Sequence[Term], owner: Any) -> MatchList:
    """The matches among the newest LONG_SCAN passages."""
    of_owner = Passage.objects.filter(words__matches=Query(owner=owner, newest=LONG_SCAN + 1)).order_by("-pk")
    beyond = of_owner.values_list("pk", flat=True)[LONG_SCAN : LONG_SCAN + 1].first()
    query = Query(unindexed=terms, owner=owner, newest=LONG_SCAN)
    newest = _newest_matches(Passage.objects.filter(words__matches=query, pk__gt=beyond or 0))
    newest.reach = None if beyond is None or newest.is_cut else LONG_SCAN
    return newest


def _newest_matches(passages: QuerySet[Passage], *, are_rare: bool = False) -> MatchList:
    """The newest of the passages. If they `are_rare`, PostgreSQL may not scan in the order of keys."""
    newest = F("pk") + 0 if are_rare and connection.vendor == "postgresql" else F("pk")
    rows = passages.order_by(newest.desc()).values_list("pk", "conversation", "message", "call")
    return MatchList(map(Match._make, rows[:HITS_AT_MOST]))


def conversations(matches: Sequence[Match], owner: Any) -> list[UUID]:
    """The owner's conversations that the matches are in, the last active first.

    The owner is compared here: a query for a thousand keys and one owner reads all rows of the owner on SQLite.
    """
    rows = Conversation.objects.filter(pk__in={match.conversation for match in matches})
    columns = rows.order_by().values_list("updated_at", "pk", "owner")
    return [pk for _, pk, row_owner in sorted(columns, reverse=True) if row_owner == owner]


@dataclass
class Hit:
    """A message or a tool call that holds the terms: who says it, and the text around them.

    `id_prefix` is the beginning of its messages' ids in the events of its turn.
    """

    speaker: str
    parts: list[Part] = field(default_factory=list)
    turn: UUID | None = None
    id_prefix: str = ""


def hits(
    matches: Sequence[Match],
    conversations: Iterable[Conversation],
    terms: Sequence[Term],
    most: int = HITS_SHOWN,
) -> dict[UUID, list[Hit]]:
    """The newest hits of each conversation, except in its title."""
    newest: dict[UUID, list[Match]] = {row.pk: [] for row in conversations}
    for match in matches:
        of_conversation = newest.get(match.conversation, [])
        if len(of_conversation) < most and (match.message or match.call):
            of_conversation.append(match)
    rows = _rows([match for of_conversation in newest.values() for match in of_conversation])
    return {
        pk: [_hit(rows[match], terms) for match in of_conversation if match in rows]
        for pk, of_conversation in newest.items()
    }


def _rows(matches: list[Match]) -> dict[Match, Message | ToolCall]:
    """The rows that match, without rows that were deleted meanwhile."""
    messages = Message.objects.select_related("round").in_bulk(
        [match.message for match in matches if match.message]
    )
    calls = ToolCall.objects.in_bulk([match.call for match in matches if match.call])
    rows: dict[Match, Any] = {
        match: messages.get(match.message) or calls.get(match.call) for match in matches
    }
    return {match: row for match, row in rows.items() if row is not None}


def _hit(row: Message | ToolCall, terms: Sequence[Term]) -> Hit:
    text = TEXTS[str(row._meta.model_name)](row)
    if isinstance(row, ToolCall):
        parts = snippet(text.partition("\n")[2], terms)
        return Hit(row.name, parts, row.turn_id, f"call:{row.tool_use_id}")
    speaker = "You" if row.role == Message.Role.USER else "Assistant"
    prefix = row.round.prefix if row.round else str(row.public_id)
    return Hit(speaker, snippet(text, terms), row.turn_id, prefix)


def snippet(text: str, terms: Sequence[Term]) -> list[Part]:
    """The text around the first hit, in parts that are hits or stand between them."""
    line = " ".join(visible(text[:SNIPPET_RANGE]).split())
    matched = spans(line, terms)
    start = max(0, matched[0][0] - BEFORE) if matched else 0
    if start:  # at the beginning of a word, if the script has blanks
        start = max(start, line.find(" ", start, matched[0][0]) + 1)
    end = start + len(beginning(line[start:], LENGTH))
    parts: list[Part] = [("…", False)] if start else []
    for first, last in matched:
        if last > end:
            break
        parts += [(line[start:first], False), (line[first:last], True)]
        start = last
    parts += [(line[start:end], False), ("…" if end < len(line) else "", False)]
    return [part for part in parts if part[0]]


# -- the admin's search


def matching(model: type[Model], terms: Sequence[Term], at_most: int | None = None) -> Q:
    """The condition that rows of the model match the terms.

    The index is used where that is faster. With `at_most` the condition may be limited to the newest so many.
    """
    kind = str(model._meta.model_name)
    column = {"message": "message", "toolcall": "call"}.get(kind, "conversation")
    sample, is_sqlite = _sample(terms, kind=kind), connection.vendor == "sqlite"
    one_by_one = Q(words__matches=Query(unindexed=terms))
    # PostgreSQL's index of keys begins with the many passages that have none
    passages = Passage.objects.all() if is_sqlite else _with_key(column)
    if sample.is_common and not is_sqlite:
        return Q(Exists(passages.filter(one_by_one, **{column: OuterRef("pk")})))
    if sample.is_common and at_most is not None:
        return Q(pk__in=_newest(SCAN, kind=kind).filter(one_by_one).values(column))
    query = _query(terms, sample.common, at_most, kind=kind)
    return Q(pk__in=passages.filter(words__matches=query).values(column))


def _with_key(column: str) -> QuerySet[Passage]:
    others = {"call": None, "message": None} if column == "conversation" else {}
    return Passage.objects.filter(**{f"{column}__isnull": False}, **others)
