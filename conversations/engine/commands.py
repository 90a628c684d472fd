"""What a person may do: ask, stop, decide, ask again, change or take back a message, show a branch, run a call again.

All raise Refused, with a sentence, for what cannot be.
"""

import json
import uuid
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from conversations.errors import Refused
from conversations.models import Conversation, Message, ToolCall, Tree, Turn
from conversations.protocol.converse.content import plain_text
from conversations.protocol.text import clean_text
from conversations.tools import registry

from . import approvals, lifecycle, notices
from .lifecycle import Admit, lock
from .messages import LONGEST_TEXT, Accepted, Again, NewMessage, canonical, checked
from .worker import WORKER

if TYPE_CHECKING:
    from django.contrib.auth.models import User

OPEN = "Wait for the answer to end, or stop it first."
SHOWN_ARGUMENTS = 2_000


def start(  # noqa: PLR0913 (what a message is, and who may send it)
    conversation: UUID,
    message_id: object,
    text: object,
    *,
    model: str | None = None,
    again: Again | None = None,
    admit: Admit | None = None,
) -> Accepted:
    """Takes a user's message; its turn runs as soon as none runs before it. The same id again changes nothing.

    `admit` is called with the conversation and raises where its sender may not write in it. Raises Refused for an id that is no UUID and a
    text that is blank or too long, Throttled over the user's limits, NotFound.
    """
    message = NewMessage(canonical(message_id), checked(text), model, again)
    accepted = lifecycle.accept(conversation, message, at_once=WORKER.has_room, admit=admit)
    if accepted.new and accepted.queued:
        notices.queue_changed(conversation)
        WORKER.queued(conversation)
    elif accepted.new:
        WORKER.begin(accepted.turn, opening=accepted.opening)
    return accepted


def stop(conversation: UUID, turn: UUID | None = None) -> bool:
    """Stops the conversation's active turn, whichever process runs it; whether there was one.

    With `turn`, which `stop_here` has stopped, it stores that this was wanted, and stops no other that has begun meanwhile.
    """
    here = WORKER.stop(conversation) if turn is None else turn  # first: no database holds up a stop
    active = Turn.objects.filter(conversation=conversation, status__in=Turn.ACTIVE)
    active = active.filter(pk=turn) if turn else active
    if not active.exists():
        return here is not None
    if lifecycle.stop(conversation, turn):
        WORKER.queued(conversation)
    return True


def stop_here(conversation: UUID) -> UUID | None:
    """Stops the conversation's turn if this process runs it, without waiting for anything; returns its id."""
    return WORKER.stop(conversation)


def resume(conversation: Conversation, user: "User", entries: object) -> None:
    """Takes decisions about waiting calls, as an AG-UI `resume`; the turn goes on when all of them are decided."""
    if lifecycle.decide(conversation, user, entries):
        WORKER.queued(conversation.pk)
    else:
        notices.announce(conversation, "decided")


def regenerate(
    conversation: Conversation, message_id: object = None, *, message: object = None, model: object = None
) -> Accepted:
    """Asks the newest user message again, or the one named: a sibling of its turn, with another model if one is named."""
    if model is not None and model not in settings.GATEWAY_MODELS:
        raise Refused("This model is not offered.")
    _refuse_while_open(conversation)
    asked = _question(conversation, message)
    made = asked.turn.rerun if "call" in asked.turn.rerun else {}
    return start(
        conversation.pk,
        str(uuid.uuid4()) if message_id is None else message_id,
        plain_text(asked.content),
        model=model if isinstance(model, str) else None,
        again=Again(answers=made, beside=asked.turn),
    )


def edit(conversation: Conversation, message: object, message_id: object, text: object) -> None:
    """Asks something else in the place of an earlier message: a sibling of its turn. One that is still queued is changed where it is."""
    if lifecycle.change_queued(conversation, canonical(message), canonical(message_id), checked(text)):
        notices.queue_changed(conversation.pk)
    else:
        beside = _question(conversation, message).turn
        start(conversation.pk, message_id, text, again=Again(beside=beside))


def withdraw(conversation: Conversation, message: object) -> None:
    """Takes a queued message back, as if it had never been sent."""
    lifecycle.withdraw(conversation, canonical(message))
    notices.queue_changed(conversation.pk)


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
    notices.announce(row, "branch")


def run_again(
    conversation: Conversation, call: object, message_id: object, arguments: object = None
) -> Accepted:
    """Runs a tool call of the conversation once more, with other arguments if they are given: a turn that is nothing but this call."""
    past = ToolCall.objects.filter(conversation=conversation, tool_use_id=str(call)[:64]).first()
    if past is None:
        raise Refused("There is no such call here.")
    given = _arguments(past, arguments)
    changed = (
        f" with {json.dumps(given, ensure_ascii=False)[:SHOWN_ARGUMENTS]}" if arguments is not None else ""
    )
    made = {"rounds": "person", "call": {"name": past.name, "input": given}}
    return start(conversation.pk, message_id, f"Run {past.name} again{changed}.", again=Again(answers=made))


def _arguments(past: ToolCall, changed: object) -> dict[str, Any]:
    """Those that were given, or those that the call ran with."""
    if registry.get(past.name) is None:
        raise Refused(f"There is no tool named {past.name} any more.")
    if changed is not None:
        return approvals.checked_arguments(past.name, changed)
    edited = approvals.by_call([past]).get(past.pk)
    given = edited.input if edited and edited.input is not None else past.input
    if not isinstance(given, dict):
        raise Refused("Arguments are a JSON object.")
    return given


def keep_draft(conversation: Conversation, text: object) -> None:
    """Keeps what is being written, for the user's other tabs and devices."""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise Refused(f"A draft is a text of at most {LONGEST_TEXT:,} characters.")
    conversation.draft = clean_text(text)
    Conversation.objects.filter(pk=conversation.pk).update(draft=conversation.draft)
    notices.announce(conversation, "draft")


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
