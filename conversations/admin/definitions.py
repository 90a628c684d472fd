"""The definitions of MCP servers' tools, and the form that agrees to a changed one."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.models import ToolDefinition
from conversations.protocol.text import visible

from .lists import Choice, by
from .pages import Admin, Panel, address, status, time_column

AGREE = "conversations.change_tooldefinition"
LATE = "Its server says something else by now. Look at it again."


class ChangedFilter(admin.SimpleListFilter):
    """A filter by whether a tool waits for staff to agree."""

    title = parameter_name = "changed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Choice]:
        """Yes and no."""
        return [("yes", "waits for agreement"), ("no", "agreed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The tools that wait, or that do not."""
        match self.value():
            case "yes":
                return queryset.exclude(changed_sha256="")
            case "no":
                return queryset.filter(changed_sha256="")
        return queryset


@admin.register(ToolDefinition)
class ToolDefinitionAdmin(Admin):
    """Tools of MCP servers. Rows come from servers alone."""

    change_form_template = "admin/conversations/tooldefinition/change_form.html"
    seen, changed, agreed = (
        time_column("seen_at", "first seen"),
        time_column("changed_at", "changed"),
        time_column("agreed_at", "agreed"),
    )
    list_display = ("its_name", "its_server", "its_status", "seen", "changed", "agreed", "agreed_by")
    list_filter: ClassVar = (ChangedFilter, by("server"))
    list_select_related = ("agreed_by",)
    search_fields = ("name", "server")
    search_help_text = "A tool's name, or its server's."
    ordering = ("server", "name")
    sortable_by = ()
    fields = (
        "its_name",
        "its_server",
        "its_status",
        "seen",
        "changed",
        "agreed",
        "agreed_by",
        "agreed_sha256",
    )
    readonly_fields = fields

    class Media:
        css: ClassVar = {"all": ["conversations/admin/admin.css"]}
        js: ClassVar = [Script("conversations/admin/admin.js", type="module")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from servers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A definition can be agreed to, and not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A deleted definition would be pinned again at its next sight, whatever it says by then."""
        return False

    @admin.display(description="name", ordering="name")
    def its_name(self, row: ToolDefinition) -> str:
        """Its name on the server."""
        return visible(row.name)

    @admin.display(description="server")
    def its_server(self, row: ToolDefinition) -> str:
        """Its server's name in our file."""
        return visible(row.server)

    @admin.display(description="status")
    def its_status(self, row: ToolDefinition) -> SafeString:
        """Whether it is offered."""
        return status("pending", "changed, not offered") if row.is_changed else status("approved", "agreed")

    def panels(self, row: ToolDefinition) -> Iterator[Panel]:
        """Its definition, and what its server says now, as plain text."""
        yield Panel("Agreed definition", _plain(row.agreed))
        if row.is_changed:
            yield Panel("What its server says now", _plain(row.changed))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Its page, with the form of an agreement for those who may agree."""
        row: Any = kwargs.get("obj")
        may_agree = row and row.is_changed and request.user.has_perm(AGREE)
        context |= {"agree": address(row, "agree") if may_agree else "", "row": row}
        context["panels"] = list(self.panels(row)) if row else []
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """The pages of all lists, and the agreement."""
        view = self.admin_site.admin_view(self.agree)
        return [path("<int:pk>/agree/", view, name="conversations_tooldefinition_agree"), *super().get_urls()]

    def agree(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Agrees to the very definition that was shown; raises PermissionDenied for a user who may not."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(AGREE):
            raise PermissionDenied
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if ToolDefinition.agree(pk, request.POST.get("sha256", ""), request.user.pk or 0):
            self.log_change(request, row, f"Agreed to the definition {row.changed_sha256}.")
            messages.success(request, f"Agreed. {row.name} is offered as it is now.")
        else:
            messages.error(request, LATE)
        return redirect(address(row))


def _plain(definition: Any) -> SafeString:
    text = json.dumps(definition, ensure_ascii=False, indent=2, sort_keys=True)
    return format_html('<pre class="json">{}</pre>', visible(text))
