"""The page of calls that wait for the user's approval, each with the form of a decision."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from conversations import engine
from conversations.errors import Refused
from conversations.models import Approval, Conversation, marks
from conversations.protocol.text import clean_text, visible

from .access import SignedIn, as_uuid
from .cards import draw
from .questions import Field, fields_of, payload_of

MOST = 100
"""Calls on the page: those that have waited longest."""

NEITHER = "Choose Approve or Deny."
ANSWERS = {"approve": True, "deny": False}
WORDS = {True: "is approved", False: "is denied"}
REPLIES = {True: "has its answer", False: "is told that you decline"}
ASKS = "It asks you something."


@dataclass
class Waiting:
    """A call that waits, and the fields of its form if it was sent and refused."""

    approval: Approval
    arguments: str
    form: dict[str, str] = field(default_factory=dict)
    card: str = ""
    fields: list[Field] = field(default_factory=list)
    """The fields of a running call's question."""

    @property
    def question(self) -> str:
        """The question of a running call; blank for a call that waits to run."""
        return visible(self.approval.question["message"] or ASKS) if self.approval.question else ""

    @property
    def prefix(self) -> str:
        """The beginning of the ids of its fields."""
        return f"{self.approval.pk}-"

    @property
    def name(self) -> str:
        """The tool's name, with characters that cannot be seen made visible."""
        return visible(self.approval.call.name)

    @property
    def readable(self) -> str:
        """The arguments, with characters that cannot be seen made visible."""
        return visible(self.arguments)

    @property
    def permits_any_arguments(self) -> bool:
        """Whether a standing permission for the tool may be for any arguments."""
        return engine.permits_any_arguments(self.approval.call.name)

    @property
    def edited(self) -> str:
        """The arguments as they stand in the form."""
        return self.form.get("arguments", self.arguments)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def waiting(request: SignedIn) -> HttpResponse:
    """The calls that wait for the user. A POST decides one; 400 if it is wrong, 409 if it is late."""
    if request.method != "POST":
        return _page(request)
    form = {name: str(value).replace("\r\n", "\n") for name, value in request.POST.items()}
    approval = _approval(request, form.get("call", ""))
    if approval is None:
        return _page(request, engine.DECIDED_ALREADY, status=409)
    try:
        answer = _decide(request, approval, form)
    except Refused as refused:
        return _page(request, str(refused), form, status=400)
    words = REPLIES if approval.question else WORDS
    messages.success(request, f"{visible(approval.call.name)} {words[answer]}.")
    return redirect("conversations:waiting")


def _approval(request: SignedIn, call: str) -> Approval | None:
    rows = marks.pending(request.user.pk).filter(call=as_uuid(call))
    return rows.select_related("call__conversation").first()


def _decide(request: SignedIn, approval: Approval, form: dict[str, str]) -> bool:
    """Decides as the form says, and returns whether the call may run; raises Refused."""
    if approval.question:
        return _answer(request, approval, form)
    answer = ANSWERS.get(form.get("decision", ""))
    if answer is None:
        raise Refused(NEITHER)
    always = "tool" if form.get("always") == "tool" else "always" in form
    payload = {"approved": answer, "reason": form.get("reason", ""), "always": always}
    if answer and form.get("arguments", "").strip() not in ("", arguments_of(approval)):
        payload["editedArgs"] = _parsed(form["arguments"])
    entry = {"interruptId": approval.call.tool_use_id, "status": "resolved", "payload": payload}
    engine.resume(approval.call.conversation, request.user, [entry])
    return answer


def _answer(request: SignedIn, approval: Approval, form: dict[str, str]) -> bool:
    """Answers or declines a running call's question; returns which. Raises Refused for a wrong answer."""
    if form.get("asked") != str(approval.asked):
        raise Refused(engine.DECIDED_ALREADY)
    entry: dict[str, object] = {"interruptId": approval.interrupt_id, "status": "cancelled"}
    is_answered = form.get("decision") == "answer"
    if is_answered:
        payload = payload_of(approval.question["schema"], request.POST)
        entry |= {"status": "resolved", "payload": payload}
    engine.resume(approval.call.conversation, request.user, [entry])
    return is_answered


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        place = (
            f": line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise Refused(f"The arguments are not JSON{place}.") from None


def _page(
    request: SignedIn, problem: str = "", form: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    rows = marks.pending(request.user.pk).select_related("call__conversation")
    if conversation := as_uuid(request.GET.get("conversation", "")):
        rows = rows.filter(call__conversation=conversation)
    rows = rows.order_by("requested_at", "call__conversation", "call__position")
    approvals = list(rows[: MOST + 1])
    context = {
        "groups": _groups(request, approvals[:MOST], form or {}),
        "is_cut": len(approvals) > MOST,
        "most": MOST,
        "problem": problem,
    }
    return render(request, "conversations/waiting.html", context, status=status)


def _groups(
    request: SignedIn, approvals: Iterable[Approval], form: dict[str, str]
) -> list[tuple[Conversation, str, list[Waiting]]]:
    """The calls by conversation, each with its visible title."""
    groups = []
    for _, members in groupby(approvals, key=lambda approval: approval.call.conversation_id):
        calls = [_waiting(request, approval, form) for approval in members]
        conversation = calls[0].approval.call.conversation
        groups.append((conversation, visible(conversation.title), calls))
    return groups


def _waiting(request: SignedIn, approval: Approval, form: dict[str, str]) -> Waiting:
    is_of_form = form.get("call") == str(approval.pk)
    if approval.question:
        fields = fields_of(approval.question["schema"], request.POST if is_of_form else None)
        return Waiting(approval, arguments_of(approval), fields=list(fields))
    card = mark_safe(draw(request, approval.call.conversation, approval.call))  # noqa: S308 (a template's)
    return Waiting(approval, arguments_of(approval), form if is_of_form else {}, card)


def arguments_of(approval: Approval) -> str:
    """The call's arguments as indented JSON."""
    return clean_text(json.dumps(approval.call.input, ensure_ascii=False, indent=2))
