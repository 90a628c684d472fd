"""API tokens, read-only but for their revocation. The tokens themselves are not stored."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from conversations.models import ApiToken

from .lists import UserFilter, by
from .pages import ReadOnlyAdmin, time_column


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Who has API tokens, for what, and when they were last used."""

    used, revoked = time_column("used_at", "last used"), time_column("revoked_at", "revoked")
    list_display = ("name", "user", "scopes", "created", "used", "revoked")
    list_filter: ClassVar = (by("user__id", "user", UserFilter),)
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    search_help_text = "A token's name, or a user's."
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    sortable_by = ()
    fields = ("name", "user", "scopes", "created", "used", "revoked")
    actions = ("revoke",)

    @admin.action(description="Revoke the chosen tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiToken]) -> None:
        """Ends the tokens; their rows stay."""
        number = rows.filter(revoked_at=None).update(revoked_at=timezone.now())
        messages.success(request, f"{number} revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Staff who may change tokens may end them."""
        return bool(request.user.has_perm("conversations.change_apitoken"))

    def get_actions(self, request: HttpRequest) -> Any:
        """The revocation alone."""
        return {name: action for name, action in super().get_actions(request).items() if name == "revoke"}
