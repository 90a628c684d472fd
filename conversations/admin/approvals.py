"""Who let which tool call run, and the one thing that can be done in the admin: to let it, or not."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from conversations import engine
from conversations.errors import Refused
from conversations.models import Approval, ToolCall
from conversations.models.search import distinct

from .folded import folded
from .lists import Choice, UserFilter, by
from .shown import Panel, ReadOnly, address, elsewhere, link, moment, status

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DECIDE = "conversations.change_approval"
ANSWERS = {"approve": True, "deny": False}


class ApprovalFilter(admin.SimpleListFilter):
    """A filter of tool calls by what was decided about them; nothing is joined until it is used."""

    title = parameter_name = "approval"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Choice]:
        """The decisions."""
        return [(value, value) for value in Approval.Status.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The calls that were decided so."""
        return queryset.filter(approval__status=self.value()) if self.value() else queryset


class DeciderFilter(UserFilter):
    """A filter by who decided: the first fifty who have."""

    column, title, parameter_name = "decided_by", "decided by", "by"

    def offered(self, model: Any) -> list[Choice]:
        """The users' names."""
        users = get_user_model()._default_manager.in_bulk(distinct(Approval, "decided_by_id"))
        return sorted(((str(pk), str(user)) for pk, user in users.items()), key=lambda choice: choice[1])


def decision(call: ToolCall) -> SafeString | str:
    """What was decided about a call, in a word that leads to it."""
    found: Approval | None = getattr(call, "approval", None)
    return link(found, status(found.status)) if found else "-"


def approval_panel(call: ToolCall) -> Iterator[Panel]:
    """Who decided what about a call, when and why, and the arguments that were changed."""
    found = Approval.objects.select_related("decided_by", "allowance").filter(call=call).first()
    if found is None:
        return
    told = {"Decision": decision(call), "By": found.decider or "nobody"}
    told |= {name.title(): time(None, found) for name, time in ApprovalAdmin.TIMES.items()}
    told |= {"Reason": found.reason} if found.reason else {}
    told |= {"Standing permission": link(found.allowance)} if found.allowance else {}
    rows = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', told.items())
    yield Panel("Approval", format_html("<table>{}</table>", rows))
    if found.input is not None:
        yield Panel("Changed arguments", folded(found.input, address(found, "file", "input")))


@admin.register(Approval)
class ApprovalAdmin(ReadOnly):
    """Approvals."""

    TIMES: ClassVar = {
        "asked": moment("requested_at", "asked"),
        "expires": moment("expires_at", "expires"),
        "decided": moment("decided_at", "decided"),
    }
    asked, expires, decided = TIMES.values()
    list_display = (
        "tool",
        "its_status",
        "decider",
        "asked",
        "decided",
        "expires",
        "user",
        "its_conversation",
    )
    list_filter: ClassVar = ("status", by("call__name", "tool"), DeciderFilter)
    list_select_related = ("call__turn__user", "call__turn__conversation", "decided_by")
    search_fields = (
        "call__name",
        "call__tool_use_id",
        "call__id",
        "call__turn__id",
        "call__conversation__id",
    )
    search_help_text = "A tool's name, or the id of a call, turn or conversation."
    date_hierarchy = "requested_at"
    ordering = ("-requested_at",)
    sortable_by = ()
    fields = (
        "its_call", "its_status", "its_decider", "asked", "expires", "decided", "reason", "its_allowance", "user", "its_conversation",
    )  # fmt: skip
    raw: ClassVar = {"input": lambda row: json.dumps(row.input)}

    @admin.display(description="tool")
    def tool(self, row: Approval) -> str:
        """The tool that was to be called."""
        return row.call.name

    @admin.display(description="status")
    def its_status(self, row: Approval) -> SafeString:
        """What was decided."""
        return status(row.status)

    @admin.display(description="decided by")
    def its_decider(self, row: Approval) -> str:
        """Who decided."""
        return row.decider or "-"

    @admin.display(description="user")
    def user(self, row: Approval) -> str:
        """For whom it was to be called."""
        return str(row.call.turn.user)

    @admin.display(description="conversation")
    def its_conversation(self, row: Approval) -> SafeString | str:
        """The conversation it was asked for in."""
        return link(row.call.turn.conversation)

    @admin.display(description="tool call")
    def its_call(self, row: Approval) -> SafeString | str:
        """The call itself."""
        return link(row.call)

    @admin.display(description="standing permission")
    def its_allowance(self, row: Approval) -> SafeString | str:
        """What let it through unasked."""
        return link(row.allowance)

    def trail(self, request: HttpRequest, row: Approval) -> Iterator[SafeString | str]:
        """Conversation, turn and call, and the call played back."""
        yield link(row.call.turn.conversation)
        yield link(row.call.turn)
        yield link(row.call)
        yield from elsewhere(request, row.call.turn.conversation, f"#call-{row.call.tool_use_id}")

    def panels(self, request: HttpRequest, row: Approval) -> Iterator[Panel]:
        """What the model asked for, and what it was changed to."""
        yield Panel("Arguments", folded(row.call.input, address(row.call, "file", "input")))
        if row.input is not None:
            yield Panel("Changed arguments", folded(row.input, address(row, "file", "input")))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Its page, with the decision for those who may make it."""
        row: Any = kwargs.get("obj")
        is_open = row and row.status == Approval.Status.PENDING
        context["decide"] = address(row, "decide") if is_open and _may_decide(request) else ""
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """The pages of all lists, and the decision."""
        view = self.admin_site.admin_view(self.decide)
        return [path("<uuid:pk>/decide/", view, name="conversations_approval_decide"), *super().get_urls()]

    def decide(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Approves or denies a waiting call, as the page's own buttons do; raises PermissionDenied for who may not."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not _may_decide(request):
            raise PermissionDenied
        row, answer = self.get_object(request, str(pk)), ANSWERS.get(request.POST.get("decision", ""))
        if row is None or answer is None:
            raise Http404
        payload = {"approved": answer, "reason": request.POST.get("reason", "")}
        entry = {"interruptId": row.call.tool_use_id, "status": "resolved", "payload": payload}
        _resume(request, row, entry)
        return redirect(address(row))


def _may_decide(request: HttpRequest) -> bool:
    return request.user.has_perm(DECIDE)


def _resume(request: HttpRequest, row: Approval, entry: dict[str, Any]) -> None:
    user: User = request.user  # type: ignore[assignment]  # the admin lets nobody else in
    try:
        engine.resume(row.call.turn.conversation, user, [entry])
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "Approved." if entry["payload"]["approved"] else "Denied.")
