"""Standing permissions, read-only: their users give and revoke them."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString

from conversations.models import Allowance, Approval
from conversations.protocol.text import beginning

from .lists import USER_NAME, Choice, UserFilter, by
from .markup import json_html, one_line
from .pages import Panel, ReadOnlyAdmin, address, related, time_column


class StandingFilter(admin.SimpleListFilter):
    """A filter by whether a permission still stands."""

    title = parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Choice]:
        """Yes and no."""
        return [("yes", "standing"), ("no", "revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The permissions that stand, or that do not."""
        is_standing = {"yes": True, "no": False}.get(self.value() or "")
        return queryset if is_standing is None else queryset.filter(revoked_at__isnull=is_standing)


@admin.register(Allowance)
class AllowanceAdmin(ReadOnlyAdmin):
    """Standing permissions."""

    revoked = time_column("revoked_at", "revoked")
    list_display = ("tool", "user", "its_arguments", "created", "revoked", "used")
    listed_texts = ("input",)
    list_filter: ClassVar = (StandingFilter, by("tool"), by("user__id", "user", UserFilter))
    list_select_related = ("user",)
    search_fields = ("tool", f"user__{USER_NAME}", "input")
    search_help_text = "A tool's name, a user's name, or words of the arguments."
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    sortable_by = ()
    fields = ("tool", "user", "created", "revoked", "used", "its_approvals", "key")
    raw: ClassVar = {"input": lambda row: json.dumps(row.input)}

    @admin.display(description="arguments")
    def its_arguments(self, row: Allowance) -> str:
        """The beginning of its arguments."""
        return "any" if row.input is None else beginning(one_line(row.input), 80)

    @admin.display(description="used")
    def used(self, row: Any) -> int:
        """The number of calls that it has let through."""
        return int(row.uses)

    @admin.display(description="all of its")
    def its_approvals(self, row: Allowance) -> SafeString:
        """A link to the approvals of those calls."""
        return related(row, "allowance__id__exact", approval="approvals")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allowance]:
        """The permissions, with how often each was used."""
        rows: QuerySet[Allowance] = super().get_queryset(request)
        uses = Approval.objects.filter(allowance=OuterRef("pk")).order_by().values("allowance")
        return rows.annotate(uses=Coalesce(uses.annotate(number=Count("pk")).values("number"), 0))

    def panels(self, request: HttpRequest, row: Allowance) -> Iterator[Panel]:
        """Its arguments, if it is for some."""
        if row.input is None:
            return
        yield Panel("Arguments", json_html(row.input, address(row, "file", "input")))
