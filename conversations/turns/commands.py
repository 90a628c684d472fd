"""What a person may ask for beside a message: an answer again, a message changed or taken back, a branch, a call decided or run again.

Each is one transaction with the conversation's row held; all raise Refused, with a sentence, for what cannot be.
"""

import json
import uuid
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from conversations.errors import Refused
from conversations.live import HUB
from conversations.models import Conversation, Message, ToolCall, Tree, Turn
from conversations.protocol import events
from conversations.protocol.content import plain_text
from conversations.protocol.content import text as text_block
from conversations.protocol.text import clean_text
from conversations.tools import registry

from . import approvals
from .beginning import take_up
from .running import run_in_thread
from .service import start
from .starting import LONGEST_TEXT, Again, Started, canonical, checked, lock, tell_queue
from .stopping import DRAINING
from .stopping import stop as stop_running

if TYPE_CHECKING:
    from django.contrib.auth.models import User

OPEN = "Wait for the answer to end, or stop it first."
SHOWN_ARGUMENTS = 2_000


def stop(conversation: UUID) -> bool:
    """Stops the conversation's running turn, whichever process runs it, or the one that waits for approvals; whether there was one."""
    turn = approvals.withdraw(conversation)
    if turn is None:
        return stop_running(conversation)
    _go_on(turn)
    return True


def resume(conversation: Conversation, user: "User", entries: object) -> None:
    """Takes decisions about waiting calls in, as an AG-UI `resume`; the turn goes on when all of them are decided."""
    turn = approvals.decide(conversation, user, entries)
    if turn is not None:
        _go_on(turn)
    else:
        HUB.notify(conversation.pk, events.custom("decided", {"interrupts": approvals.decided(conversation)}))


def _go_on(turn: Turn) -> None:
    if not DRAINING.is_set():  # else whoever sweeps next takes it up
        run_in_thread(turn, take_up)


def regenerate(
    conversation: Conversation, message_id: object = None, *, message: object = None, model: object = None
) -> Started:
    """Asks the newest user message again, or the one named: a sibling of its turn, with another model if one is named."""
    if model is not None and model not in settings.GATEWAY_MODELS:
        raise Refused("This model is not offered.")
    _refuse_while_open(conversation)
    asked = _question(conversation, message)
    made = asked.turn.rerun if "call" in asked.turn.rerun else {}
    return start(
        conversation,
        str(uuid.uuid4()) if message_id is None else message_id,
        plain_text(asked.content),
        model=model if isinstance(model, str) else None,
        again=Again(answers=made, beside=asked.turn),
    )


def edit(conversation: Conversation, message: object, message_id: object, text: object) -> None:
    """Asks something else in the place of an earlier message: a sibling of its turn. One that is still queued is changed where it is."""
    if _change_queued(conversation, message, canonical(message_id), checked(text)):
        tell_queue(conversation.pk)
    else:
        beside = _question(conversation, message).turn
        start(conversation, message_id, text, again=Again(beside=beside))


def _change_queued(conversation: Conversation, message: object, message_id: UUID, text: str) -> bool:
    """Whether that was it: the message was queued, or this very change has been made before."""
    with transaction.atomic():
        lock(conversation.pk)
        if _messages(conversation).filter(public_id=message_id).exists():
            return True
        waiting = _messages(conversation).filter(
            public_id=canonical(message), turn__status=Turn.Status.QUEUED
        )
        changed: int = waiting.update(public_id=message_id, content=[text_block(text)])
        return changed > 0


def withdraw(conversation: Conversation, message: object) -> None:
    """Takes a queued message back, as if it had never been sent."""
    with transaction.atomic():
        row = lock(conversation.pk)
        asked = _messages(row).filter(public_id=canonical(message), turn__status=Turn.Status.QUEUED).first()
        if asked is None:
            raise Refused("This message does not wait any more.")
        turn = asked.turn
        Turn.objects.filter(parent=turn).update(parent=turn.parent_id)
        if row.head_id == turn.pk:
            Conversation.objects.filter(pk=row.pk).update(head=turn.parent_id)
        turn.delete()
        for later in row.turns.filter(number__gt=turn.number).order_by("number"):  # numbers have no gaps
            row.turns.filter(pk=later.pk).update(number=F("number") - 1)
    tell_queue(conversation.pk)


def show_branch(conversation: Conversation, turn: object) -> None:
    """Makes the branch that a turn is on the shown one, to its newest end: what is asked next follows on there."""
    with transaction.atomic():
        row = lock(conversation.pk)
        _refuse_while_open(row)
        tree = Tree.of(row.pk)
        known = UUID(turn) if isinstance(turn, str) and turn in map(str, tree.nodes) else turn
        if not isinstance(known, UUID) or known not in tree.nodes:
            raise Refused("There is no such turn here.")
        row.head_id = tree.end(known)
        row.save(update_fields=["head"])
    HUB.notify(conversation.pk, events.custom("branch", {"turn": str(row.head_id)}))


def run_again(
    conversation: Conversation, call: object, message_id: object, arguments: object = None
) -> Started:
    """Runs a tool call of the conversation once more, with other arguments if they are given: a turn that is nothing but this call."""
    past = ToolCall.objects.filter(conversation=conversation, tool_use_id=str(call)[:64]).first()
    if past is None:
        raise Refused("There is no such call here.")
    given = _arguments(past, arguments)
    changed = (
        f" with {json.dumps(given, ensure_ascii=False)[:SHOWN_ARGUMENTS]}" if arguments is not None else ""
    )
    made = {"rounds": "person", "call": {"name": past.name, "input": given}}
    return start(conversation, message_id, f"Run {past.name} again{changed}.", again=Again(answers=made))


def _arguments(past: ToolCall, changed: object) -> dict[str, Any]:
    """Those that were given, or those that the call ran with."""
    if registry.get(past.name) is None:
        raise Refused(f"There is no tool named {past.name} any more.")
    if changed is not None:
        return approvals.checked_arguments(past.name, changed)
    edited = approvals.of([past]).get(past.pk)
    given = edited.input if edited and edited.input is not None else past.input
    if not isinstance(given, dict):
        raise Refused("Arguments are a JSON object.")
    return given


def keep_draft(conversation: Conversation, text: object) -> None:
    """Keeps what is being written, for the user's other tabs and devices."""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise Refused(f"A draft is a text of at most {LONGEST_TEXT:,} characters.")
    draft = clean_text(text)
    Conversation.objects.filter(pk=conversation.pk).update(draft=draft)
    HUB.notify(conversation.pk, events.custom("draft", {"text": draft}))


def _messages(conversation: Conversation) -> Any:
    return Message.objects.filter(conversation=conversation, role=Message.Role.USER).select_related(
        "turn__parent"
    )


def _question(conversation: Conversation, message: object) -> Message:
    """A user's message, the newest of the shown branch if none is named."""
    if message is None:
        shown = Tree.of(conversation.pk).shown()
        found = _messages(conversation).filter(turn__in=shown[-1:]).first()
    else:
        found = _messages(conversation).filter(public_id=canonical(message)).first()
    if found is None:
        raise Refused("There is no such message here.")
    asked: Message = found
    return asked


def _refuse_while_open(conversation: Conversation) -> None:
    if conversation.turns.filter(status__in=Turn.OPEN).exists():
        raise Refused(OPEN)
