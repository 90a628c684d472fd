"""The rows of an export whose values have been checked, under new ids."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from django.core.files import File
from django.db import transaction
from django.utils import timezone

from conversations.attachments import inspect, store
from conversations.engine import ids_in
from conversations.journal import pack
from conversations.journal.lines import encode
from conversations.models import (
    Approval,
    Attachment,
    Conversation,
    Event,
    Message,
    RequestBase,
    Round,
    ToolCall,
    Turn,
)

from .format import CallPart, FilePart, MessagePart, RoundPart, TurnPart, Whole

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Ids = dict[str, str]
Read = Callable[[FilePart], "IO[bytes] | File[bytes]"]
Rounds = dict[tuple[UUID, int, int], Round]
ID_MEMBERS = {"threadId", "runId", "parentRunId", "messageId", "id"}


def save(whole: Whole, owner: "User", read: Read) -> Conversation:
    """Stores an export's conversation in one transaction. `read` has the bytes of its files."""
    ids = _new_ids(whole)
    rounds: Rounds = {}
    with ExitStack() as stack, transaction.atomic():
        conversation = _conversation(whole, ids, owner)
        RequestBase.objects.bulk_create(
            [RequestBase(sha256=name, body=body) for name, body in whole.request_bases.items()],
            ignore_conflicts=True,
        )
        files = _files(whole, conversation, ids, read, stack)
        turns = [_turn(part, conversation, ids) for part in whole.turns]
        for part, turn in zip(whole.turns, turns, strict=True):
            rounds |= {(part.id, row.number, row.attempt): _round(row, turn, ids) for row in part.rounds}
        calls = [_call(call, rounds[call.turn_id, call.round, call.attempt]) for call in whole.tool_calls]
        ToolCall.objects.bulk_create(calls)
        Approval.objects.bulk_create(_approvals(whole.tool_calls, calls))
        if whole.head_id:
            conversation.head_id = UUID(ids[str(whole.head_id)])
            conversation.save(update_fields=["head"])
        for turn in turns:
            pack(turn)
        _link(conversation, files)
        stack.pop_all()  # the files stay
    return conversation


def embedded(part: FilePart) -> IO[bytes]:
    """The bytes of a file that stand in the export itself."""
    return BytesIO(part.data or b"")


def _files(
    whole: Whole, conversation: Conversation, ids: Ids, read: Read, stack: ExitStack
) -> dict[str, Attachment]:
    """Stores the files of an export, which `stack` deletes again if the import fails; raises NotTaken."""
    files = {}
    for part in whole.attachments:
        with read(part) as file:
            row = store(conversation, file, inspect(file, part.name))
        stack.callback(row.delete_files)
        Attachment.objects.filter(pk=row.pk).update(left_out=part.left_out, created_at=part.created_at)
        ids[str(part.id)] = str(row.pk)
        files[str(row.pk)] = row
    return files


def _link(conversation: Conversation, files: Mapping[str, Attachment]) -> None:
    """Stores which messages have the files."""
    for message in conversation.messages.filter(role=Message.Role.USER) if files else ():
        message.attachments.set(files[pk] for pk in map(str, ids_in(message.content)) if pk in files)


def _new_ids(whole: Whole) -> Ids:
    messages = [turn.message for turn in whole.turns]
    messages += [row.message for turn in whole.turns for row in turn.rounds if row.message]
    old = [whole.id, *(turn.id for turn in whole.turns), *(message.public_id for message in messages)]
    return {str(old_id): str(uuid.uuid4()) for old_id in old}


def _conversation(whole: Whole, ids: Ids, owner: "User") -> Conversation:
    return Conversation.objects.create(
        **whole.columns(Conversation),
        id=UUID(ids[str(whole.id)]),
        owner=owner,
        has_own_title=bool(whole.title),
        seen=len(whole.turns),
    )


def _turn(part: TurnPart, conversation: Conversation, ids: Ids) -> Turn:
    turn = Turn(
        **part.columns(Turn),
        **(part.error.columns(Turn) if part.error else {}),
        id=UUID(ids[str(part.id)]),
        parent_id=UUID(ids[str(part.parent_id)]) if part.parent_id else None,
        conversation=conversation,
        user_id=conversation.owner_id,
    )
    turn.set_usage(part.usage)
    turn.save(force_insert=True)
    _message(part.message, turn, None, ids)
    Event.objects.bulk_create(_events(part, turn, ids))
    return turn


def _events(part: TurnPart, turn: Turn, ids: Ids) -> list[Event]:
    return [
        Event(
            conversation_id=turn.conversation_id,
            turn=turn,
            seq=event["metadata"]["seq"],
            data=encode(_with_ids(event, ids)),
            parts=encode(part.parts[str(place)]) if str(place) in part.parts else "",
        )
        for place, event in enumerate(part.events)
    ]


def _with_ids(event: Any, ids: Ids) -> Any:
    """The event with the new ids instead of the old ones, at any depth."""
    if isinstance(event, list):
        return [_with_ids(member, ids) for member in event]
    if not isinstance(event, dict):
        return event
    return {
        name: _new_id(value, ids) if name in ID_MEMBERS and isinstance(value, str) else _with_ids(value, ids)
        for name, value in event.items()
    }


def _new_id(value: str, ids: Ids) -> str:
    row, colon, suffix = value.partition(":")
    return ids.get(row, row) + colon + suffix


def _round(part: RoundPart, turn: Turn, ids: Ids) -> Round:
    failure = part.error.columns(Round) if part.error else {}
    row = Round(**part.columns(Round), **failure, turn=turn, base_id=part.base_id)
    row.set_usage(part.usage)
    row.remedies = [_with_files(remedy, ids) for remedy in row.remedies]
    row.save(force_insert=True)
    if part.message:
        _message(part.message, turn, row, ids)
    return row


def _with_files(remedy: dict[str, Any], ids: Ids) -> dict[str, Any]:
    """A remedy that leaves files out, with their new ids; any other remedy as it is."""
    if remedy["kind"] != "attachments":
        return remedy
    return remedy | {"value": [ids.get(pk, pk) for pk in remedy["value"]]}


def _message(part: MessagePart, turn: Turn, row: Round | None, ids: Ids) -> None:
    columns = part.columns(Message) | {"public_id": UUID(ids[str(part.public_id)])}
    if not row:
        columns["content"] = _with_ids(part.content, ids)
    role = Message.Role.ASSISTANT if row else Message.Role.USER
    conversation = turn.conversation_id
    Message.objects.create(**columns, conversation_id=conversation, turn=turn, round=row, role=role)


def _call(part: CallPart, row: Round) -> ToolCall:
    keys = {"conversation_id": row.turn.conversation_id, "turn_id": row.turn_id, "round": row}
    return ToolCall(**part.columns(ToolCall) | keys)


def _approvals(parts: list[CallPart], calls: list[ToolCall]) -> Iterator[Approval]:
    """The approvals of the calls, by nobody of this site. One that was still pending is withdrawn."""
    for part, call in ((part.approval, call) for part, call in zip(parts, calls, strict=True)):
        if part is None:
            continue
        columns = part.columns(Approval) | {"decided_by_name": part.decided_by or ""}
        if part.status == "pending":
            columns |= {"status": Approval.Status.WITHDRAWN, "decided_at": timezone.now()}
        yield Approval(call=call, **columns)
