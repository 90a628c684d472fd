"""Tool calls that a person has to let through: the approvals that a round needs, and what a decision says and does."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from conversations.errors import Refused
from conversations.models import Allowance, Approval, Conversation, ToolCall, Turn
from conversations.protocol.agui import interrupts as asking
from conversations.protocol.agui.events import Event
from conversations.protocol.text import clean_json, clean_text
from conversations.tools import InvalidInput, registry

from . import synthetic

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = Approval.Status
Entry = dict[str, Any]

NOBODY = "Not run: nobody decided about it in time."
DENIED = "Not run: the user denied it."
WITHDRAWN = "Not run: the turn was stopped before anybody had decided."
CHANGED = "The user changed the arguments before it ran: "
LONGEST_REASON = 2_000
GONE = "This call does not wait for a decision any more."


def requested(turn: Turn, calls: Iterable[ToolCall]) -> list[Approval]:
    """The approvals that a round's calls need, not stored yet: pending, or given by a standing permission."""
    asking = [call for call in calls if needs_approval(call)]
    answered = synthetic.answers(turn, asking) if asking else {}
    asking = [call for call in asking if call not in answered]
    if turn.rerun.get("rounds") == "person":
        return [_approved(turn, call) for call in asking]  # whoever asks for the very call lets it through
    allowed = _allowances(turn, asking)
    return [_approval(turn, call, allowed.get(_key(call))) for call in asking]


def needs_approval(call: ToolCall) -> bool:
    """Whether its tool wants one; input that is no object is refused anyhow."""
    tool = registry.get(call.name)
    return call.result is None and tool is not None and tool.approval and call.input is not None


def _key(call: ToolCall) -> str:
    return Allowance.key_of(call.name, call.input)


def _allowances(turn: Turn, calls: Iterable[ToolCall]) -> dict[str, Allowance]:
    keys = [_key(call) for call in calls]
    standing = Allowance.objects.filter(user=turn.user_id, key__in=keys, revoked_at=None) if keys else ()
    return {allowance.key: allowance for allowance in standing}


def _approval(turn: Turn, call: ToolCall, allowance: Allowance | None) -> Approval:
    if allowance:
        return _approved(turn, call, allowance)
    lasts = timedelta(seconds=settings.APPROVAL_TIMEOUT)
    return Approval(call=call, expires_at=timezone.now() + lasts if lasts else None)


def _approved(turn: Turn, call: ToolCall, allowance: Allowance | None = None) -> Approval:
    return Approval(
        call=call,
        status=Status.APPROVED,
        decided_at=timezone.now(),
        decided_by=turn.user,
        allowance=allowance,
    )


def interrupts(turn: Turn) -> list[dict[str, Any]]:
    """What a turn that waits asks for, call by call."""
    return [
        asking.interrupt(
            each.call.tool_use_id, each.call.name, each.expires_at.isoformat() if each.expires_at else None
        )
        for each in _of(turn).filter(status=Status.PENDING)
    ]


def decisions(turn: Turn) -> list[Event]:
    """The decisions about the calls of a turn that goes on, as events, but for those that are in the record already."""
    made = _of(turn).filter(call__result=None, allowance=None).exclude(status=Status.PENDING)
    return [decision(each) for each in made]


def _of(turn: Turn) -> Any:
    found = Approval.objects.filter(call__turn=turn).select_related("call", "decided_by")
    return found.order_by("call__round", "call__position")


def decision(approval: Approval) -> Event:
    """A decision, as the record tells of it."""
    by = approval.decided_by.get_username() if approval.decided_by else ""
    standing = approval.allowance_id is not None
    detail = {"reason": approval.reason, "editedArgs": approval.input, "standing": standing}
    return asking.decision(approval.call.tool_use_id, approval.status, by, detail)


# -- decisions


def decided(conversation: Conversation) -> list[str]:
    """The calls of the waiting turn that are decided already, while others still wait."""
    waiting = Approval.objects.filter(
        call__turn__conversation=conversation, call__turn__status=Turn.Status.WAITING, call__result=None
    )
    done = waiting.filter(allowance=None).exclude(status=Status.PENDING)
    return list(done.values_list("call__tool_use_id", flat=True))


def decide(approval: Approval, user: "User", entry: Entry) -> None:
    """Stores a person's decision about one call; raises Refused for an entry that says none."""
    payload = entry.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    is_approved = entry.get("status") == "resolved" and payload.get("approved") is True
    if not is_approved and not (entry.get("status") == "cancelled" or payload.get("approved") is False):
        raise Refused("An answer says whether the call is approved.")
    approval.decided_by, approval.decided_at = user, timezone.now()
    if is_approved:
        approval.status, approval.input = Status.APPROVED, _edited(approval.call, payload.get("editedArgs"))
        _remember(approval, user, always=payload.get("always") is True)
    else:
        approval.status, approval.reason = Status.DENIED, _reason(payload.get("reason"))
    approval.save()


def _edited(call: ToolCall, given: object) -> dict[str, Any] | None:
    """The arguments if they were changed; raises Refused for such as the tool does not take."""
    cleaned = None if given is None else checked_arguments(call.name, given)
    return None if cleaned == call.input else cleaned


def checked_arguments(tool: str, given: object) -> dict[str, Any]:
    """Arguments that a person has written, clean; raises Refused for such as the tool does not take."""
    if not isinstance(given, dict):
        raise Refused("Arguments are a JSON object.")
    asked = registry.get(tool)
    try:
        if asked is not None:
            asked.arguments.validate(given)
    except InvalidInput as error:
        raise Refused(str(error)) from error
    cleaned: dict[str, Any] = clean_json(given)
    return cleaned


def _remember(approval: Approval, user: "User", *, always: bool) -> None:
    """Makes it a standing permission for these arguments, of the turn's user alone: staff decide single calls."""
    if not always or user.pk != approval.call.turn.user_id:
        return
    given = approval.call.input if approval.input is None else approval.input
    key = Allowance.key_of(approval.call.name, given)
    Allowance.objects.get_or_create(
        user=user, key=key, revoked_at=None, defaults={"tool": approval.call.name, "input": given}
    )


def _reason(given: object) -> str:
    return clean_text(given.strip())[:LONGEST_REASON] if isinstance(given, str) else ""


# -- what comes of them


REFUSALS: dict[str, tuple[str, str]] = {
    Status.DENIED: ("denied", DENIED),
    Status.EXPIRED: ("expired", NOBODY),
    Status.WITHDRAWN: ("stopped", WITHDRAWN),
    Status.PENDING: ("denied", DENIED),
}


def refusal(approval: Approval) -> tuple[str, str] | None:
    """Why the call is not run, as a word and as a sentence for the model; None if it may."""
    if approval.status == Status.APPROVED:
        return None
    error, why = REFUSALS[approval.status]
    return error, f"{why} The reason: {approval.reason}" if approval.reason else why


def by_call(rows: Sequence[ToolCall]) -> dict[Any, Approval]:
    """The approvals of the calls that have one, by the call's key."""
    return {each.pk: each for each in Approval.objects.filter(call__in=rows)}
