"""Approvals of tool calls: those that a round needs, decisions, and answers to refused calls."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone

from conversations.errors import Refused
from conversations.models import Allowance, Approval, Conversation, ToolCall, Turn
from conversations.protocol.agui import interrupts as agui_interrupts
from conversations.protocol.agui.events import Event
from conversations.protocol.text import clean_json, clean_text
from conversations.tools import InvalidInput, registry

from . import questions, synthetic

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = Approval.Status
Always = Approval.Always
Entry = dict[str, Any]

EXPIRED = "Not run: nobody decided about it in time."
DENIED = "Not run: the user denied it."
WITHDRAWN = "Not run: the turn was stopped before anybody had decided."
CHANGED = "The user changed the arguments before it ran: "
LONGEST_REASON = 2_000
DECIDED_ALREADY = "This call does not wait for a decision any more."
NOT_WHOLE = "This tool may be let through with the same arguments alone, not with any."


def for_calls(turn: Turn, calls: Iterable[ToolCall]) -> list[Approval]:
    """New approvals for the calls of a round that need one, not stored yet.

    They are pending, or approved already by a standing permission.
    """
    calls = [call for call in calls if needs_approval(call)]
    answers = synthetic.answers(turn, calls) if calls else {}
    calls = [call for call in calls if call not in answers]
    if turn.rerun.get("rounds") == "person":
        return [_approved(turn, call) for call in calls]  # whoever asks for the very call approves it
    allowances = _allowances(turn, calls)
    return [_approval(turn, call, _first(allowances, _keys(call))) for call in calls]


def needs_approval(call: ToolCall) -> bool:
    """Whether the call has to be approved. One whose input is no object fails without a question."""
    tool = registry.get(call.name)
    return call.result is None and tool is not None and tool.approval and call.input is not None


def _keys(call: ToolCall) -> list[str]:
    """The keys of the permissions that let a call through: for its arguments or, if allowed, for any."""
    either = (call.input, None) if permits_any_arguments(call.name) else (call.input,)
    return [Allowance.key_of(call.name, arguments) for arguments in either]


def permits_any_arguments(name: str) -> bool:
    """Whether a standing permission for the tool of this name may be for any arguments."""
    tool = registry.get(name)
    return tool is not None and tool.always == "tool"


def _first(allowances: dict[str, Allowance], keys: Iterable[str]) -> Allowance | None:
    return next((allowances[key] for key in keys if key in allowances), None)


def _allowances(turn: Turn, calls: Iterable[ToolCall]) -> dict[str, Allowance]:
    keys = [key for call in calls for key in _keys(call)]
    standing = Allowance.objects.filter(user=turn.user_id, key__in=keys, revoked_at=None) if keys else ()
    return {allowance.key: allowance for allowance in standing}


def _approval(turn: Turn, call: ToolCall, allowance: Allowance | None) -> Approval:
    if allowance:
        return _approved(turn, call, allowance)
    return Approval(call=call, expires_at=questions.expiry())


def _approved(turn: Turn, call: ToolCall, allowance: Allowance | None = None) -> Approval:
    return Approval(
        call=call,
        status=Status.APPROVED,
        decided_at=timezone.now(),
        decided_by=turn.user,
        allowance=allowance,
    )


def interrupts(turn: Turn) -> list[dict[str, Any]]:
    """The AG-UI interrupts of a turn that waits, one a call."""
    return [_interrupt(approval) for approval in _approvals_of(turn).filter(status=Status.PENDING)]


def _interrupt(approval: Approval) -> dict[str, Any]:
    expiry = approval.expires_at.isoformat() if approval.expires_at else None
    call = approval.call
    if approval.question is not None:
        return agui_interrupts.question(call.tool_use_id, approval.asked, approval.question, expiry)
    label = registry.label_of(call.name)
    return agui_interrupts.interrupt(
        call.tool_use_id, label, expiry, allows_whole_tool=permits_any_arguments(call.name)
    )


def decisions(turn: Turn) -> list[Event]:
    """The events of decisions about a turn's calls that are not in the record yet."""
    rows = _approvals_of(turn).filter(call__result=None, allowance=None).exclude(status=Status.PENDING)
    return [decision_event(approval) for approval in rows]


def _approvals_of(turn: Turn) -> QuerySet[Approval]:
    rows = Approval.objects.filter(call__turn=turn).select_related("call", "decided_by")
    return rows.order_by("call__round", "call__position")


def decision_event(approval: Approval) -> Event:
    """The event that records a decision."""
    by = approval.decided_by.get_username() if approval.decided_by else ""
    standing = approval.allowance_id is not None
    detail = {"reason": approval.reason, "editedArgs": approval.input, "standing": standing}
    if approval.question is not None:
        return questions.answer_event(approval, by, detail)
    return agui_interrupts.decision(approval.call.tool_use_id, approval.status, by, detail)


# -- decisions


def decided_interrupts(conversation: Conversation) -> list[str]:
    """The interrupt ids of the waiting turn that are decided while others still wait."""
    rows = Approval.objects.filter(
        call__turn__conversation=conversation, call__turn__status=Turn.Status.WAITING, call__result=None
    )
    rows = rows.filter(allowance=None).exclude(status=Status.PENDING).select_related("call")
    return [approval.interrupt_id for approval in rows]


def decide(approval: Approval, user: "User", entry: Entry) -> None:
    """Stores a person's decision about one call; raises Refused for an entry without one."""
    if approval.question is not None:
        questions.answer(approval, user, entry)
        return
    payload = entry.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    is_approved = entry.get("status") == "resolved" and payload.get("approved") is True
    if not is_approved and not (entry.get("status") == "cancelled" or payload.get("approved") is False):
        raise Refused("An answer says whether the call is approved.")
    approval.decided_by, approval.decided_at = user, timezone.now()
    if is_approved:
        approval.status = Status.APPROVED
        approval.input = _edited_arguments(approval.call, payload.get("editedArgs"))
        if user.pk == approval.call.turn.user_id:  # staff decide single calls
            approval.always = _always(approval.call.name, payload.get("always"))
        _allow(approval, user)
    else:
        approval.status, approval.reason = Status.DENIED, _reason(payload.get("reason"))
    approval.save()


def _edited_arguments(call: ToolCall, arguments: object) -> dict[str, Any] | None:
    """The arguments if a person changed them; raises Refused for those that the tool does not take."""
    valid = None if arguments is None else valid_arguments(call.name, arguments)
    return None if valid == call.input else valid


def valid_arguments(name: str, arguments: object) -> dict[str, Any]:
    """A person's arguments for the tool of this name; raises Refused for those that it does not take."""
    if not isinstance(arguments, dict):
        raise Refused("Arguments are a JSON object.")
    tool = registry.get(name)
    try:
        if tool is not None:
            tool.arguments.validate(arguments)
    except InvalidInput as error:
        raise Refused(str(error)) from error
    clean: dict[str, Any] = clean_json(arguments)
    return clean


def _always(tool: str, value: object) -> str:
    """The standing permission that a decision asks for; raises Refused if the tool does not allow it."""
    if value is True:
        return Always.ARGUMENTS
    if value != "tool":
        return ""
    if not permits_any_arguments(tool):
        raise Refused(NOT_WHOLE)
    return Always.TOOL


def _allow(approval: Approval, user: "User") -> None:
    """Stores the standing permission that the decision gives, if it gives one."""
    if not approval.always:
        return
    arguments = approval.call.input if approval.input is None else approval.input
    arguments = None if approval.always == Always.TOOL else arguments
    key = Allowance.key_of(approval.call.name, arguments)
    Allowance.objects.get_or_create(
        user=user, key=key, revoked_at=None, defaults={"tool": approval.call.name, "input": arguments}
    )


def _reason(value: object) -> str:
    return clean_text(value.strip())[:LONGEST_REASON] if isinstance(value, str) else ""


# -- refusals


REFUSALS: dict[str, tuple[str, str]] = {
    Status.DENIED: ("denied", DENIED),
    Status.EXPIRED: ("expired", EXPIRED),
    Status.WITHDRAWN: ("stopped", WITHDRAWN),
    Status.PENDING: ("denied", DENIED),
}


def refusal(approval: Approval) -> tuple[str, str] | None:
    """Why the call is not run, as an error code and as text for the model; None if it may run."""
    if approval.status == Status.APPROVED:
        return None
    error, text = REFUSALS[approval.status]
    return error, f"{text} The reason: {approval.reason}" if approval.reason else text


def by_call(rows: Sequence[ToolCall]) -> dict[Any, Approval]:
    """The approvals of the calls that have one, by the call's key."""
    return {approval.pk: approval for approval in Approval.objects.filter(call__in=rows)}
