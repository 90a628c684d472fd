"""Tool calls: their list, search, figures and pages."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.models import Message, ToolCall
from conversations.models.search import terms

from .approvals import ApprovalFilter, approval_panel, decision
from .exporting import KINDS, file_response
from .figures import CallPages, figures
from .lists import LISTED, CountedPages, IndexedFilter, ModelFilter, SlowerThan, UserFilter, by, newest
from .markup import json_html, prose
from .pages import Panel, TurnPartAdmin, address, duration, link, status
from .searching import WORDS_HELP, WordSearch

SEARCH_HELP = f"{WORDS_HELP} Also a tool's name, a user's name, and the id of a call, turn or conversation."
WORDLESS = f"There is no word in this to look up: it was sought letter by letter, in the newest {LISTED:,} of these calls alone."


@admin.register(ToolCall)
class ToolCallAdmin(WordSearch, TurnPartAdmin):
    """Tool calls."""

    list_display = (
        "name", "its_status", "its_approval", "took", "created", "user", "its_conversation", "its_place", "its_arguments", "its_model",
    )  # fmt: skip
    list_filter: ClassVar = (
        "status", by("name", base=IndexedFilter), by("error", "error class", IndexedFilter), SlowerThan,
        by("turn__user__id", "user", UserFilter), by("turn__model", "model", ModelFilter),
        ApprovalFilter,
    )  # fmt: skip
    list_select_related = ("turn__user", "turn__conversation", "round", "approval")
    search_fields = ("name",)
    search_help_text = SEARCH_HELP
    ids = ("pk", "turn", "conversation")
    named_user = "turn__user"
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    sortable_by = ("name", "its_status", "took", "created")
    fields = (
        "name", "status", "error", "took", "user", "its_model", "tool_use_id", "its_turn", "its_round", "its_message",
        "position", "created", "started", "finished", "id",
    )  # fmt: skip
    raw: ClassVar = {
        "arguments": lambda row: row.arguments,
        "input": lambda row: json.dumps(row.input),
        "result": lambda row: json.dumps(row.result),
    }

    # -- columns

    @admin.display(description="status", ordering="status")
    def its_status(self, row: ToolCall) -> SafeString:
        """How it ended, and why if badly."""
        return status(row.status, row.error)

    @admin.display(description="took", ordering="duration_ms")
    def took(self, row: ToolCall) -> str:
        """Its duration."""
        return duration(row.duration_ms)

    @admin.display(description="user")
    def user(self, row: ToolCall) -> str:
        """The user of the turn."""
        return str(row.turn.user)

    @admin.display(description="model")
    def its_model(self, row: ToolCall) -> str:
        """The model that asked for it."""
        return row.turn.model

    @admin.display(description="conversation")
    def its_conversation(self, row: ToolCall) -> SafeString | str:
        """The conversation it was called in."""
        return link(row.turn.conversation)

    @admin.display(description="turn, round")
    def its_place(self, row: ToolCall) -> SafeString:
        """Its turn and round."""
        return format_html(
            "{}, {}", link(row.turn, str(row.turn.number)), link(row.round, str(row.round.number))
        )

    @admin.display(description="arguments")
    def its_arguments(self, row: Any) -> str:
        """The beginning of its arguments."""
        return str(row.beginning)

    @admin.display(description="round")
    def its_round(self, row: ToolCall) -> SafeString | str:
        """The round that asked for it."""
        return link(row.round)

    @admin.display(description="message")
    def its_message(self, row: ToolCall) -> SafeString | str:
        """The message that asked for it."""
        return link(Message.objects.filter(round=row.round_id).defer("content").first())

    @admin.display(description="approval")
    def its_approval(self, row: ToolCall) -> SafeString | str:
        """The decision about it."""
        return decision(row)

    # -- its page

    def parents(self, row: ToolCall) -> Iterator[SafeString | str]:
        """Its round."""
        yield link(row.round)

    def anchor(self, row: ToolCall) -> str:
        """The call in the playback."""
        return f"#call-{row.tool_use_id}"

    def panels(self, request: HttpRequest, row: ToolCall) -> Iterator[Panel]:
        """Its arguments, its result and its approval."""
        if row.input is None:
            yield Panel("Arguments", prose(row.arguments), "not a JSON object")
        else:
            yield Panel("Arguments", json_html(row.input, address(row, "file", "input")))
        note = "" if row.result is not None else "none yet"
        yield Panel("Result", json_html(row.result, address(row, "file", "result")), note)
        yield from approval_panel(row)

    # -- the list

    def get_queryset(self, request: HttpRequest) -> QuerySet[ToolCall]:
        """The calls, with the beginning of their arguments."""
        calls: QuerySet[ToolCall] = super().get_queryset(request)
        return calls.annotate(beginning=Left("arguments", 80))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ToolCall], search_term: str
    ) -> tuple[QuerySet[ToolCall], bool]:
        """The calls that hold the words, or belong to what has this id or name."""
        text = search_term.strip()
        if _is_wordless(text):
            return newest(queryset).filter(_literally(text) | self.of_user(text)), False
        by_id = queryset.filter(tool_use_id=text)
        return (by_id, False) if by_id.exists() else super().get_search_results(request, queryset, text)

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> CountedPages:
        """Pages of calls; Django's own history of a call has plain ones."""
        pages = CallPages if queryset.model is ToolCall else CountedPages
        return pages(queryset, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, with the figures of each tool."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            listing, query = response.context_data["cl"], request.GET.urlencode()
            if _is_wordless(listing.query.strip()):
                messages.info(request, WORDLESS)
            base = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
            response.context_data |= {
                "figures": figures(listing.paginator.rows),
                "exports": [(kind, f"{reverse(base, args=[kind])}?{query}") for kind in KINDS],
            }
        return response

    def get_urls(self) -> list[URLPattern]:
        """The pages of all lists, and the list as a file."""
        view = self.admin_site.admin_view(self.export)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export.<str:kind>", view, name=name), *super().get_urls()]

    def export(self, request: HttpRequest, kind: str) -> StreamingHttpResponse | HttpResponse:
        """The list as a file; raises PermissionDenied for a user who may not see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in KINDS:
            return HttpResponse(status=404)
        try:
            listing = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect("../")
        return file_response(request, listing.queryset, kind)


def _is_wordless(text: str) -> bool:
    return bool(text) and not terms(text)


def _literally(text: str) -> Q:
    """The calls in which the text itself is stored."""
    stored = json.dumps(text)[1:-1]
    return Q(arguments__contains=text) | Q(input__contains=stored) | Q(result__contains=stored)
