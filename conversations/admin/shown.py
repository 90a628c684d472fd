"""What every page of the admin is made of: read-only rows, links between them, values made readable."""

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.models import Message, Round, ToolCall

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
else:
    Admin = admin.ModelAdmin

SHOWN_CHARACTERS = 20_000


class ReadOnly(Admin):
    """Evidence: no adding, changing or deleting; counts and foreign keys without a query a row."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from turns alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What happened stays as it happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Evidence is kept."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that hold the words, inside JSON too, which is stored as ASCII."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        stored = "".join(letter if letter.isascii() else json.dumps(letter)[1:-1] for letter in search_term)
        if stored != search_term:
            found |= super().get_search_results(request, queryset, stored)[0]
        return found, has_duplicates


def link(target: Model | None) -> SafeString | str:
    """A link to a row's own page in the admin."""
    if target is None:
        return "-"
    address = reverse(f"admin:conversations_{target._meta.model_name}_change", args=[target.pk])
    return format_html('<a href="{}">{}</a>', address, target)


def pretty(value: Any) -> SafeString:
    """JSON as it is read best, cut where it would drown the page."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    more = "" if len(text) <= SHOWN_CHARACTERS else f"\n… {len(text) - SHOWN_CHARACTERS:,} more characters"
    return format_html("<pre>{}{}</pre>", text[:SHOWN_CHARACTERS], more)


def seconds(milliseconds: int | None) -> str:
    """A duration for people."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2f} s"


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


class OfTurn(ReadOnly):
    """Rows that are a part of a turn."""

    @admin.display(description="turn")
    def its_turn(self, row: "Round | Message | ToolCall") -> SafeString:
        """The turn it is a part of, and its conversation."""
        return format_html("{} of {}", link(row.turn), row.turn.conversation)
