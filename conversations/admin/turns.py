"""Conversations and turns: questions, outcomes, times and usage."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from conversations.models import Conversation, Message, ModelSettings, Turn, UsageTotal

from .lists import USER_NAME, UserFilter, by
from .markup import json_html, prose
from .pages import Panel, ReadOnlyAdmin, duration, link, page_links, related, status, time_column
from .searching import WORDS_HELP, WordSearch
from .usage import tokens_column, usage_panel
from .waterfall import WORDS, charts

CHARTS = 20
"""Turns of a conversation whose charts are on a page."""


@admin.register(Conversation)
class ConversationAdmin(WordSearch):
    """Conversations, newest first."""

    list_display = ("title_or_id", "owner", "model", "updated", "created")
    list_filter: ClassVar = (by("model"),)
    list_select_related = ("owner",)
    search_fields = ("title",)
    search_help_text = f"Of its title: {WORDS_HELP} Also its id, or its owner's name."
    ids = ("pk",)
    named_user = "owner"
    date_hierarchy = "created_at"
    ordering = ("-updated_at",)
    fields = ("title", "owner", "model", "created", "updated", "deleted", "its_turns", "id")
    deleted = time_column("deleted_at", "deleted")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        """All conversations, with the deleted ones until they are removed."""
        return Conversation.with_deleted.all()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Its columns, the time of its deletion only if it is deleted."""
        fields = super().get_fields(request, obj)
        return [name for name in fields if name != "deleted" or (obj and obj.deleted_at)]

    @admin.display(description="title", ordering="title")
    def title_or_id(self, row: Conversation) -> str:
        """Its title, or else its id."""
        return f"{row.title or row.pk}{' (deleted)' if row.deleted_at else ''}"

    @admin.display(description="all of its")
    def its_turns(self, row: Conversation) -> SafeString:
        """Links to its turns, calls and messages."""
        return related(
            row, "conversation__id__exact", turn="turns", toolcall="tool calls", message="messages"
        )

    def trail(self, request: HttpRequest, row: Conversation) -> Iterator[SafeString | str]:
        """Links to its playback and chat."""
        yield from page_links(request, row)

    def panels(self, request: HttpRequest, row: Conversation) -> Iterator[Panel]:
        """Its usage, its turns' charts, system prompt and settings."""
        yield usage_panel(row)
        yield _charts_panel(request, row)
        if row.system:
            yield Panel("System prompt", prose(row.system), is_open=False)
        yield from _settings_panel(row)


def _settings_panel(row: ModelSettings) -> Iterator[Panel]:
    """Its settings beside model and instructions, if there are any."""
    reasoning = {} if row.reasoning_budget is None else {"reasoningBudget": row.reasoning_budget}
    settings = row.inference | reasoning | ({"toolsOff": row.tools_off} if row.tools_off else {})
    if settings:
        yield Panel("Settings", json_html(settings), is_open=False)


def _charts_panel(request: HttpRequest, row: Conversation) -> Panel:
    """The newest turns, or those before the number that the address asks for."""
    before = request.GET.get("before", "")
    turns = (
        row.turns.select_related("conversation").defer("system", "conversation__system").order_by("-number")
    )
    if before.isdecimal() and len(before) < 10:
        turns = turns.filter(number__lt=int(before))
    rows = list(turns[: CHARTS + 1])
    page, has_older = rows[:CHARTS], len(rows) > CHARTS
    context = {
        "charts": charts(page),
        "before": page[-1].number if has_older else None,
        "is_newest": not before,
    }
    return Panel("Turns, newest first", charts_html(context), "each on a scale of its own")


def charts_html(context: dict[str, Any]) -> SafeString:
    """Charts as HTML."""
    return render_to_string("admin/conversations/waterfall.html", context | {"legend": WORDS.items()})


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    """Turns: user, model, outcome and duration."""

    tokens = tokens_column
    listed_texts = ("usage",)
    list_display = (
        "number", "its_conversation", "its_status", "user", "model", "created", "took", "first", "tokens",
    )  # fmt: skip
    list_filter: ClassVar = ("status", by("error_code"), by("user__id", "user", UserFilter), by("model"))
    list_select_related = ("conversation", "user")
    search_fields = ("id", "conversation__id", f"user__{USER_NAME}", "error_detail")
    search_help_text = "The id of a turn or conversation, a user's name, or words of an error."
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = (
        "its_conversation", "number", "status", "user", "model", "created", "started", "finished", "took",
        "first", "attempts", "left_out", "error_code", "error_text", "error_detail", "its_message", "its_rounds", "id",
    )  # fmt: skip

    @admin.display(description="conversation")
    def its_conversation(self, row: Turn) -> SafeString | str:
        """The conversation it is a part of."""
        return link(row.conversation)

    @admin.display(description="status", ordering="status")
    def its_status(self, row: Turn) -> SafeString:
        """How it ended, and why if badly."""
        return status(row.status, row.error_code)

    @admin.display(description="took")
    def took(self, row: Turn) -> str:
        """From its start to its end."""
        if row.started_at is None or row.finished_at is None:
            return "-"
        return duration((row.finished_at - row.started_at).total_seconds() * 1000)

    @admin.display(description="first token")
    def first(self, row: Turn) -> str:
        """The time to its first token."""
        return duration(row.first_token_ms)

    @admin.display(description="question")
    def its_message(self, row: Turn) -> SafeString | str:
        """The user's message."""
        return link(Message.objects.filter(turn=row, role=Message.Role.USER).first())

    @admin.display(description="all of its")
    def its_rounds(self, row: Turn) -> SafeString:
        """Links to its rounds, calls and messages."""
        return related(row, "turn__id__exact", round="rounds", toolcall="tool calls", message="messages")

    def trail(self, request: HttpRequest, row: Turn) -> Iterator[SafeString | str]:
        """Its conversation, and the turn played back."""
        yield link(row.conversation)
        yield from page_links(request, row.conversation, f"#turn-{row.number}")

    def panels(self, request: HttpRequest, row: Turn) -> Iterator[Panel]:
        """Its chart, usage, system prompt and settings."""
        yield Panel("How the time went", charts_html({"charts": charts([row]), "is_newest": True}))
        if row.usage:
            yield Panel("Usage", json_html(row.usage))
        if row.system:
            yield Panel("System prompt", prose(row.system), is_open=False)
        yield from _settings_panel(row)


@admin.register(UsageTotal)
class UsageTotalAdmin(ReadOnlyAdmin):
    """The usage of conversations that were pruned."""

    list_display = (
        "month",
        "user",
        "model",
        "turns",
        "rounds",
        "tool_calls",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "total_tokens",
    )
    list_filter: ClassVar = (by("model"), by("user__id", "user", UserFilter))
    list_select_related = ("user",)
    search_fields = (f"user__{USER_NAME}", "model")
