"""Approvals of tool calls, and the form of a decision about one that is pending."""

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

from .lists import Choice, UserFilter, by, distinct
from .markup import json_html
from .pages import Panel, ReadOnlyAdmin, address, link, page_links, status, time_column

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
        """The calls with this decision."""
        return queryset.filter(approval__status=self.value()) if self.value() else queryset


class DeciderFilter(UserFilter):
    """A filter by who decided, with the first fifty users who have."""

    column, title, parameter_name = "decided_by", "decided by", "by"

    def options(self, model: Any) -> list[Choice]:
        """The users' names."""
        users = get_user_model()._default_manager.in_bulk(distinct(Approval, "decided_by_id"))
        return sorted(((str(pk), str(user)) for pk, user in users.items()), key=lambda choice: choice[1])


def decision(call: ToolCall) -> SafeString | str:
    """The decision about a call, as a link to its approval."""
    approval: Approval | None = getattr(call, "approval", None)
    return link(approval, status(approval.status)) if approval else "-"


def approval_panel(call: ToolCall) -> Iterator[Panel]:
    """The decision about a call: by whom, when and why, and the changed arguments."""
    approval = Approval.objects.select_related("decided_by", "allowance").filter(call=call).first()
    if approval is None:
        return
    facts = {"Decision": decision(call), "By": approval.decider or "nobody"}
    facts |= {name.title(): time(None, approval) for name, time in ApprovalAdmin.TIMES.items()}
    facts |= {"Reason": approval.reason} if approval.reason else {}
    facts |= {"Always": approval.get_always_display()} if approval.always else {}
    facts |= {"Standing permission": link(approval.allowance)} if approval.allowance else {}
    rows = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', facts.items())
    yield Panel("Approval", format_html("<table>{}</table>", rows))
    if approval.input is not None:
        yield Panel("Changed arguments", json_html(approval.input, address(approval, "file", "input")))


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    """Approvals."""

    TIMES: ClassVar = {
        "asked": time_column("requested_at", "asked"),
        "expires": time_column("expires_at", "expires"),
        "decided": time_column("decided_at", "decided"),
    }
    requested, expires, decided = TIMES.values()
    list_display = (
        "tool",
        "its_status",
        "decider",
        "requested",
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
        "its_call", "its_status", "its_decider", "requested", "expires", "decided", "reason", "always", "its_allowance", "user",
        "its_conversation",
    )  # fmt: skip
    raw: ClassVar = {
        "input": lambda row: json.dumps(row.input),
        "question": lambda row: json.dumps(row.question),
        "answer": lambda row: json.dumps(row.answer),
    }

    @admin.display(description="tool")
    def tool(self, row: Approval) -> str:
        """The tool that was to be called."""
        return row.call.name

    @admin.display(description="status")
    def its_status(self, row: Approval) -> SafeString:
        """The decision."""
        return status(row.status)

    @admin.display(description="decided by")
    def its_decider(self, row: Approval) -> str:
        """Who decided."""
        return row.decider or "-"

    @admin.display(description="user")
    def user(self, row: Approval) -> str:
        """The user of the turn."""
        return str(row.call.turn.user)

    @admin.display(description="conversation")
    def its_conversation(self, row: Approval) -> SafeString | str:
        """Its conversation."""
        return link(row.call.turn.conversation)

    @admin.display(description="tool call")
    def its_call(self, row: Approval) -> SafeString | str:
        """The call itself."""
        return link(row.call)

    @admin.display(description="standing permission")
    def its_allowance(self, row: Approval) -> SafeString | str:
        """The standing permission that let it through."""
        return link(row.allowance)

    def trail(self, request: HttpRequest, row: Approval) -> Iterator[SafeString | str]:
        """Conversation, turn and call, and the call played back."""
        yield link(row.call.turn.conversation)
        yield link(row.call.turn)
        yield link(row.call)
        yield from page_links(request, row.call.turn.conversation, f"#call-{row.call.tool_use_id}")

    def panels(self, request: HttpRequest, row: Approval) -> Iterator[Panel]:
        """The arguments, as the model wrote them and as a person changed them."""
        yield Panel("Arguments", json_html(row.call.input, address(row.call, "file", "input")))
        if row.input is not None:
            yield Panel("Changed arguments", json_html(row.input, address(row, "file", "input")))
        if row.question is not None:
            yield Panel("What it asked", json_html(row.question, address(row, "file", "question")))
        if row.answer is not None:
            yield Panel("Answer", json_html(row.answer, address(row, "file", "answer")))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Its page, with the form of a decision for those who may make one."""
        row: Any = kwargs.get("obj")
        is_open = row and row.status == Approval.Status.PENDING and row.question is None
        context["decide"] = address(row, "decide") if is_open and _may_decide(request) else ""
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """The pages of all lists, and the decision."""
        view = self.admin_site.admin_view(self.decide)
        return [path("<uuid:pk>/decide/", view, name="conversations_approval_decide"), *super().get_urls()]

    def decide(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Approves or denies a waiting call; raises PermissionDenied for a user who may not."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not _may_decide(request):
            raise PermissionDenied
        row, answer = self.get_object(request, str(pk)), ANSWERS.get(request.POST.get("decision", ""))
        if row is None or answer is None:
            raise Http404
        payload = {"approved": answer, "reason": request.POST.get("reason", "")}
        entry = {"interruptId": row.interrupt_id, "status": "resolved", "payload": payload}
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
