"""The members of an export: the column of each, and the values that an import accepts."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Model as Row
from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Name = Annotated[str, Field(max_length=200)]
Model = Annotated[str, Field(max_length=2048)]
ToolName = Annotated[str, Field(max_length=64)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Object = dict[str, Any]
Document = dict[str, Any]
"""A part as JSON."""


class Part(BaseModel):
    """A row in the export: members in camelCase, each with the value of the column of its name.

    Further members are refused, and only those with a default here, which earlier exports did not have, may be missing.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=False)

    @classmethod
    def of(cls, row: Row, **beside: Any) -> Document:
        """The row as JSON, with the members `beside` its columns."""
        fields = cls.model_fields.items()
        values = {name: beside[name] if name in beside else getattr(row, name) for name, _ in fields}
        return {field.alias or name: _as_json(values[name]) for name, field in fields}

    def columns(self, rows: type[Row]) -> dict[str, Any]:
        """The values of the rows' own columns; keys are made anew and not among them."""
        fields = rows._meta.concrete_fields
        own = {field.name for field in fields if not (field.primary_key or field.is_relation)}
        return {name: getattr(self, name) for name in type(self).model_fields if name in own}


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


class Fault(Part):
    """The error with which a turn or round ended."""

    error_code: Annotated[str, Field(max_length=32, alias="code")]
    error_text: Annotated[str, Field(alias="message")]
    error_detail: Annotated[str, Field(alias="detail")]


class MessagePart(Part):
    """A message's row."""

    public_id: Annotated[UUID, Field(alias="id")]
    content: list[Object]
    complete: bool
    created_at: AwareDatetime


class RoundPart(Part):
    """A round's row."""

    number: Count
    attempt: Annotated[int, Field(ge=1, lt=2**15)]
    status: Literal["completed", "stopped", "failed", "interrupted"]
    error: Fault | None
    model: Model
    stop_reason: Annotated[str, Field(max_length=64)]
    usage: Object
    metadata: Object
    latency_ms: Count | None
    first_token_ms: Count | None
    tries: Annotated[int, Field(ge=0, lt=2**15)]
    remedies: list[Object] = []
    base_id: Annotated[Hash, Field(alias="requestBase")]
    request_sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$", alias="requestSha256")]
    gateway_request_id: Name
    started_at: AwareDatetime
    finished_at: AwareDatetime | None
    message: MessagePart | None


class TurnPart(Part):
    """A turn's row with its message, rounds and events. An import takes ended turns alone."""

    id: UUID
    number: Count
    parent_id: Annotated[UUID | None, Field(alias="parent")]
    status: Literal["completed", "stopped", "failed", "interrupted"]
    error: Fault | None
    model: Model
    system: str
    inference: Object
    tools_off: list[ToolName] = []
    reasoning_budget: Count | None = None
    usage: Object
    attempts: Annotated[int, Field(ge=0, lt=2**15)]
    runs: Annotated[int, Field(ge=1, lt=2**15)] = 1
    left_out: bool = False
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    first_token_ms: Count | None
    message: MessagePart
    rounds: list[RoundPart]
    events: list[Object]
    parts: dict[str, list[tuple[Count, Count]]]


class ApprovalPart(Part):
    """A decision about a tool call. The name of whoever decided is kept, and belongs to no user here."""

    status: Literal["pending", "approved", "denied", "expired", "withdrawn"]
    requested_at: AwareDatetime
    expires_at: AwareDatetime | None
    decided_at: AwareDatetime | None
    decided_by: Annotated[str, Field(max_length=150)] | None
    reason: str
    input: Object | None
    always: Literal["", "arguments", "tool"] = ""


class CallPart(Part):
    """The row of an answered tool call."""

    tool_use_id: Annotated[str, Field(min_length=1, max_length=64)]
    name: Name
    input: Object | None
    arguments: str
    status: Literal["success", "error"]
    error: Annotated[str, Field(max_length=32)]
    result: list[Object]
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    duration_ms: Count | None
    turn_id: Annotated[UUID, Field(alias="turn")]
    round: Count
    attempt: Count
    position: Annotated[int, Field(ge=0, lt=2**15)]
    approval: ApprovalPart | None = None


class FilePart(Part):
    """An attached file's row, with its bytes (`data`) or the name of the `file` beside the export."""

    id: UUID
    name: Name
    kind: Literal["image", "document"]
    format: Annotated[str, Field(max_length=8)]
    size: Count
    sha256: Hash
    left_out: bool = False
    created_at: AwareDatetime
    data: Base64Bytes | None = None
    file: Name | None = None


class Whole(Part):
    """The whole export. `messages` repeat other members in Converse's form, and are not imported."""

    version: Literal[1]
    id: UUID
    title: Name
    model: Model
    system: str
    inference: Object
    tools_off: list[ToolName] = []
    reasoning_budget: Count | None = None
    head_id: Annotated[UUID | None, Field(alias="head")] = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    messages: list[Object]
    tool_calls: list[CallPart]
    turns: list[TurnPart]
    request_bases: dict[Hash, str]
    attachments: list[FilePart] = []
