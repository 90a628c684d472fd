"""The export's shape, as an import accepts it: exactly these members, of these types, within what the rows hold."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Text = str
Name = Annotated[str, Field(max_length=200)]
Model = Annotated[str, Field(max_length=2048)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Object = dict[str, Any]


class Strict(BaseModel):
    """Members in camelCase, no others, and all of them but those that earlier exports did not have."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=False)


class Fault(Strict):
    """How something ended that did not end well."""

    code: Annotated[str, Field(max_length=32)]
    message: Text
    detail: Text


class Said(Strict):
    """A message's row."""

    id: UUID
    content: list[Object]
    complete: bool
    created_at: AwareDatetime


class RoundPart(Strict):
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
    request_base: Hash
    request_sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$", alias="requestSha256")]
    gateway_request_id: Name
    started_at: AwareDatetime
    finished_at: AwareDatetime | None
    message: Said | None


class TurnPart(Strict):
    """A turn's row, and what belongs to it. One that has not ended is not taken: nothing is run on import."""

    id: UUID
    number: Count
    parent: UUID | None
    status: Literal["completed", "stopped", "failed", "interrupted"]
    error: Fault | None
    model: Model
    system: Text
    inference: Object
    usage: Object
    attempts: Annotated[int, Field(ge=0, lt=2**15)]
    runs: Annotated[int, Field(ge=1, lt=2**15)] = 1
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    first_token_ms: Count | None
    message: Said
    rounds: list[RoundPart]
    events: list[Object]
    parts: dict[str, list[tuple[Count, Count]]]


class ApprovalPart(Strict):
    """What was decided about a tool call; who decided is a name, of nobody here."""

    status: Literal["pending", "approved", "denied", "expired", "withdrawn"]
    requested_at: AwareDatetime
    expires_at: AwareDatetime | None
    decided_at: AwareDatetime | None
    decided_by: Annotated[str, Field(max_length=150)] | None
    reason: Text
    input: Object | None


class CallPart(Strict):
    """A tool call's row, which has its result."""

    tool_use_id: Annotated[str, Field(min_length=1, max_length=64)]
    name: Name
    input: Object | None
    arguments: Text
    status: Literal["success", "error"]
    error: Annotated[str, Field(max_length=32)]
    result: list[Object]
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    duration_ms: Count | None
    turn: UUID
    round: Count
    attempt: Count
    position: Annotated[int, Field(ge=0, lt=2**15)]
    approval: ApprovalPart | None = None


class Whole(Strict):
    """The export; `messages` are made of the rest and not read."""

    version: Literal[1]
    id: UUID
    title: Name
    model: Model
    system: Text
    inference: Object
    head: UUID | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    messages: list[Object]
    tool_calls: list[CallPart]
    turns: list[TurnPart]
    request_bases: dict[Hash, Text]
