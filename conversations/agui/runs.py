"""The run of a request: a new one, or the earlier one of the same name. It uses the database."""

import json
from io import BytesIO
from uuid import UUID, uuid5

from django.db import IntegrityError

from conversations import engine
from conversations.attachments import inspect, store
from conversations.errors import NotFound, Refused
from conversations.journal import turn_frames
from conversations.models import Conversation, Model, PublicRun, Tree, Turn

from .callers import Caller
from .inputs import RunInput, UserMessage
from .problems import NoThread


def own_thread(caller: Caller, thread: UUID) -> Conversation:
    """The caller's own conversation; raises NoThread."""
    row = Conversation.objects.owned_by(caller.user).filter(pk=thread).first()
    if row is None:
        raise NoThread
    return row


def run_of(caller: Caller, run_input: RunInput) -> PublicRun:
    """The run that is asked for, begun unless there is one of its name; raises Refused and NoThread."""
    conversation, is_new = _thread(caller, run_input.thread)
    known = _known(conversation, run_input.run_id)
    if known is not None:
        return known
    try:
        _begin(caller, conversation, run_input)
    except Refused:
        if (known := engine.run_named(conversation.pk, run_input.run_id)) is not None:
            return known  # the same request came twice at once
        if is_new:
            Conversation.objects.empty().filter(pk=conversation.pk).delete()
        raise
    except NotFound:
        raise NoThread from None
    run = engine.run_named(conversation.pk, run_input.run_id)
    if run is None:
        raise NoThread
    return run


def _thread(caller: Caller, thread: UUID) -> tuple[Conversation, bool]:
    """The caller's own conversation, made if there is none of this id, and whether it is new."""
    row = Conversation.objects.owned_by(caller.user).filter(pk=thread).first()
    if row is not None:
        return row, False
    if Conversation.with_deleted.filter(pk=thread).exists():
        raise NoThread
    caller.check("run")
    try:
        new = Conversation(pk=thread, owner=caller.user, model=Model.default().model_id)
        new.save(force_insert=True)
    except IntegrityError:  # somebody else was faster
        return own_thread(caller, thread), False
    return new, True


def _known(conversation: Conversation, name: str) -> PublicRun | None:
    return engine.run_named(conversation.pk, name) or _of_page(conversation, name)


def _of_page(conversation: Conversation, name: str) -> PublicRun | None:
    """The run of this id in the record, which a page began."""
    turn_id, _, number = name.partition(":")
    if not (number == "" or (number.isascii() and number.isdigit())):
        return None
    try:
        turn = conversation.turns.filter(pk=UUID(turn_id)).first()
    except ValueError:
        return None
    starts = _starts(turn) if turn else {}
    if turn is None or name not in starts:
        return None
    return PublicRun(
        conversation=conversation, turn=turn, number=int(number or 1), name=name, after=starts[name] - 1
    )


def _starts(turn: Turn) -> dict[str, int]:
    """The seqs at which a turn's runs begin, by their ids in the record."""
    starts = (json.loads(text) for text, _ in turn_frames(turn) if '"RUN_STARTED"' in text[:40])
    return {event["runId"]: event["metadata"]["seq"] for event in starts}


def _begin(caller: Caller, conversation: Conversation, run_input: RunInput) -> None:
    if run_input.resume:
        caller.check("approve")
        engine.resume(conversation, caller.user, run_input.resume, run=run_input.run_id)
        return
    caller.check("run")
    message = run_input.user_message()
    message_id = _message_id(conversation, message.id)
    earlier = conversation.messages.filter(public_id=message_id, role="user").select_related("turn").first()
    if earlier is not None:  # the same message in another run: it is asked again, beside
        message_id = uuid5(conversation.pk, f"{message.id} {run_input.run_id}")
    if message.files:
        engine.refuse_while_open(conversation.pk)  # before they are attached
    files = [*message.attachments, *_attach(conversation, message)]
    repetition = engine.Repetition(beside=earlier.turn) if earlier else None
    engine.start(
        conversation.pk,
        str(message_id),
        message.text,
        files=files,
        repetition=repetition,
        run=run_input.run_id,
    )


def _message_id(conversation: Conversation, name: str) -> UUID:
    """The id of a message in the record: the client's, or one made of it if that is no UUID."""
    try:
        return UUID(name)
    except ValueError:
        return uuid5(conversation.pk, name)


def _attach(conversation: Conversation, message: UserMessage) -> list[str]:
    """Attaches the files inside of the message to the conversation; returns their ids."""
    rows = []
    for file in message.files:
        data = BytesIO(file.data)
        rows.append(store(conversation, data, inspect(data, file.name)))
    return [str(row.pk) for row in rows]


def names(conversation: UUID) -> dict[str, str]:
    """The clients' names of a thread's runs, by their ids in the record."""
    return {run.run_id: run.name for run in PublicRun.objects.filter(conversation=conversation)}


def branch(conversation: UUID) -> list[str]:
    """The ids of the turns of the branch that is shown."""
    return [str(pk) for pk in Tree.of(conversation).active_line()]


def running(conversation: UUID) -> str:
    """The id of the run that is under way, blank if there is none."""
    turn = Turn.objects.filter(conversation=conversation, status=Turn.Status.RUNNING).first()
    return turn.run_id if turn else ""


def exists(run: PublicRun) -> bool:
    """Whether the run's turn is still there: one that is queued may be withdrawn."""
    return Turn.objects.filter(pk=run.turn_id).exists()


def cancel(run: PublicRun) -> None:
    """Stops the run, or takes it back if it has not begun."""
    turn = Turn.objects.filter(pk=run.turn_id).first()
    if turn is None or engine.WORKER.is_draining:
        return
    if turn.status == Turn.Status.QUEUED:
        message = turn.messages.filter(role="user").first()
        engine.withdraw(turn.conversation, str(message.public_id) if message else None)
    else:
        engine.stop(turn.conversation_id, turn.pk)
