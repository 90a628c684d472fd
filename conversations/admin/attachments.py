"""The facts of attached files, read-only. Only its owner can read a file itself."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from conversations.models import Attachment

from .lists import USER_NAME, UserFilter, by
from .pages import ReadOnlyAdmin, link, time_column


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Attached files."""

    attached = time_column("created_at", "attached")
    list_display = ("name", "kind", "format", "its_size", "owner", "attached", "left_out")
    list_filter: ClassVar = (by("kind"), by("format"), by("conversation__owner__id", "owner", UserFilter))
    list_select_related = ("conversation__owner",)
    search_fields = ("name", "sha256", f"conversation__owner__{USER_NAME}")
    search_help_text = "A file's name or SHA-256, or its owner's name."
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    sortable_by = ()
    fields = (
        "name", "owner", "kind", "format", "its_size", "width", "height", "attached", "left_out", "its_messages", "sha256", "id",
    )  # fmt: skip

    @admin.display(description="size")
    def its_size(self, row: Attachment) -> str:
        """Its size, as people read it."""
        return filesizeformat(row.size)

    @admin.display(description="owner")
    def owner(self, row: Attachment) -> str:
        """The owner of its conversation."""
        return str(row.conversation.owner)

    @admin.display(description="sent with")
    def its_messages(self, row: Attachment) -> SafeString | str:
        """Links to the messages that it was sent with."""
        messages = row.messages.defer("content").order_by("pk")
        return format_html_join(" · ", "{}", ((link(message),) for message in messages)) or "-"

    def trail(self, request: HttpRequest, row: Any) -> Iterator[SafeString | str]:
        """A link to its conversation."""
        yield link(row.conversation)
