"""The base of all pages in the admin: read-only rows, links to related ones, readable values."""

import json
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from conversations.models import Conversation, Message, Round, ToolCall
from conversations.protocol.text import visible

from .lists import CountedPages, Listing

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
    from django.contrib.admin.views.main import ChangeList
else:
    Admin = admin.ModelAdmin


def time_column(column: str, title: str) -> Callable[[Any, Any], str]:
    """A column's time, to the millisecond."""

    @admin.display(description=title, ordering=column)
    def text(_: Any, row: Any) -> str:
        time = getattr(row, column)
        return "-" if time is None else localtime(time).isoformat(sep=" ", timespec="milliseconds")[:23]

    return text


class Panel(NamedTuple):
    """A part of a page that can be folded."""

    title: str
    body: SafeString | str
    note: str = ""
    is_open: bool = True


class ReadOnlyAdmin(Admin):
    """Rows as evidence, which cannot be added, changed or deleted."""

    show_full_result_count = False
    list_per_page = 50
    paginator = CountedPages
    show_facets = admin.ShowFacets.NEVER  # a count for each choice of each filter
    created, started = time_column("created_at", "created"), time_column("started_at", "started")
    finished, updated = time_column("finished_at", "finished"), time_column("updated_at", "last active")
    listed_texts: ClassVar[tuple[str, ...]] = ()
    """The text columns that its list shows; no other is read."""
    raw: ClassVar[dict[str, Callable[[Any], str | bytes]]] = {}
    """The files that a row's page offers: a name, and a function that returns its JSON."""

    class Media:
        css: ClassVar = {"all": ["conversations/admin/admin.css"]}
        js: ClassVar = [Script("conversations/admin/admin.js", type="module")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from turns alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What happened stays as it happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Evidence is kept."""
        return False

    def trail(self, request: HttpRequest, row: Any) -> Iterator[SafeString | str]:
        """Links to the rows that this one is a part of, from the conversation on, and to other pages."""
        yield from ()

    def panels(self, request: HttpRequest, row: Any) -> Iterator[Panel]:
        """The panels below the row's columns."""
        yield from ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> "type[ChangeList]":
        """Lists that take the same time however many rows there are."""
        return Listing

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The row's columns, those of its error only where there is one."""
        return [name for name in super().get_fields(request, obj) if not _is_blank_error(obj, str(name))]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that hold the words, inside JSON too, which is stored as ASCII."""
        rows, has_duplicates = super().get_search_results(request, queryset, search_term)
        stored = "".join(letter if letter.isascii() else json.dumps(letter)[1:-1] for letter in search_term)
        if stored != search_term:
            rows |= super().get_search_results(request, queryset, stored)[0]
        return rows, has_duplicates

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, in which nothing can reorder the text around it."""
        return _visible(super().changelist_view(request, extra_context))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A row's page, in which nothing can reorder the text around it."""
        return _visible(super().changeform_view(request, *args, **kwargs))

    def render_change_form(  # noqa: PLR0913, PLR0917 (Django's own)
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """A row's page, with its links and panels."""
        if obj is not None:
            context |= {"trail": list(self.trail(request, obj)), "panels": list(self.panels(request, obj))}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self) -> list[URLPattern]:
        """The pages of Django's admin, and the files of a row."""
        file = self.admin_site.admin_view(self.file)
        name = f"{self.opts.app_label}_{self.opts.model_name}_file"
        return [path("<path:object_id>/<slug:name>.json", file, name=name), *super().get_urls()]

    def file(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """A value of a row, whole, as JSON; Http404 where there is none."""
        row = self.get_object(request, object_id)
        if row is None or name not in self.raw:
            raise Http404
        if not self.has_view_permission(request, row):
            return HttpResponse(status=403)
        return HttpResponse(self.raw[name](row), content_type="application/json")


def _is_blank_error(row: Any, name: str) -> bool:
    return name.startswith("error") and not getattr(row, name, "")


def _visible(response: HttpResponse) -> HttpResponse:
    if isinstance(response, TemplateResponse):
        response.add_post_render_callback(_make_visible)
    return response


def _make_visible(response: HttpResponse) -> None:
    response.content = visible(response.content.decode())


def address(row: Model, page: str = "change", *more: Any) -> str:
    """A row's own page in the admin, or another of its pages."""
    return reverse(f"admin:conversations_{row._meta.model_name}_{page}", args=[row.pk, *more])


def link(target: Model | None, text: str = "") -> SafeString | str:
    """A link to a row's own page in the admin."""
    if target is None:
        return "-"
    return format_html('<a href="{}">{}</a>', address(target), text or target)


def related(row: Model, lookup: str, **models: str) -> SafeString:
    """Links to the lists of a row's own turns, rounds, messages or calls."""
    links = [
        format_html(
            '<a href="{}?{}={}">{}</a>',
            reverse(f"admin:conversations_{model}_changelist"),
            lookup,
            row.pk,
            name,
        )
        for model, name in models.items()
    ]
    return format_html(" · ".join("{}" for _ in links), *links)


def page_links(request: HttpRequest, conversation: Conversation, anchor: str = "") -> Iterator[SafeString]:
    """Links to the playback for a user who may watch it, and to an own chat; none once it is deleted."""
    if conversation.deleted_at:
        return
    links = [
        ("replay", "Play it back from here", anchor, conversation.is_watchable_by(request.user)),
        ("conversation", "Open the chat", "", conversation.owner_id == request.user.pk),
    ]
    for name, text, place, _ in filter(itemgetter(3), links):
        url = reverse(f"conversations:{name}", args=[conversation.pk])
        yield format_html('<a class="aside" href="{}{}">{}</a>', url, place, text)


def duration(milliseconds: float | None) -> str:
    """A duration as text."""
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.2f} s" if milliseconds < 600_000 else f"{milliseconds / 60_000:,.0f} min"


def status(name: str, why: str = "") -> SafeString:
    """A status, and the reason of a bad one."""
    return format_html('<span class="status {}">{}</span> <small>{}</small>', name, name, why)


class TurnPartAdmin(ReadOnlyAdmin):
    """Rows that are a part of a turn."""

    @admin.display(description="turn")
    def its_turn(self, row: "Round | Message | ToolCall") -> SafeString:
        """The turn it is a part of, and its conversation."""
        return format_html("{} of {}", link(row.turn), link(row.turn.conversation))

    def trail(self, request: HttpRequest, row: Any) -> Iterator[SafeString | str]:
        """Conversation and turn, and the turn played back."""
        yield link(row.turn.conversation)
        yield link(row.turn)
        yield from self.parents(row)
        yield from page_links(request, row.turn.conversation, self.anchor(row))

    def parents(self, row: Any) -> Iterator[SafeString | str]:
        """Links to the rows between its turn and the row."""
        yield from ()

    def anchor(self, row: Any) -> str:
        """The fragment of its moment in the playback."""
        return f"#turn-{row.turn.number}"
