"""A person's commands: send, stop, decide, regenerate, edit, withdraw, run again, change settings.

What cannot be done raises Refused, with a sentence for the person.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from conversations.errors import Refused
from conversations.journal import ring_queue
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
    valid_file_ids,
    valid_id,
    valid_text,
)
from .worker import WORKER

if TYPE_CHECKING:
    from django.contrib.auth.models import User

STILL_ANSWERING = "Wait for the answer to end, or stop it first."
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

    The same id again changes nothing. `admit` raises if the sender may not write in the conversation. `files` are the ids of attached
    files; without them the message has `kept_files`, those of the message that it repeats. `run` is a program's name for the turn's
    run: such a turn is not queued. Raises Refused for an id that is no UUID, for a text that is too long, or blank without files, and
    for files that are missing or not for the model; Throttled over the user's limits; NotFound; Busy for a named run behind a turn.
    """
    ids = kept_files if files is None else valid_file_ids(files)
    pk, words = valid_id(message_id), valid_text(text, ids)
    message = NewMessage(pk, words, model, repetition, tuple(ids), is_model_free=files is None)
    accept = partial(naming.accept, name=run) if run else lifecycle.accept
    accepted = accept(conversation, message, at_once=WORKER.has_room, admit=admit)
    if accepted.is_new and accepted.is_queued:
        notices.queue_changed(conversation)
        WORKER.claim_anywhere(conversation)
    elif accepted.is_new:
        WORKER.begin(accepted.turn, opening=accepted.opening)
    return accepted


def stop(conversation: UUID, turn: UUID | None = None) -> bool:
    """Stops the conversation's active turn, whichever process runs it; returns whether there was one.

    With `turn` only that turn is stopped, and none that has begun meanwhile.
    """
    turn_here = WORKER.stop(conversation) if turn is None else turn  # first: no database holds up a stop
    active = Turn.objects.filter(conversation=conversation, status__in=Turn.ACTIVE)
    active = active.filter(pk=turn) if turn else active
    if not active.exists():
        return turn_here is not None
    if lifecycle.stop(conversation, turn):
        WORKER.claim_anywhere(conversation)
    elif turn_here not in WORKER.runs:
        ring_queue()
    return True


def stop_here(conversation: UUID, turn: UUID | None = None) -> UUID | None:
    """Stops the conversation's turn, or `turn` alone, if it runs here; returns its id. Never waits."""
    return WORKER.stop(conversation, turn)


def resume(conversation: Conversation, user: "User", entries: object, *, run: str = "") -> None:
    """Takes decisions about waiting calls, the entries of an AG-UI `resume`.

    The turn goes on once all of its calls are decided. With `run`, a program's name for the further run, one resume decides all.
    """
    decide = partial(naming.decide, name=run) if run else lifecycle.decide
    if decide(conversation, user, entries):
        WORKER.claim_anywhere(conversation.pk)
    else:
        notices.announce(conversation, "decided")


def regenerate(
    conversation: Conversation, message_id: object = None, *, message: object = None, model: object = None
) -> Accepted:
    """Asks the newest user message again, or the one named, in a turn beside its own.

    `model` answers, if one is named.
    """
    if model is not None and not Model.is_offered(model):
        raise Refused("This model is not offered.")
    _refuse_while_answering(conversation)
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
    """Sends a changed copy of an earlier message, in a turn beside that message's own.

    A message that is still queued is changed itself. Without `files`, which are ids, the message keeps its files.
    """
    if conversation.messages.filter(public_id=valid_id(message_id)).exists():
        return  # the same edit came before, and the message that it names may be gone
    question = _question(conversation, message)
    earlier = ids_in(question.content)
    ids = None if files is None else valid_file_ids(files)
    words = valid_text(text, earlier if ids is None else ids)
    if lifecycle.change_queued(conversation, question.public_id, valid_id(message_id), words, ids):
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
    lifecycle.withdraw(conversation, valid_id(message))
    notices.queue_changed(conversation.pk)


def show_branch(conversation: Conversation, turn: object) -> None:
    """Shows the branch that a turn is on, down to its newest turn, which the next message will follow."""
    with transaction.atomic():
        row = lock(conversation.pk)
        _refuse_while_answering(row)
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
    """Runs a tool call of the conversation again, with `arguments` if there are any, in its own turn."""
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
    """The new arguments, or else those with which the call ran."""
    if registry.get(past.name) is None:
        raise Refused(f"There is no tool named {past.name} any more.")
    if arguments is not None:
        return approvals.valid_arguments(past.name, arguments)
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
    """Stores settings for later turns, by their fields, unless one is wrong; returns what is wrong."""
    with transaction.atomic():
        row = lock(conversation.pk)
        before = row.model_settings()
        faults = settings.apply(row, fields)
        is_changed = not faults and row.model_settings() != before
        if is_changed:
            row.save(update_fields=[*before])
    if is_changed:
        notices.announce(row, "settings")
    return faults


def _question(conversation: Conversation, message: object) -> Message:
    """A user's message, the newest of the shown branch if none is named."""
    messages = conversation.messages.filter(role=Message.Role.USER).select_related("turn__parent")
    if message is None:
        messages = messages.filter(turn__in=Tree.of(conversation.pk).active_line()[-1:])
    else:
        messages = messages.filter(public_id=valid_id(message))
    question = messages.first()
    if question is None:
        raise Refused("There is no such message here.")
    return question


def _refuse_while_answering(conversation: Conversation) -> None:
    if conversation.turns.filter(status__in=Turn.OPEN).exists():
        raise Refused(STILL_ANSWERING)
