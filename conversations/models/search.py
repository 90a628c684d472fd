"""Search by words: the passages that hold them, and what a person is shown of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connection, models
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
    "distinct",
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
"""The newest passages that an owner's search finds; no conversation of older ones is listed."""

HITS_SHOWN = 2
"""Passages shown of each conversation."""

BEFORE, LENGTH = 40, 220
"""Letters of a snippet before the first hit, and in all."""

SNIPPED = 50_000
"""Letters of a text in which the hit is looked for."""

SAMPLE, COMMON = 2_000, 8
"""The newest passages; what every eighth of them matches is common."""

SELDOM = 100
"""What fewer than every so many of the newest passages match is not met by going through them."""

WALK, FAR = 10_000, 20_000
"""The newest passages that are gone through for what is common: enough for the hits that are listed; and for what is seldom together."""

Part = tuple[str, bool]
"""A part of a snippet, and whether it is a hit."""


@dataclass(frozen=True, eq=False)
class Query:
    """Terms that all have to match, in passages of one owner or of one kind of rows.

    For the `unindexed` the passages are read, one by one. SQLite's index is asked for the `newest` alone.
    """

    indexed: Sequence[Term] = ()
    unindexed: Sequence[Term] = ()
    owner: Any = None
    kind: str = ""
    newest: int | None = None

    @property
    def marks(self) -> list[str]:
        """The words that its passages have for their owner and their kind."""
        owner = [] if self.owner is None else [owner_word(self.owner)]
        return [*owner, *([KIND_WORDS[self.kind]] if self.kind else [])]

    def as_tsquery(self) -> str:
        """The query for PostgreSQL; words hold no quotes."""
        return " & ".join([*(f"'{word}'" for word in self.marks), *map(_tsquery, self.indexed)])

    def as_fts(self) -> str:
        """The query for FTS5, to which nothing inside quotes is an operator."""
        return " ".join([*(f'"{word}"' for word in self.marks), *map(_fts, self.indexed)])


def _tsquery(term: Term) -> str:
    return "({}{})".format(" <-> ".join(f"'{word}'" for word in term.words), ":*" if term.prefix else "")


def _fts(term: Term) -> str:
    return '"{}"{}'.format(" ".join(term.words), "*" if term.prefix else "")


@WordIndex.register_lookup
class Matches(LookupBase):
    """Whether a passage matches a Query."""

    lookup_name = "matches"
    prepare_rhs = False
    rhs: Query

    def as_postgresql(self, compiler: Any, connection: Any, *_: Any) -> tuple[str, list[Any]]:
        """By the GIN index, and by reading passages: `IS TRUE` keeps the database from using the index."""
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
        """By the FTS5 table, which goes from the newest on, and by reading passages."""
        words, _ = self.process_lhs(compiler, connection)
        conditions, parameters = ["TRUE"], []
        if query := self.rhs.as_fts():
            newest = "" if self.rhs.newest is None else f"ORDER BY rowid DESC LIMIT {self.rhs.newest}"
            rows = f"SELECT rowid FROM conversations_passage_words WHERE conversations_passage_words MATCH %s {newest}"  # noqa: S608 (constants)
            conditions.append(f"{compiler.quote_name_unless_alias(self.lhs.alias)}.id IN ({rows})")
            parameters.append(query)
        for term in self.rhs.unindexed:
            conditions.append(f"instr(' ' || {words} || ' ', %s)")
            parameters.append(f" {' '.join(term.words)}" + " " * (not term.prefix))
        return f"({' AND '.join(conditions)})", parameters


def _newest(number: int, owner: Any = None, kind: str = "") -> QuerySet[Passage]:
    """The newest passages of an owner or of a kind."""
    rows = Passage.objects.filter(words__matches=Query(owner=owner, kind=kind, newest=number))
    if connection.vendor == "sqlite":  # its index has been asked for so many
        return rows
    return Passage.objects.filter(pk__in=rows.order_by("-pk").values("pk")[:number])


@dataclass(frozen=True)
class Sample:
    """The newest passages: their number, how many match, and which terms are common for themselves.

    `common` are those that the index is not to be asked for.
    """

    rows: int
    hits: int
    common: Sequence[Term] = ()
    are_all_common: bool = False

    @property
    def is_all(self) -> bool:
        """Whether there are no other passages."""
        return self.rows < SAMPLE

    @property
    def is_common(self) -> bool:
        """Whether the newest hits are soon found by going through the passages."""
        return self.is_all or self.hits * COMMON >= self.rows


def _sample(terms: Sequence[Term], owner: Any = None, kind: str = "") -> Sample:
    """How common the terms are among the newest passages.

    Of what is common PostgreSQL would gather and sort all hits, SQLite all words with the same beginning; words as they are it finds from
    the newest on.
    """
    is_sqlite = connection.vendor == "sqlite"
    if is_sqlite and not any(term.prefix for term in terms):
        return Sample(SAMPLE, 0)
    hits = {"hits": _count(terms)} | {f"hits{at}": _count([term]) for at, term in enumerate(terms)}
    counts = _newest(SAMPLE, owner, kind).aggregate(rows=Count("pk"), **hits)
    common = [term for at, term in enumerate(terms) if counts[f"hits{at}"] * COMMON >= counts["rows"]]
    read = [term for term in common if term.prefix or not is_sqlite]
    return Sample(counts["rows"], counts["hits"], read, are_all_common=len(common) == len(terms))


def _count(terms: Sequence[Term]) -> Count:
    return Count("pk", filter=Q(words__matches=Query(unindexed=terms)))


def _query(
    terms: Sequence[Term], common: Sequence[Term], newest: int | None, owner: Any = None, kind: str = ""
) -> Query:
    """The query of the index for the rare terms; what it finds is read for the common ones."""
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
    """The newest matches. `reach` is the number of newest passages that were gone through, None for all."""

    reach: int | None = None

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than were looked for."""
        return len(self) >= HITS_AT_MOST


def matches(terms: Sequence[Term], owner: Any, *, whole: bool = False) -> MatchList:
    """The newest titles, messages and tool calls of the owner that hold the terms.

    For terms that are common each and seldom together the index takes seconds: it is used for them in a `whole` search alone.
    """
    if not terms:
        return MatchList()
    sample = _sample(terms, owner)
    if sample.is_common:
        newest = _newest_matches(_one_by_one(WALK, terms, owner))
        if sample.is_all or newest.is_cut:
            return newest
    if not whole and sample.are_all_common and len(terms) > 1:
        return _far_matches(terms, owner)
    query = _query(terms, sample.common, HITS_AT_MOST, owner)
    passages = Passage.objects.filter(words__matches=query)
    return _newest_matches(passages, are_seldom=sample.hits * SELDOM < sample.rows)


def _far_matches(terms: Sequence[Term], owner: Any) -> MatchList:
    """The matches among the newest passages, up to the one that is too far."""
    of_owner = Passage.objects.filter(words__matches=Query(owner=owner, newest=FAR + 1)).order_by("-pk")
    too_far = of_owner.values_list("pk", flat=True)[FAR : FAR + 1].first()
    query = Query(unindexed=terms, owner=owner, newest=FAR)
    far = _newest_matches(Passage.objects.filter(words__matches=query, pk__gt=too_far or 0))
    far.reach = None if too_far is None or far.is_cut else FAR
    return far


def _one_by_one(number: int, terms: Sequence[Term], owner: Any) -> QuerySet[Passage]:
    return _newest(number, owner).filter(words__matches=Query(unindexed=terms))


def _newest_matches(passages: QuerySet[Passage], *, are_seldom: bool = False) -> MatchList:
    """The newest of the passages. If they `are_seldom`, PostgreSQL may not scan all for them."""
    newest = F("pk") + 0 if are_seldom and connection.vendor == "postgresql" else F("pk")
    rows = passages.order_by(newest.desc()).values_list("pk", "conversation", "message", "call")
    return MatchList(map(Match._make, rows[:HITS_AT_MOST]))


def conversations(matches: Sequence[Match], owner: Any) -> list[UUID]:
    """The owner's conversations with the matches that are there, the last active first.

    The owner is compared here: asked for a thousand keys of one owner, SQLite goes through all that the owner has.
    """
    rows = Conversation.objects.filter(pk__in={match.conversation for match in matches})
    columns = rows.order_by().values_list("updated_at", "pk", "owner")
    return [pk for _, pk, of in sorted(columns, reverse=True) if of == owner]


@dataclass
class Hit:
    """A message or a tool call that holds the terms: who says it, and the text around them.

    `place` is what the ids of its messages in its turn's events begin with.
    """

    speaker: str
    parts: list[Part] = field(default_factory=list)
    turn: UUID | None = None
    place: str = ""


def hits(
    matches: Sequence[Match],
    conversations: Iterable[Conversation],
    terms: Sequence[Term],
    most: int = HITS_SHOWN,
) -> dict[UUID, list[Hit]]:
    """The newest hits of each conversation, but for its title."""
    chosen: dict[UUID, list[Match]] = {row.pk: [] for row in conversations}
    for match in matches:
        of_conversation = chosen.get(match.conversation, [])
        if len(of_conversation) < most and (match.message or match.call):
            of_conversation.append(match)
    rows = _rows([match for several in chosen.values() for match in several])
    return {
        pk: [_hit(rows[match], terms) for match in several if match in rows] for pk, several in chosen.items()
    }


def _rows(matches: list[Match]) -> dict[Match, Message | ToolCall]:
    """The rows that match; one that was deleted meanwhile is missing."""
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
    place = row.round.prefix if row.round else str(row.public_id)
    return Hit(speaker, snippet(text, terms), row.turn_id, place)


def snippet(text: str, terms: Sequence[Term]) -> list[Part]:
    """The text round the first hit, whose parts say what is one."""
    line = " ".join(visible(text[:SNIPPED]).split())
    places = spans(line, terms)
    start = max(0, places[0][0] - BEFORE) if places else 0
    if start:  # a word is not begun in its middle, where there are blanks
        start = max(start, line.find(" ", start, places[0][0]) + 1)
    end = start + len(beginning(line[start:], LENGTH))
    parts: list[Part] = [("…", False)] if start else []
    for first, last in places:
        if last > end:
            break
        parts += [(line[start:first], False), (line[first:last], True)]
        start = last
    parts += [(line[start:end], False), ("…" if end < len(line) else "", False)]
    return [part for part in parts if part[0]]


# -- the admin's search


def matching(model: type[Model], terms: Sequence[Term], at_most: int | None = None) -> Q:
    """The condition that rows of the model match the terms.

    The index is used where that is faster. With `at_most` the newest so many are enough, if that is faster.
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
        return Q(pk__in=_newest(WALK, kind=kind).filter(one_by_one).values(column))
    query = _query(terms, sample.common, at_most, kind=kind)
    return Q(pk__in=passages.filter(words__matches=query).values(column))


def _with_key(column: str) -> QuerySet[Passage]:
    others = {"call": None, "message": None} if column == "conversation" else {}
    return Passage.objects.filter(**{f"{column}__isnull": False}, **others)


def distinct(model: type[models.Model], column: str, limit: int = 50) -> list[Any]:
    """The first values of an indexed column that are not blank, in order; each is one step of the index."""
    name, table = connection.ops.quote_name(column), connection.ops.quote_name(model._meta.db_table)
    filled = f"{name} > ''" if column in ("name", "error") else f"{name} IS NOT NULL"
    least = f"SELECT MIN({name}) FROM {table} WHERE {filled}"  # noqa: S608 (our own names)
    following = f"SELECT ({least} AND {name} > steps.value) FROM steps WHERE steps.value IS NOT NULL"  # noqa: S608
    first = f"SELECT value FROM steps WHERE value IS NOT NULL LIMIT {limit}"  # noqa: S608 (our own names)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH RECURSIVE steps(value) AS ({least} UNION ALL {following}) {first}")
        return [value for (value,) in cursor.fetchall()]
