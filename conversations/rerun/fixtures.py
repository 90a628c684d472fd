"""Fixtures: conversations as JSON Lines with which they can be asked again without a gateway.

A line's `kind` says what it is: the file's head, a `base` (a request without its messages), a `turn`,
a `round` of the turn above it, an `event` of the stream of the round above it, a `call` of the turn above it.
"""

import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from conversations.attachments import NotTaken, inspect, store
from conversations.engine import RecordedCall, ids_in, rebuild_request, recorded_calls
from conversations.errors import ContextOverflow, InvalidRequest, Refused
from conversations.models import Conversation, Message, Round, Turn, active_line
from conversations.protocol.converse.cache import without_points
from conversations.protocol.converse.content import decode_base64, encode_base64, plain_text
from conversations.tools import Outcome

from .answers import Answer, answer
from .streams import StreamEvent, rounds
from .words import common_length

Body = dict[str, Any]
LATER = ("files", "remedies", "words", "tools_off", "reasoning_budget")
"""Members that earlier files did not have."""

REFUSED = (InvalidRequest.code, ContextOverflow.code)


class FixtureLine(BaseModel):
    """A line of the file."""

    model_config = ConfigDict(extra="forbid")

    def line(self) -> str:
        """Its JSON text. Members that earlier files did not have are left out where there is nothing to say."""
        blank = {name for name in LATER if getattr(self, name, True) in ([], "", None)}
        return json.dumps(self.model_dump(by_alias=True, exclude=blank), ensure_ascii=False)


class HeadLine(FixtureLine):
    """The first line; a file of another version is not read."""

    kind: Literal["fixture"] = "fixture"
    version: Literal[1] = 1
    title: str = ""


class BaseLine(FixtureLine):
    """System prompt, settings and tools of the requests that name it."""

    kind: Literal["base"] = "base"
    sha256: str
    body: Body


class EventLine(FixtureLine):
    """An event of a stream, `at` ms after its round began."""

    kind: Literal["event"] = "event"
    at: int
    name: str
    payload: Body


class CallLine(FixtureLine):
    """A tool call and its result, as Converse toolResult content."""

    kind: Literal["call"] = "call"
    name: str
    arguments: str
    input: Body | None
    status: Literal["success", "error"]
    error: str
    result: list[Body]

    def as_recorded(self) -> RecordedCall:
        """The call as a rerun answers calls from it."""
        outcome = Outcome(self.status, self.error, self.result, 0)
        return RecordedCall(self.name, self.arguments, self.input, outcome)


class RoundLine(FixtureLine):
    """A request, and how its stream ended; a blank `ending` is a good one.

    The request has the first `kept` messages of the request before it, and then `messages`. `remedies` have changed it. `words` are those
    of the refusal that ended it.
    """

    kind: Literal["round"] = "round"
    number: int
    model: str
    base: str
    kept: int
    messages: list[Body]
    ending: str
    remedies: list[Body] = []
    words: str = ""
    request: Body = Field(default={}, exclude=True)
    events: list[EventLine] = Field(default=[], exclude=True)


class FileLine(BaseModel):
    """An attached file in base64; `for_model` are the bytes that a model gets of a picture."""

    model_config = ConfigDict(extra="forbid")

    name: str
    data: str
    for_model: str | None = None

    def attach(self, conversation: Conversation) -> UUID:
        """Attaches it to a conversation; returns its id. Raises Refused for a file that is not taken."""
        file = BytesIO(decode_base64(self.data) or b"")
        try:
            inspected = inspect(file, self.name)
        except NotTaken as problem:
            raise Refused(f"{self.name}: {problem}") from None
        if self.for_model is not None:
            inspected.copies[".model"] = decode_base64(self.for_model) or b""
        return store(conversation, file, inspected).pk


class TurnLine(FixtureLine):
    """A user message, the settings that it was sent with, and its answer."""

    kind: Literal["turn"] = "turn"
    number: int
    text: str
    model: str
    system: str
    inference: Body
    tools_off: list[str] = []
    reasoning_budget: int | None = None
    answer: Answer = Field(alias="said")
    files: list[FileLine] = []
    rounds: list[RoundLine] = Field(default=[], exclude=True)
    calls: list[CallLine] = Field(default=[], exclude=True)

    def attach(self, conversation: Conversation) -> list[UUID]:
        """Attaches its files to a conversation; returns their ids."""
        return [file.attach(conversation) for file in self.files]


Line = HeadLine | BaseLine | TurnLine | RoundLine | EventLine | CallLine
LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="kind")])


def write(conversation: Conversation) -> Iterator[str]:
    """The file's lines, made from the active branch; raises Refused while a turn of it still runs."""
    turns = active_line(conversation)
    if not turns or any(turn.finished_at is None for turn in turns):
        raise Refused("A fixture is made of answered messages: there is none yet, or one is still under way.")
    yield HeadLine(title=conversation.title).line()
    writing = _Writing()
    for number, turn in enumerate(turns, 1):
        yield from (part.line() for part in writing.turn(number, turn))


class _Writing:
    """Writes turns and rounds as lines: each base once, and of each request only its new messages."""

    def __init__(self) -> None:
        self.bases: set[str] = set()
        self.messages: list[Body] = []

    def turn(self, number: int, turn: Turn) -> Iterator[FixtureLine]:
        message = Message.objects.get(turn=turn, role=Message.Role.USER)
        text, files = plain_text(message.content), list(_file_lines(message))
        yield TurnLine(number=number, text=text, **turn.model_settings(), said=answer(turn), files=files)
        for row, stream in rounds(turn):
            yield from self.round(row, stream)
        for name, arguments, value, outcome in recorded_calls([turn]):
            result = {"status": outcome.status, "error": outcome.error, "result": outcome.content}
            yield CallLine(name=name, arguments=arguments, input=value, **result)

    def round(self, row: Round, stream: Iterable[StreamEvent]) -> Iterator[FixtureLine]:
        body = without_points(json.loads(rebuild_request(row)))
        messages = body.pop("messages")
        if row.base_id not in self.bases:
            self.bases.add(row.base_id)
            yield BaseLine(sha256=row.base_id, body=body)
        prefix = common_length(self.messages, messages)
        self.messages = messages
        ending = "" if row.status == Round.Status.COMPLETED else row.error_code or row.status
        news = {"kept": prefix, "messages": messages[prefix:], "remedies": _own(row)}
        words = row.error_detail if row.error_code in REFUSED else ""
        yield RoundLine(
            number=row.number, model=row.model, base=row.base_id, ending=ending, words=words, **news
        )
        for at, name, payload in stream:
            yield EventLine(at=at, name=name, payload=payload)


def _own(row: Round) -> list[Body]:
    """The remedies of the round's request, but for cache points and files that were left out."""
    return [remedy for remedy in row.remedies if remedy["kind"] not in ("attachments", "cache")]


def _file_lines(message: Message) -> Iterator[FileLine]:
    rows = {row.pk: row for row in message.attachments.all()}
    for row in (rows[pk] for pk in ids_in(message.content) if pk in rows):
        for_model = encode_base64(row.model_bytes()) if row.is_picture else None
        yield FileLine(name=row.name, data=encode_base64(row.read()), for_model=for_model)


def read(path: Path) -> list[TurnLine]:
    """The turns that a file holds; raises Refused naming the line that is wrong."""
    reading = _Reading()
    try:
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        try:
            reading.take(LINE.validate_json(line), is_first=number == 1)
        except (ValidationError, LookupError, ValueError) as error:
            raise Refused(f"{path}, line {number}: this is no line of a fixture: {error}") from None
    return reading.turns


class _Reading:
    """Reads the turns of a file, line by line."""

    def __init__(self) -> None:
        self.turns: list[TurnLine] = []
        self.bases: dict[str, Body] = {}
        self.messages: list[Body] = []

    def take(self, line: Line, *, is_first: bool) -> None:
        if isinstance(line, HeadLine) != is_first:
            raise ValueError("a fixture begins with its head")
        if isinstance(line, BaseLine):
            self.bases[line.sha256] = line.body
        elif isinstance(line, TurnLine):
            self.turns.append(line)
        elif isinstance(line, RoundLine):
            self._round(line)
        elif isinstance(line, EventLine):
            self.turns[-1].rounds[-1].events.append(line)
        elif isinstance(line, CallLine):
            self.turns[-1].calls.append(line)

    def _round(self, line: RoundLine) -> None:
        self.messages = [*self.messages[: line.kept], *line.messages]
        line.request = {"messages": self.messages, **self.bases[line.base]}
        self.turns[-1].rounds.append(line)
