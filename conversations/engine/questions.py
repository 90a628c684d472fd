"""Questions that running calls ask a person: stored as approvals, answered like them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from conversations.conf import settings
from conversations.errors import Refused
from conversations.journal import this_process
from conversations.mcp import faults_in
from conversations.models import Approval, ToolCall, Turn
from conversations.protocol.agui import interrupts
from conversations.protocol.agui.events import Event
from conversations.protocol.text import clean_json
from conversations.tools import Question, Reply

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = Approval.Status

HOLD, HOLD_STOPPED = timedelta(seconds=3), timedelta(seconds=1)
"""How long only the process with a turn's calls may go on with it; less if it is to be stopped."""

WORDS = {Status.APPROVED: "answered", Status.DENIED: "declined"}
NO_ANSWER = "An answer is a JSON object with the fields that were asked for."


def expiry() -> datetime | None:
    """When what a person is asked now expires."""
    timeout = timedelta(seconds=settings.APPROVAL_TIMEOUT)
    return timezone.now() + timeout if timeout else None


def ask(questions: Mapping[ToolCall, Question]) -> None:
    """Stores the questions of calls that wait in this process."""
    stored = Approval.objects.in_bulk([row.pk for row in questions])
    for row, question in questions.items():
        approval = stored.get(row.pk) or Approval(call=row)
        approval.question = {"message": question.message, "schema": question.schema}
        approval.status, approval.answer, approval.allowance = Status.PENDING, None, None
        approval.decided_at = approval.decided_by = None
        approval.asked, approval.holder = approval.asked + 1, this_process()
        approval.requested_at, approval.expires_at = timezone.now(), expiry()
        approval.reason = ""
        approval.save()


def answer(approval: Approval, user: "User", entry: dict[str, Any]) -> None:
    """Stores a person's answer; raises Refused for one that does not fit what was asked."""
    payload = entry.get("payload")
    if entry.get("status") == "cancelled":
        approval.status = Status.DENIED
    elif entry.get("status") != "resolved" or not isinstance(payload, dict):
        raise Refused(NO_ANSWER)
    else:
        approval.answer = clean_json(payload)
        if faults := faults_in(approval.question["schema"], approval.answer):
            raise Refused("\n".join(["The answer does not fit:", *faults]))
        approval.status = Status.APPROVED
    approval.decided_by, approval.decided_at = user, timezone.now()
    approval.save()


def value_of(text: str, schema: Mapping[str, Any]) -> Any:
    """A typed text as a value of the type in a field's schema; the text itself where it is none."""
    match schema.get("type"):
        case "boolean":
            return {"true": True, "yes": True, "on": True, "false": False, "no": False}.get(
                text.lower(), text
            )
        case "integer" | "number":
            try:
                return int(text) if text.strip().lstrip("+-").isdecimal() else float(text)
            except ValueError:
                return text
    return text


def reply(approval: Approval) -> Reply:
    """The answer as the call's server gets it. A question that nobody answered is cancelled."""
    match approval.status:
        case Status.APPROVED:
            return Reply("accept", approval.answer)
        case Status.DENIED:
            return Reply("decline")
    return Reply("cancel")


def answer_event(approval: Approval, by: str, detail: dict[str, Any]) -> Event:
    """The event that records an answer."""
    status = WORDS.get(Status(approval.status), approval.status)
    texts = {"question": approval.question["message"], "answer": approval.answer}
    return interrupts.decision(approval.call.tool_use_id, status, by, detail | texts)


def leave_to_holder(turn: Turn) -> None:
    """Briefly leases a turn that goes on to the process where its calls wait, if there is one."""
    rows = Approval.objects.filter(call__turn=turn, call__result=None, holder__isnull=False)
    turn.lease_token = rows.values_list("holder", flat=True).first()
    if turn.lease_token is not None:
        turn.lease_until = timezone.now() + (HOLD_STOPPED if turn.stop_requested_at else HOLD)
