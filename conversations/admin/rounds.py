"""Rounds, messages and tool calls: what was sent, what was said, what was run."""

import json

from django.contrib import admin
from django.utils.safestring import SafeString

from conversations import turns
from conversations.models import Message, Round, ToolCall
from conversations.protocol.request import sha256

from .shown import OfTurn, link, pretty, seconds


@admin.register(Round)
class RoundAdmin(OfTurn):
    """Rounds: the request as it was sent, and what came of it."""

    list_display = (
        "number",
        "its_turn",
        "status",
        "stop_reason",
        "model",
        "started_at",
        "first_token_ms",
        "latency_ms",
        "total_tokens",
        "tries",
    )
    list_filter = ("status", "stop_reason", "model", "started_at")
    list_select_related = ("turn__conversation",)
    search_fields = ("turn__id", "gateway_request_id", "request_sha256")
    date_hierarchy = "started_at"
    readonly_fields = ("its_turn", "its_message", "request", "proof")

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
        return (
            "The SHA-256 is that of the bytes sent."
            if same
            else "Not the bytes that were sent: their SHA-256 differs."
        )


@admin.register(Message)
class MessageAdmin(OfTurn):
    """Messages, in Converse's shape."""

    list_display = ("id", "role", "its_turn", "complete", "created_at", "beginning")
    list_filter = ("role", "complete", "created_at")
    list_select_related = ("turn__conversation",)
    search_fields = ("public_id", "turn__id", "content")
    fields = ("public_id", "its_turn", "its_round", "role", "complete", "created_at", "blocks")
    readonly_fields = ("its_turn", "its_round", "blocks")

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
class ToolCallAdmin(OfTurn):
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
