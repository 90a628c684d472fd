"""A request's RunAgentInput: the members that this agent heeds."""

import base64
import binascii
import json
import mimetypes
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError
from pydantic.alias_generators import to_camel

from conversations.errors import Refused
from conversations.protocol.text import clean_text

NO_JSON = "The body is no JSON."
NO_USER_MESSAGE = "There is no message of the user: the newest one starts a run."
NO_UUID = "threadId: a UUID, of a thread of your own or of a new one."
NO_PARTS = "A message's content is a text, or parts of the kinds text, image and document."
NO_SOURCE = (
    "A part's source is `data`, base64 with its mimeType, or `file`, the id of an attachment of the thread."
)
NO_TOOLS = "`tools` must be empty: this agent runs its own tools alone."
NO_NAME = "runId: it holds characters that are none."
LONGEST_NAME = 200
MOST_PARTS = 100

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class InlineFile(NamedTuple):
    """A file inside of a message: its bytes and its name."""

    data: bytes
    name: str


class UserMessage(NamedTuple):
    """A user's message, with files inside of it and the ids of files that are attached to the thread."""

    id: str
    text: str
    files: list[InlineFile]
    attachments: list[str]


class RunInput(BaseModel, alias_generator=to_camel, strict=True):
    """The members of AG-UI's RunAgentInput that this agent heeds."""

    thread_id: Annotated[str, Field(max_length=LONGEST_NAME)]
    run_id: Name
    messages: list[Any]
    tools: list[Any] | None = None
    resume: list[dict[str, Any]] | None = None
    forwarded_props: Any = None

    @property
    def thread(self) -> UUID:
        """The thread's id as a UUID; raises Refused for any other text."""
        return uuid_of(self.thread_id)

    @property
    def stops_with_reader(self) -> bool:
        """Whether the run is stopped when its reader is lost."""
        props = self.forwarded_props
        return isinstance(props, dict) and props.get("onDisconnect") == "cancel"

    def user_message(self) -> UserMessage:
        """The newest message of the user; raises Refused where there is none."""
        messages = [part for part in self.messages if isinstance(part, dict) and part.get("role") == "user"]
        if not messages:
            raise Refused(NO_USER_MESSAGE)
        message_id = messages[-1].get("id")
        if not isinstance(message_id, str) or not message_id:
            raise Refused("messages: the user's newest one has no id.")
        return _user_message(message_id, messages[-1].get("content"))


def read_input(body: bytes) -> RunInput:
    """The input in a request's body; raises Refused with a sentence for what is wrong with it."""
    value = read_object(body)
    try:
        run_input = RunInput.model_validate(value)
    except ValidationError as error:
        raise Refused(_first_fault(error)) from None
    if run_input.tools:
        raise Refused(NO_TOOLS)
    if clean_text(run_input.run_id) != run_input.run_id or not run_input.run_id.isprintable():
        raise Refused(NO_NAME)
    run_input.thread  # noqa: B018 (refused here, before anything is done)
    return run_input


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a request's body; raises Refused."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(NO_JSON) from None
    if not isinstance(value, dict):
        raise Refused("The body is a JSON object.")
    return value


def uuid_of(text: object) -> UUID:
    """A thread's id; raises Refused for anything else."""
    try:
        if isinstance(text, str) and len(text) in (32, 36):
            return UUID(text)
    except ValueError:
        pass
    raise Refused(NO_UUID)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, fault["loc"]))
    return f"{place}: {fault['msg']}." if place else f"{fault['msg']}."


def _user_message(message_id: str, content: Any) -> UserMessage:
    if isinstance(content, str):
        return UserMessage(message_id, content, [], [])
    if not isinstance(content, list) or len(content) > MOST_PARTS:
        raise Refused(NO_PARTS)
    texts: list[str] = []
    message = UserMessage(message_id, "", [], [])
    for part in content:
        _add_part(message, texts, part if isinstance(part, dict) else {})
    return message._replace(text="\n\n".join(texts))


def _add_part(message: UserMessage, texts: list[str], part: dict[str, Any]) -> None:
    kind, source = part.get("type"), part.get("source")
    if kind == "text" and isinstance(part.get("text"), str):
        texts.append(part["text"])
        return
    if kind not in ("image", "document"):
        raise Refused(NO_PARTS)
    value = source.get("value") if isinstance(source, dict) else None
    if not isinstance(source, dict) or not isinstance(value, str):
        raise Refused(NO_SOURCE)
    match source.get("type"):
        case "file":
            message.attachments.append(value)
        case "data":
            message.files.append(_inline_file(value, source.get("mimeType"), part))
        case _:
            raise Refused(NO_SOURCE)


def _inline_file(value: str, mime_type: Any, part: dict[str, Any]) -> InlineFile:
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(NO_SOURCE) from None
    metadata = part.get("metadata")
    name = metadata.get("filename") if isinstance(metadata, dict) else None
    ending = mimetypes.guess_extension(mime_type) if isinstance(mime_type, str) else None
    return InlineFile(data, name if isinstance(name, str) else f"{part['type']}{ending or ''}")
