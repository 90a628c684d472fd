"""A message's files: they are the conversation's, and such as the model takes."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from conversations.errors import Refused
from conversations.models import Attachment, Conversation, Message, Model, Turn
from conversations.protocol.converse import attached
from conversations.protocol.converse.content import Block, is_blank, text

from .messages import NO_FILE, NewMessage, valid_file_ids


def files_of(conversation: Conversation, ids: Sequence[UUID], model_id: str | None) -> list[Attachment]:
    """The files with these ids, in order; raises Refused if one is missing or not for the model.

    Without a model they may be such as no model takes.
    """
    if not ids:
        return []
    rows = conversation.attachments.in_bulk(ids)
    if len(rows) < len(ids):
        raise Refused(NO_FILE)
    files = [rows[pk] for pk in ids]
    if model_id is not None:
        _check_model(files, model_id)
    return files


def check_files(conversation: Conversation, ids: object, model_id: str) -> list[Attachment]:
    """The files of a frame's ids; raises Refused for what are no ids, and as `files_of` does."""
    return files_of(conversation, valid_file_ids(ids), model_id)


def _check_model(files: Iterable[Attachment], model_id: str) -> None:
    model, limits = Model.of(model_id), attached.limits_of(model_id)
    rules = attached.rules(str(model), limits, model.capabilities)
    problem = attached.problem([file.facts for file in files], rules)
    if problem:
        raise Refused(problem)


def content(words: str, files: Sequence[Attachment]) -> list[Block]:
    """A message's blocks: its files, then its text, unless that is blank."""
    blocks = [attached.block(file.facts) for file in files]
    return blocks if files and is_blank(text(words)) else [*blocks, text(words)]


def store(turn: Turn, message: NewMessage, files: Sequence[Attachment]) -> list[Block]:
    """Stores the message of a turn with its files; returns its blocks."""
    blocks = content(message.text, files)
    row = Message.objects.create(
        conversation=turn.conversation,
        turn=turn,
        public_id=message.id,
        role=Message.Role.USER,
        content=blocks,
    )
    if files:
        row.attachments.add(*files)
    return blocks


def change(message: Message, message_id: UUID, words: str, ids: Sequence[UUID] | None) -> None:
    """Changes a stored message; without `ids` it keeps its files."""
    all_ids = ids_in(message.content) if ids is None else ids
    files = files_of(message.conversation, all_ids, None if ids is None else message.turn.model)
    message.public_id, message.content = message_id, content(words, files)
    message.save(update_fields=["public_id", "content"])
    message.attachments.set(files)


def ids_in(blocks: Iterable[Block]) -> tuple[UUID, ...]:
    """The ids of a stored message's files."""
    return tuple(UUID(facts["id"]) for facts in attached.facts(blocks))
