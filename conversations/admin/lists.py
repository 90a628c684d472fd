"""Lists that take the same time however many rows there are.

Counts end at a limit, and filters and dates ask for a few values.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Model, QuerySet, TextField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format

from conversations.conf import settings
from conversations.models import Turn

if TYPE_CHECKING:
    Pages = Paginator[Any]
else:
    Pages = Paginator

USER_NAME: str = get_user_model().USERNAME_FIELD
"""The column of a site's users that has the names by which they sign in."""

LISTED = 10_000
"""Rows that are counted and can be paged through; older ones are found by a narrower filter."""

NEWEST = 1_000
"""Rows whose values a filter offers where the column has no index."""

OPTIONS = 50
"""Values of an indexed column that a filter offers."""

Choice = tuple[str, str]


class CountedPages(Pages):
    """Pages of the first rows."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, 10,000 at most."""
        rows: Any = self.object_list
        return int(rows.order_by()[:LISTED].count())


class NewestPages(CountedPages):
    """Pages of the newest rows, which are queried once for their number, the page and further columns."""

    order: ClassVar[tuple[str, ...]] = ("-created_at", "-pk")
    columns: ClassVar[tuple[str, ...]] = ()
    """Columns that are queried beside the key."""

    @cached_property
    def rows(self) -> list[tuple[Any, ...]]:
        """The key and the columns of the rows that are counted."""
        queryset: Any = self.object_list
        return list(queryset.order_by(*self.order).values_list("pk", *self.columns)[:LISTED])

    @cached_property
    def count(self) -> int:
        """How many rows there are, 10,000 at most."""
        return len(self.rows)

    def page(self, number: int | str) -> "Page[Any]":
        """A page, read by its keys where the newest come first in the list too."""
        page, queryset = super().page(number), cast("QuerySet[Any]", self.object_list)
        if queryset.query.order_by[0] == self.order[0]:
            keys = [key for key, *_ in self.rows[(page.number - 1) * self.per_page :][: self.per_page]]
            rows = queryset.all()
            rows.query.clear_where()  # the keys are those of rows that match: a database may match them all again
            page.object_list = rows.filter(pk__in=keys)
        elif self.num_pages == 1:
            page.object_list = queryset
        return page


def newest(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The newest 10,000 of the rows, and those of the same instant."""
    times = rows.order_by("-created_at").values_list("created_at", flat=True)
    last = next(iter(times[LISTED - 1 : LISTED]), None)
    return rows if last is None else rows.filter(created_at__gte=last)


def _texts(model: type[Model], joined: Iterable[str], prefix: str = "") -> Iterator[str]:
    """The text columns, which may be large, of a model and of the rows that are joined to it."""
    for field in model._meta.concrete_fields:
        if isinstance(field, TextField):
            yield prefix + field.name
    paths = [path.partition("__") for path in joined]
    for name in dict.fromkeys(name for name, _, _ in paths):
        related: Any = model._meta.get_field(name).related_model
        rest = [path for first, _, path in paths if first == name and path]
        yield from _texts(related, rest, f"{prefix}{name}__")


class Listing(ChangeList):
    """A list that does not read the large columns it does not show, with links to dates."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """The rows that match, newest first, without what is large."""
        rows = super().get_queryset(request, exclude_parameters)
        listed: tuple[str, ...] = self.model_admin.listed_texts  # type: ignore[attr-defined]  # ReadOnlyAdmin's
        joined = self.list_select_related if isinstance(self.list_select_related, tuple) else ()
        return rows.defer(*(name for name in _texts(self.model, joined) if name not in listed))

    def get_results(self, request: HttpRequest) -> None:
        """The page, by the paginator even where there is only one."""
        super().get_results(request)
        if isinstance(self.paginator, NewestPages) and not self.multi_page:
            self.result_list = self.paginator.page(1).object_list

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than are counted."""
        return self.result_count >= LISTED

    def dates(self) -> list[tuple[str, str, bool]]:
        """Links to the years, months or days of the rows: address, text, whether it leads back."""
        field = str(self.date_hierarchy)
        times = self.root_queryset.values_list(
            field, flat=True
        )  # SQLite reads the ends of an index one by one
        ends = [*times.order_by(field)[:1], *times.order_by(f"-{field}")[:1]]
        if not ends:
            return []
        first, last = map(timezone.localdate, ends)
        date_parts = [int(self.params[name]) for name in takewhile(self.params.__contains__, self._names())]
        back = [
            ("All dates", []),
            *((_date_text(date_parts[:n]), date_parts[:n]) for n in range(1, len(date_parts))),
        ]
        links = [(self._date_query(parts), text, True) for text, parts in back[: len(date_parts)]]
        date_parts += _common(first, last)[len(date_parts) :]
        return links + [
            (self._date_query(parts), _date_text(parts), False) for parts in _inside(date_parts, first, last)
        ]

    def _names(self) -> list[str]:
        return [f"{self.date_hierarchy}__{part}" for part in ("year", "month", "day")]

    def _date_query(self, parts: list[int]) -> str:
        return self.get_query_string(
            dict(zip(self._names(), parts, strict=False)), [f"{self.date_hierarchy}__"]
        )


def _common(first: date, last: date) -> list[int]:
    """The year and month that all rows share, if they do."""
    if first.year != last.year:
        return []
    return [first.year, first.month] if first.month == last.month else [first.year]


def _inside(date_parts: list[int], first: date, last: date) -> Iterator[list[int]]:
    """The years, or the chosen year's months, or the chosen month's days, that lie between the two."""
    low, high = [first.year, first.month, first.day], [last.year, last.month, last.day]
    depth = len(date_parts)
    if depth == 3:
        return
    numbers = range(low[0], high[0] + 1) if depth == 0 else range(1, 13)
    if depth == 2:
        numbers = range(1, monthrange(*date_parts)[1] + 1)
    for number in numbers:
        parts = [*date_parts, number]
        if low[: depth + 1] <= parts <= high[: depth + 1]:
            yield parts


def _date_text(parts: list[int]) -> str:
    day = date(*[*parts, 1, 1][:3]) if parts else date.min
    return str(parts[0]) if len(parts) == 1 else date_format(day, ("F Y", "F j")[len(parts) - 2])


class ValueFilter(admin.SimpleListFilter):
    """A filter by a column's values, whose options come from a small query."""

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Choice]:
        """The options, and the value of the address."""
        options = dict(self.options(model_admin.model))
        value = request.GET.get(str(self.parameter_name), "")
        return list((options | {value: options.get(value, value)} if value else options).items())

    def has_output(self) -> bool:
        """Always: one value is a choice too."""
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with the value."""
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset

    def options(self, model: Any) -> list[Choice]:
        """The values of the newest rows."""
        newest = model._default_manager.order_by(*NEWEST_FIRST.get(model.__name__, ("-pk",)))
        values = {str(value) for value in newest.values_list(self.column, flat=True)[:NEWEST] if value}
        return [(value, value) for value in sorted(values)]


NEWEST_FIRST = {
    "Turn": ("-created_at",),
    "Conversation": ("-updated_at",),
    "ToolCall": ("-created_at",),
    "Approval": ("-requested_at",),
}


def by(column: str, title: str = "", base: type[ValueFilter] = ValueFilter) -> type[ValueFilter]:
    """A filter by a column, or with a title by one of a related row."""
    parameter = title if "__" in column else f"{column}__exact"
    attributes = {"column": column, "parameter_name": parameter, "title": title or column.replace("_", " ")}
    return type(f"By{column.title()}", (base,), attributes)


class IndexedFilter(ValueFilter):
    """A filter by an indexed column: the first fifty of all values."""

    def options(self, model: Any) -> list[Choice]:
        """The values, by steps through the index."""
        return [(value, value) for value in distinct(model, self.column)]


class ModelFilter(ValueFilter):
    """A filter by the turn's model: those offered now, and those of the newest turns."""

    def options(self, model: Any) -> list[Choice]:
        """The models."""
        return sorted({*super().options(model), *((name, name) for name in settings.GATEWAY_MODELS)})


class UserFilter(ValueFilter):
    """A filter by user: the first fifty who have asked anything."""

    def options(self, model: Any) -> list[Choice]:
        """The users' names."""
        users = get_user_model()._default_manager.in_bulk(distinct(Turn, "user_id"))
        return sorted(((str(pk), str(user)) for pk, user in users.items()), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The user's rows; none if the value is no number."""
        value = self.value() or ""
        if not value:
            return queryset
        return queryset.filter(**{self.column: int(value)}) if value.isdecimal() else queryset.none()


class SlowerThan(admin.SimpleListFilter):
    """A filter by duration."""

    title, parameter_name = "duration", "slower"
    STEPS: ClassVar = {100: "over 100 ms", 1_000: "over 1 s", 10_000: "over 10 s", 60_000: "over a minute"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Choice]:
        """The steps."""
        return [(str(step), text) for step, text in self.STEPS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that took longer."""
        value = self.value() or ""
        return (
            queryset.filter(duration_ms__gt=int(value)) if value.isdecimal() and len(value) < 10 else queryset
        )


def distinct(model: type[Model], column: str) -> list[Any]:
    """The first nonblank values of an indexed column, in order; each takes one step of the index."""
    name, table = connection.ops.quote_name(column), connection.ops.quote_name(model._meta.db_table)
    filled = f"{name} > ''" if column in ("name", "error") else f"{name} IS NOT NULL"
    least = f"SELECT MIN({name}) FROM {table} WHERE {filled}"  # noqa: S608 (our own names)
    following = f"SELECT ({least} AND {name} > steps.value) FROM steps WHERE steps.value IS NOT NULL"  # noqa: S608
    first = f"SELECT value FROM steps WHERE value IS NOT NULL LIMIT {OPTIONS}"  # noqa: S608 (our own names)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH RECURSIVE steps(value) AS ({least} UNION ALL {following}) {first}")
        return [value for (value,) in cursor.fetchall()]
