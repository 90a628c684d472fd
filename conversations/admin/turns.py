"""Conversations and turns: who asked what, and how it ended."""

from django.contrib import admin
from django.utils.safestring import SafeString

from conversations.models import Conversation, Turn

from .shown import ReadOnly, link, related, seconds


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
        return related(
            row, "conversation__id__exact", turn="turns", toolcall="tool calls", message="messages"
        )


@admin.register(Turn)
class TurnAdmin(ReadOnly):
    """Turns: who asked what model, how it ended, what it took."""

    list_display = (
        "number",
        "its_conversation",
        "status",
        "user",
        "model",
        "created_at",
        "took",
        "total_tokens",
        "error_code",
    )
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
        return related(row, "turn__id__exact", round="rounds", toolcall="tool calls", message="messages")
