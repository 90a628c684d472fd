"""A conversation as JSON, with all that an import needs to make the same rows."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from conversations.attachments import messages_with_bytes
from conversations.engine import past_turns
from conversations.journal import turn_frames
from conversations.models import (
    Approval,
    Attachment,
    Conversation,
    Message,
    RequestBase,
    Round,
    ToolCall,
    Turn,
    active_line,
)
from conversations.protocol.converse import history
from conversations.protocol.converse.content import encode_base64

from .format import ApprovalPart, CallPart, Document, Fault, FilePart, MessagePart, RoundPart, TurnPart, Whole

VERSION = 1


def as_json(conversation: Conversation) -> str:
    """The export as text, each event, call and message on a line of its own."""
    return "".join(json_text(document(conversation)))


def document(conversation: Conversation, *, beside: bool = False) -> Document:
    """The export as a value, with the bytes of its files, or only their names if they go `beside` it."""
    turns = list(conversation.turns.order_by("number"))
    rounds = _by_turn(conversation)
    rows = Message.objects.filter(conversation=conversation, role=Message.Role.USER)
    questions = {row.turn_id: row for row in rows}
    whole = Whole.of(
        conversation,
        version=VERSION,
        messages=_messages(conversation, beside=beside),
        tool_calls=[_call(row) for row in _calls(conversation)],
        turns=[_turn(turn, questions[turn.pk], rounds[turn.pk]) for turn in turns],
        request_bases=_bases(conversation),
        attachments=list(_files(conversation, beside=beside)),
    )
    return _without_defaults(whole)


def sent_files(conversation: Conversation) -> QuerySet[Attachment]:
    """The conversation's files that were sent with a message."""
    return conversation.attachments.filter(messages__isnull=False).distinct()


def beside_name(row: Attachment) -> str:
    """The name of a file beside an export, made of its id."""
    return f"files/{row.pk}.{row.format}"


def _messages(conversation: Conversation, *, beside: bool) -> list[Document]:
    line = active_line(conversation)
    messages = history.export_messages(past_turns(line[-1])) if line else []
    return messages if beside or not line else messages_with_bytes(messages, line[-1].model, conversation.pk)


def _files(conversation: Conversation, *, beside: bool) -> Iterator[Document]:
    """The files without the lost ones, in whose place the chat and an import have a line."""
    for row in sent_files(conversation):
        try:
            with row.open() as file:
                data = {} if beside else {"data": encode_base64(file.read())}
        except FileNotFoundError:
            continue
        part = FilePart.of(row, data=None, file=beside_name(row) if beside else None) | data
        if not row.left_out:
            del part["leftOut"]
        yield {name: value for name, value in part.items() if value is not None}


def _calls(conversation: Conversation) -> Iterator[ToolCall]:
    rows = ToolCall.objects.filter(conversation=conversation).select_related("round", "approval__decided_by")
    return rows.order_by("turn__number", "round__number", "round__attempt", "position").iterator()


def _call(row: ToolCall) -> Document:
    approval = _approval(getattr(row, "approval", None))
    return CallPart.of(row, round=row.round.number, attempt=row.round.attempt, approval=approval)


def _approval(row: Approval | None) -> Document | None:
    return ApprovalPart.of(row, decided_by=row.decider or None) if row else None


def _by_turn(conversation: Conversation) -> dict[UUID, list[Round]]:
    by_turn: dict[UUID, list[Round]] = defaultdict(list)
    rows = Round.objects.filter(turn__conversation=conversation).select_related("message")
    for row in rows.order_by("number", "attempt"):
        by_turn[row.turn_id].append(row)
    return by_turn


def _turn(turn: Turn, question: Message, rounds: list[Round]) -> Document:
    lines = turn_frames(turn)
    part = TurnPart.of(
        turn,
        error=_error(turn),
        message=MessagePart.of(question),
        rounds=[_round(row) for row in rounds],
        events=[json.loads(data) for data, _ in lines],
        parts={str(place): json.loads(parts) for place, (_, parts) in enumerate(lines) if parts},
    )
    if turn.runs == 1:
        del part["runs"]  # as in exports from before there were further runs
    if not turn.left_out:
        del part["leftOut"]
    return _without_defaults(part)


def _without_defaults(part: Document) -> Document:
    """The part without newer fields that are at their defaults, as older exports are."""
    defaults: Document = {"toolsOff": [], "reasoningBudget": None, "attachments": []}
    return {name: value for name, value in part.items() if (name, value) not in defaults.items()}


def _round(row: Round) -> Document:
    answer = getattr(row, "message", None)
    message = MessagePart.of(answer) if answer else None
    part = RoundPart.of(row, error=_error(row), message=message)
    if not row.remedies:
        del part["remedies"]
    return part


def _bases(conversation: Conversation) -> Document:
    used = Round.objects.filter(turn__conversation=conversation).values("base")
    return dict(RequestBase.objects.filter(pk__in=used).order_by("pk").values_list("pk", "body"))


def _error(row: Turn | Round) -> Document | None:
    return Fault.of(row) if row.error_code else None


def json_text(value: Any, depth: int = 0) -> Iterator[str]:
    """The value as JSON text, broken into lines as deep as a turn's rounds and events lie."""
    opening, closing = "[]" if isinstance(value, list) else "{}"
    if depth > 3 or not value or not isinstance(value, dict | list):
        yield json.dumps(value, ensure_ascii=False)
        return
    members = value.items() if isinstance(value, dict) else ((None, member) for member in value)
    yield opening
    for place, (name, member) in enumerate(members):
        yield (",\n" if place else "\n") + " " * (depth + 1)
        if name is not None:
            yield json.dumps(name, ensure_ascii=False) + ": "
        yield from json_text(member, depth + 1)
    yield "\n" + " " * depth + closing
