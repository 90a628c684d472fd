"""What a person may do: send, stop, decide, regenerate, edit, withdraw, repeat, change settings.

All raise Refused, with a sentence for the person, for what cannot be.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from conversations.errors import Refused
from conversations.models import Conversation, Message, Model, ToolCall, Tree, Turn
from conversations.protocol.converse.content import plain_text
from conversations.protocol.text import beginning, clean_text
from conversations.tools import registry

from . import approvals, lifecycle, naming, notices, permissions, settings
from .files import ids_in
from .lifecycle import Admit, lock
from .messages import (
    LONGEST_TEXT,
    Accepted,
    NewMessage,
    Repetition,
    canonical,
    checked,
    checked_files,
)
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
    repetition: Repetition | None = None,
    admit: Admit | None = None,
    files: object = None,
    kept_files: Sequence[UUID] = (),
    run: str = "",
) -> Accepted:
    """Takes a user's message; its turn runs as soon as no other comes before it.

    The same id again changes nothing. `admit` is called with the conversation and raises where its sender may not write in it.
    `files` are the ids of attached files, or else `kept_files` those of a message that it repeats. Raises Refused for an id that is no
    UUID, a text that is too long or blank without files, and files that are not taken, Throttled over the user's limits, NotFound. With
    `run`, a program's name for the turn's run, it is never queued behind another turn: raises Busy.
    """
    ids = kept_files if files is None else checked_files(files)
    message = NewMessage(
        canonical(message_id), checked(text, ids), model, repetition, tuple(ids), is_model_free=files is None
    )
    accept = partial(naming.accept, name=run) if run else lifecycle.accept
    accepted = accept(conversation, message, at_once=WORKER.has_room, admit=admit)
    if accepted.new and accepted.queued:
        notices.queue_changed(conversation)
        WORKER.queued(conversation)
    elif accepted.new:
        WORKER.begin(accepted.turn, opening=accepted.opening)
    return accepted


def stop(conversation: UUID, turn: UUID | None = None) -> bool:
    """Stops the conversation's active turn, whichever process runs it; returns whether there was one.

    `turn` is what was named, or what `stop_here` has stopped: no other one that has begun meanwhile is stopped.
    """
    turn_here = WORKER.stop(conversation) if turn is None else turn  # first: no database holds up a stop
    active = Turn.objects.filter(conversation=conversation, status__in=Turn.ACTIVE)
    active = active.filter(pk=turn) if turn else active
    if not active.exists():
        return turn_here is not None
    if lifecycle.stop(conversation, turn):
        WORKER.queued(conversation)
    return True


def stop_here(conversation: UUID, turn: UUID | None = None) -> UUID | None:
    """Stops the conversation's turn, or `turn` alone, if this process runs it; returns its id.

    Waits for nothing.
    """
    return WORKER.stop(conversation, turn)


def resume(conversation: Conversation, user: "User", entries: object, *, run: str = "") -> None:
    """Takes decisions about waiting calls, the entries of an AG-UI `resume`.

    The turn goes on when all of its calls are decided; under `run`, a program's name for its further run, they are decided at once.
    """
    decide = partial(naming.decide, name=run) if run else lifecycle.decide
    if decide(conversation, user, entries):
        WORKER.queued(conversation.pk)
    else:
        notices.announce(conversation, "decided")


def regenerate(
    conversation: Conversation, message_id: object = None, *, message: object = None, model: object = None
) -> Accepted:
    """Asks the newest user message again, or the one named, in a turn beside its own.

    Another model answers if one is named.
    """
    if model is not None and not Model.is_offered(model):
        raise Refused("This model is not offered.")
    _refuse_while_open(conversation)
    question = _question(conversation, message)
    answers = question.turn.rerun if "call" in question.turn.rerun else {}
    return start(
        conversation.pk,
        str(uuid.uuid4()) if message_id is None else message_id,
        plain_text(question.content),
        model=model if isinstance(model, str) else None,
        repetition=Repetition(answers=answers, beside=question.turn),
        kept_files=ids_in(question.content),
    )


def edit(
    conversation: Conversation, message: object, message_id: object, text: object, files: object = None
) -> None:
    """Asks something else in the place of an earlier message, in a turn beside its own.

    A message that is still queued is changed where it is. Without `files`, ids of attached ones, it keeps its own.
    """
    if conversation.messages.filter(public_id=canonical(message_id)).exists():
        return  # the same change came before, and the message that it names may be gone
    question = _question(conversation, message)
    earlier = ids_in(question.content)
    ids = None if files is None else checked_files(files)
    words = checked(text, earlier if ids is None else ids)
    if lifecycle.change_queued(conversation, question.public_id, canonical(message_id), words, ids):
        notices.queue_changed(conversation.pk)
    else:
        start(
            conversation.pk,
            message_id,
            words,
            repetition=Repetition(beside=question.turn),
            files=files,
            kept_files=earlier,
        )


def withdraw(conversation: Conversation, message: object) -> None:
    """Takes a queued message back, as if it had never been sent."""
    lifecycle.withdraw(conversation, canonical(message))
    notices.queue_changed(conversation.pk)


def show_branch(conversation: Conversation, turn: object) -> None:
    """Shows the branch that a turn is on, to its newest end. The next message follows on there."""
    with transaction.atomic():
        row = lock(conversation.pk)
        _refuse_while_open(row)
        tree = Tree.of(row.pk)
        pk = UUID(turn) if isinstance(turn, str) and turn in map(str, tree.nodes) else turn
        if not isinstance(pk, UUID) or pk not in tree.nodes:
            raise Refused("There is no such turn here.")
        row.head_id = tree.end(pk)
        row.save(update_fields=["head"])
    notices.announce(row, "branch")


def run_again(
    conversation: Conversation, call: object, message_id: object, arguments: object = None
) -> Accepted:
    """Runs a tool call of the conversation again, with other arguments if there are any.

    The new turn is nothing but this call.
    """
    past = ToolCall.objects.filter(conversation=conversation, tool_use_id=str(call)[:64]).first()
    if past is None:
        raise Refused("There is no such call here.")
    if permissions.lacking(conversation.owner_id, [past.name]):
        raise Refused(f"You have no permission to use {past.name}.")
    call_input = _input(past, arguments)
    text = f"Run {past.name} again"
    if arguments is not None:
        text += f" with {beginning(json.dumps(call_input, ensure_ascii=False), SHOWN_ARGUMENTS)}"
    answers = {"rounds": "person", "call": {"name": past.name, "input": call_input}}
    return start(conversation.pk, message_id, f"{text}.", repetition=Repetition(answers=answers))


def _input(past: ToolCall, arguments: object) -> dict[str, Any]:
    """The new arguments, or else those that the call ran with."""
    if registry.get(past.name) is None:
        raise Refused(f"There is no tool named {past.name} any more.")
    if arguments is not None:
        return approvals.checked_arguments(past.name, arguments)
    approval = approvals.by_call([past]).get(past.pk)
    call_input = approval.input if approval and approval.input is not None else past.input
    if not isinstance(call_input, dict):
        raise Refused("Arguments are a JSON object.")
    return call_input


def keep_draft(conversation: Conversation, text: object) -> None:
    """Keeps what is being written, for the user's other tabs and devices."""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise Refused(f"A draft is a text of at most {LONGEST_TEXT:,} characters.")
    conversation.draft = clean_text(text)
    Conversation.objects.filter(pk=conversation.pk).update(draft=conversation.draft)
    notices.announce(conversation, "draft")


def change_settings(conversation: Conversation, fields: Mapping[str, str]) -> dict[str, str]:
    """Stores settings for the turns to come, by their fields; a sentence for each that cannot be.

    If there is such a field, nothing is stored.
    """
    with transaction.atomic():
        row = lock(conversation.pk)
        before = row.in_force()
        faults = settings.apply(row, fields)
        is_changed = not faults and row.in_force() != before
        if is_changed:
            row.save(update_fields=[*before])
    if is_changed:
        notices.announce(row, "settings")
    return faults


def _messages(conversation: Conversation) -> QuerySet[Message]:
    messages = Message.objects.filter(conversation=conversation, role=Message.Role.USER)
    return messages.select_related("turn__parent")


def _question(conversation: Conversation, message: object) -> Message:
    """A user's message, the newest of the shown branch if none is named."""
    messages = _messages(conversation)
    if message is None:
        messages = messages.filter(turn__in=Tree.of(conversation.pk).active_line()[-1:])
    else:
        messages = messages.filter(public_id=canonical(message))
    question = messages.first()
    if question is None:
        raise Refused("There is no such message here.")
    return question


def _refuse_while_open(conversation: Conversation) -> None:
    if conversation.turns.filter(status__in=Turn.OPEN).exists():
        raise Refused(OPEN)
