"""The import of an export: the same conversation, event for event, under new ids.

Nothing is run, and of an export with a fault nothing is stored.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import ValidationError

from conversations.attachments import NotTaken
from conversations.errors import TurntableError
from conversations.models import Conversation
from conversations.protocol.agui.snapshot import CHANGES, Snapshot
from conversations.protocol.converse import attached, remedies
from conversations.protocol.converse.content import plain_text
from conversations.protocol.converse.history import repair
from conversations.protocol.converse.request import sha256
from conversations.protocol.text import clean_text

from .format import RoundPart, TurnPart, Whole
from .rows import Read, embedded, save

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Place = tuple[str | int, ...]
EVENT_TYPES = {*CHANGES, "REASONING_MESSAGE_START", "REASONING_MESSAGE_END"}
NOT_ENDED = "a turn that has not ended cannot be taken; decide about its calls or stop it, then export again"
BESIDE = "its file stands beside it; import the whole zip"
DEEPEST = 64
"""Levels of nesting in an export."""


class DamagedExport(TurntableError):
    """This is not a whole export of a conversation."""

    def __str__(self) -> str:
        """The detail alone: it says what is wrong and where."""
        return self.detail


class Wrong(Exception):
    """A fault of the export, with its place: the members and indices that lead to it."""

    def __init__(self, place: Place, why: str) -> None:
        super().__init__(f"{'.'.join(map(str, place)) or 'the file'}: {why}")


def import_document(text: str, owner: "User", read: Read | None = None) -> Conversation:
    """Stores an export's text as the owner's conversation. `read` has the bytes of files beside it.

    Raises DamagedExport, with nothing stored, if anything in the text is wrong.
    """
    try:
        whole = _valid_export(_json_value(text))
        _check_files(whole, are_beside=read is not None)
        return save(whole, owner, read or embedded)
    except Wrong as wrong:
        raise DamagedExport(str(wrong)) from None
    except NotTaken as problem:
        raise DamagedExport(f"attachments: {problem}") from None


def _check_files(whole: Whole, *, are_beside: bool) -> None:
    """Raises Wrong unless the bytes of all files are in the export, or beside it."""
    for index, part in enumerate(whole.attachments):
        if (part.file is not None, part.data is None) != (are_beside, are_beside):
            raise Wrong(("attachments", index), BESIDE if part.file else "its bytes are missing")
    names = [part.file for part in whole.attachments if part.file]
    if len(set(names)) < len(names):
        raise Wrong(("attachments",), "two of them have the same file")


def _json_value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise DamagedExport(f"line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError):
        raise DamagedExport("line 1: it holds a number or a nesting that no export holds") from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _valid_export(value: Any) -> Whole:
    """The export; raises Wrong for anything that an export of ours would not hold."""
    _check_texts(value, ())
    try:
        whole = Whole.model_validate(value)
    except ValidationError as error:
        raise _first_fault(error.errors(include_url=False, include_input=False)) from None
    for place, why in _faults(whole):
        raise Wrong(place, why)
    return whole


def _first_fault(errors: list[Any]) -> Wrong:
    """The fault to report. A turn that has not ended comes before the faults that follow from it."""
    of_turns = (
        error for error in errors if error["loc"][:1] == ("turns",) and error["loc"][2:] == ("status",)
    )
    turn = next(of_turns, None)
    first = turn or errors[0]
    why = NOT_ENDED if turn else first["msg"]
    return Wrong(first["loc"], why)


def _check_texts(value: Any, place: Place) -> None:
    """Raises Wrong for a text that no database takes, and for a value that is nested too deeply."""
    if len(place) > DEEPEST:
        raise Wrong(place, "it is nested too deeply")
    if isinstance(value, str) and clean_text(value) != value:
        raise Wrong(place, "a text holds characters that are none")
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, member in members:
        _check_texts(name, place)
        _check_texts(member, (*place, name))


def _faults(whole: Whole) -> Iterator[tuple[Place, str]]:
    """Faults between the parts, which their types cannot express."""
    yield from _turn_faults(whole)
    yield from _record_faults(whole)
    yield from _call_faults(whole)
    yield from _content_faults(whole)
    for name, body in whole.request_bases.items():
        if sha256(body.encode()) != name:
            yield ("requestBases",), f"the request base {name} is not what its name says"


def _turn_faults(whole: Whole) -> Iterator[tuple[Place, str]]:
    turn_ids: set[Any] = {None}
    message_ids: set[Any] = set()
    for index, turn in enumerate(whole.turns):
        place: Place = ("turns", index)
        if turn.number != index + 1 or turn.id in turn_ids or turn.parent_id not in turn_ids:
            yield place, "a turn has another's number or id, or a parent that does not come before it"
        turn_ids.add(turn.id)
        messages = [turn.message, *(row.message for row in turn.rounds if row.message)]
        if message_ids & (ids := {message.public_id for message in messages}) or len(ids) < len(messages):
            yield place, "a message's id comes twice"
        message_ids |= ids
        if len({(row.number, row.attempt) for row in turn.rounds}) < len(turn.rounds):
            yield place, "a round comes twice"
        for at, row in enumerate(turn.rounds):
            yield from _request_faults(row, (*place, "rounds", at), whole)
    if whole.head_id not in turn_ids:
        yield ("head",), "the branch that is shown ends in a turn that there is not"


def _request_faults(row: RoundPart, place: Place, whole: Whole) -> Iterator[tuple[Place, str]]:
    if row.base_id not in whole.request_bases:
        yield place, "its request base is missing"
    if not remedies.are_sound(row.remedies):
        yield (*place, "remedies"), "these are no changes of a request"


def _record_faults(whole: Whole) -> Iterator[tuple[Place, str]]:
    spans = []
    for index, turn in enumerate(whole.turns):
        seqs = [_seq(event) for event in turn.events]
        for at, (event, seq) in enumerate(zip(turn.events, seqs, strict=True)):
            if seq is None or event.get("type") not in EVENT_TYPES:
                yield ("turns", index, "events", at), "this is no event of a record"
        if any(after != before + 1 for before, after in pairwise(seqs) if before and after):
            yield ("turns", index, "events"), "an event is missing, or comes twice"
        spans += [(seqs[0], seqs[-1])] if seqs else []
        yield from _unreadable(turn, index)
    reached = 0
    for first, last in sorted((first or 0, last or 0) for first, last in spans):
        if first != reached + 1:
            yield ("turns",), f"the record has a gap after event {reached}"
        reached = last


def _content_faults(whole: Whole) -> Iterator[tuple[Place, str]]:
    """Faults of contents of which no request could be made."""
    contents: list[tuple[Place, str, Any]] = []
    for index, turn in enumerate(whole.turns):
        contents.append((("turns", index, "message"), "user", turn.message.content))
        for at, row in enumerate(turn.rounds):
            content = row.message.content if row.message else []
            contents.append((("turns", index, "rounds", at), "assistant", content))
    for index, call in enumerate(whole.tool_calls):
        result = {"toolUseId": call.tool_use_id, "content": call.result}
        contents.append((("toolCalls", index), "user", [{"toolResult": result}]))
    for place, role, content in contents:
        try:
            repair([{"role": "user", "content": [{"text": "?"}]}, {"role": role, "content": content}])
            plain_text(content)
            [UUID(facts["id"]) for facts in attached.facts(content)]
        except (KeyError, TypeError, AttributeError, ValueError):
            yield place, "its content is not Converse's"


def _seq(event: dict[str, Any]) -> int | None:
    metadata = event.get("metadata")
    seq = metadata.get("seq") if isinstance(metadata, dict) else None
    return seq if isinstance(seq, int) and isinstance(event.get("timestamp"), int) else None


def _unreadable(turn: TurnPart, index: int) -> Iterator[tuple[Place, str]]:
    snapshot = Snapshot(str(turn.id))
    for at, event in enumerate(turn.events):
        try:
            snapshot.apply([event])
        except (KeyError, TypeError, AttributeError):
            yield ("turns", index, "events", at), "the event does not follow from those before it"
            return
    if any(not place.isdecimal() or int(place) >= len(turn.events) for place in turn.parts):
        yield ("turns", index, "parts"), "it speaks of an event that there is not"


def _call_faults(whole: Whole) -> Iterator[tuple[Place, str]]:
    rounds = {(turn.id, row.number, row.attempt) for turn in whole.turns for row in turn.rounds}
    ids: set[str] = set()
    places: set[tuple[Any, ...]] = set()
    for index, call in enumerate(whole.tool_calls):
        of_round = (call.turn_id, call.round, call.attempt)
        if of_round not in rounds:
            yield ("toolCalls", index), "its round is not in the export"
        if call.tool_use_id in ids or (*of_round, call.position) in places:
            yield ("toolCalls", index), "a tool call comes twice"
        ids.add(call.tool_use_id)
        places.add((*of_round, call.position))
