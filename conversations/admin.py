"""The record for the operator: everything to be seen, nothing to be changed."""

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations import turns
from conversations.models import Conversation, Message, Round, ToolCall, Turn
from conversations.protocol.request import sha256

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
    return "-" if milliseconds is None else f"{milliseconds / 1000:.2f} s"


@admin.register(Conversation)
class ConversationAdmin(ReadOnly):
    """Conversations, newest first."""

    list_display = ("title_or_id", "owner", "model", "updated_at", "created_at")
    list_filter = ("model", "updated_at")
    list_select_related = ("owner",)
    search_fields = ("id", "title", "owner__username")
    date_hierarchy = "created_at"
    fields = ("id", "title", "owner", "model", "system", "inference", "created_at", "updated_at", "its_turns")
    readonly_fields = ("its_turns",)

    @admin.display(description="title", ordering="title")
    def title_or_id(self, row: Conversation) -> str:
        """What to click on."""
        return row.title or str(row.pk)

    @admin.display(description="turns")
    def its_turns(self, row: Conversation) -> SafeString:
        """The way on to its turns, calls and messages."""
        return _related(row, "conversation__id__exact", turn="turns", toolcall="tool calls", message="messages")


@admin.register(Turn)
class TurnAdmin(ReadOnly):
    """Turns: who asked what model, how it ended, what it took."""

    list_display = ("number", "its_conversation", "status", "user", "model", "created_at", "took", "total_tokens", "error_code")
    list_filter = ("status", "error_code", "model", "created_at")
    list_select_related = ("conversation", "user")
    search_fields = ("id", "conversation__id", "user__username", "error_detail")
    date_hierarchy = "created_at"
    readonly_fields = ("its_conversation", "took", "its_rounds")

    @admin.display(description="conversation")
    def its_conversation(self, row: Turn) -> SafeString | str:
        """The conversation it is a part of."""
        return link(row.conversation)

    @admin.display(description="took")
    def took(self, row: Turn) -> str:
        """From its start to its end."""
        if row.started_at is None or row.finished_at is None:
            return "-"
        return seconds(int((row.finished_at - row.started_at).total_seconds() * 1000))

    @admin.display(description="rounds")
    def its_rounds(self, row: Turn) -> SafeString:
        """The way on to its rounds and calls."""
        return _related(row, "turn__id__exact", round="rounds", toolcall="tool calls", message="messages")


@admin.register(Round)
class RoundAdmin(ReadOnly):
    """Rounds: the request as it was sent, and what came of it."""

    list_display = ("number", "its_turn", "status", "stop_reason", "model", "started_at", "first_token_ms", "latency_ms", "total_tokens", "tries")
    list_filter = ("status", "stop_reason", "model", "started_at")
    list_select_related = ("turn__conversation",)
    search_fields = ("turn__id", "gateway_request_id", "request_sha256")
    date_hierarchy = "started_at"
    readonly_fields = ("its_turn", "its_message", "request", "proof")

    @admin.display(description="turn")
    def its_turn(self, row: Round) -> SafeString:
        """The turn it is a part of, and its conversation."""
        return format_html("{} of {}", link(row.turn), row.turn.conversation)

    @admin.display(description="message")
    def its_message(self, row: Round) -> SafeString | str:
        """What the model said."""
        return link(Message.objects.filter(round=row).first())

    @admin.display(description="request as sent")
    def request(self, row: Round) -> SafeString:
        """The request's body, made again from the rows."""
        return pretty(json.loads(turns.rebuild_request(row)))

    @admin.display(description="proof")
    def proof(self, row: Round) -> str:
        """Whether what is shown is what was sent, byte for byte."""
        same = sha256(turns.rebuild_request(row)) == row.request_sha256
        return "The SHA-256 is that of the bytes sent." if same else "Not the bytes that were sent: their SHA-256 differs."


@admin.register(Message)
class MessageAdmin(ReadOnly):
    """Messages, in Converse's shape."""

    list_display = ("id", "role", "its_turn", "complete", "created_at", "beginning")
    list_filter = ("role", "complete", "created_at")
    list_select_related = ("turn__conversation",)
    search_fields = ("public_id", "turn__id", "content")
    fields = ("public_id", "its_turn", "its_round", "role", "complete", "created_at", "blocks")
    readonly_fields = ("its_turn", "its_round", "blocks")

    @admin.display(description="turn")
    def its_turn(self, row: Message) -> SafeString:
        """The turn it is a part of, and its conversation."""
        return format_html("{} of {}", link(row.turn), row.turn.conversation)

    @admin.display(description="round")
    def its_round(self, row: Message) -> SafeString | str:
        """The round that it came from."""
        return link(row.round)

    @admin.display(description="content")
    def beginning(self, row: Message) -> str:
        """How it begins."""
        return json.dumps(row.content, ensure_ascii=False)[:80]

    @admin.display(description="content")
    def blocks(self, row: Message) -> SafeString:
        """Its content blocks."""
        return pretty(row.content)


@admin.register(ToolCall)
class ToolCallAdmin(ReadOnly):
    """Tool calls: what was called, with what, when, for whom, and what it said."""

    list_display = ("name", "status", "error", "took", "user", "its_turn", "created_at", "short_input")
    list_filter = ("status", "name", "error", "created_at")
    list_select_related = ("turn__conversation", "turn__user", "round")
    search_fields = ("name", "tool_use_id", "arguments", "result", "conversation__id", "turn__user__username")
    date_hierarchy = "created_at"
    fields = (
        "id", "name", "tool_use_id", "status", "error", "its_turn", "its_round", "position", "user",
        "created_at", "started_at", "finished_at", "took", "shown_input", "arguments", "shown_result",
    )  # fmt: skip
    readonly_fields = ("its_turn", "its_round", "user", "took", "shown_input", "shown_result")

    @admin.display(description="took", ordering="duration_ms")
    def took(self, row: ToolCall) -> str:
        """How long it ran."""
        return seconds(row.duration_ms)

    @admin.display(description="user", ordering="turn__user")
    def user(self, row: ToolCall) -> str:
        """For whom it was called."""
        return str(row.turn.user)

    @admin.display(description="turn")
    def its_turn(self, row: ToolCall) -> SafeString:
        """The turn it is a part of, and its conversation."""
        return format_html("{} of {}", link(row.turn), row.turn.conversation)

    @admin.display(description="round")
    def its_round(self, row: ToolCall) -> SafeString | str:
        """The round that asked for it."""
        return link(row.round)

    @admin.display(description="input")
    def short_input(self, row: ToolCall) -> str:
        """How its arguments begin."""
        return row.arguments[:80]

    @admin.display(description="input")
    def shown_input(self, row: ToolCall) -> SafeString:
        """The arguments as the JSON object that they are."""
        return pretty(row.input)

    @admin.display(description="result")
    def shown_result(self, row: ToolCall) -> SafeString:
        """What the model was told."""
        return pretty(row.result)


def _related(row: Model, lookup: str, **models: str) -> SafeString:
    links = [
        format_html('<a href="{}?{}={}">{}</a>', reverse(f"admin:conversations_{model}_changelist"), lookup, row.pk, name)
        for model, name in models.items()
    ]
    return format_html(" · ".join("{}" for _ in links), *links)
