"""The file that MCP_SERVERS names: servers in the common format, with some keys of our own."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from conversations.conf import settings
from conversations.errors import ConfigurationError
from conversations.labels import HEADER_NAME

SETTING = "MCP_SERVERS"

_VARIABLE = re.compile(r"\$\{(?:env:)?(\w+)(?::-([^}]*))?\}")
_STDIO_KEYS = ("args", "env", "cwd")
_HTTP_KEYS = ("headers",)

WORDS = {
    "extra_forbidden": "is no key that a server has",
    "dict_type": "is no JSON object",
    "model_type": "is no JSON object",
    "model_attributes_type": "is no JSON object",
    "missing": "is not there",
}
"""Our words for pydantic's kinds of faults, where its own would not be understood."""

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.\- ]+$")]
Glob = Annotated[str, Field(min_length=1)]


class ServerConfiguration(BaseModel):
    """One server: a command that speaks over its standard input and output, or the URL of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["stdio", "http", "streamable-http", "streamable_http", "streamableHttp"] | None = None
    command: Annotated[str, Field(min_length=1)] | None = None
    args: list[str] = []
    env: dict[str, str] = Field({}, repr=False)
    cwd: str | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] | None = Field(None, repr=False)
    headers: dict[str, str] = Field({}, repr=False)
    disabled: bool = False
    description: str = ""
    tools: list[Glob] = ["*"]
    not_tools: list[Glob] = []
    approval: Literal["always", "never"] | list[Glob] | None = None
    trust: bool = False
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @field_validator("headers")
    @classmethod
    def check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        """The headers; raises ValueError for one that HTTP cannot send, without repeating it."""
        for name, value in headers.items():
            if not HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
                raise ValueError("a header has a name or value that HTTP cannot send")
        return headers

    @model_validator(mode="after")
    def check_kind(self) -> "ServerConfiguration":
        """The server; raises ValueError, which names the keys, unless it is of one kind."""
        if self.command and self.url:
            raise ValueError("has both command and url, of which it may have one")
        if not self.command and not self.url:
            raise ValueError("has neither command nor url, of which it needs one")
        own, foreign = ("command", _HTTP_KEYS) if self.command else ("url", _STDIO_KEYS)
        if both := [key for key in foreign if key in self.model_fields_set]:
            raise ValueError(f"has {own} together with {' and '.join(both)}, which is not for it")
        if self.type is not None and (self.type == "stdio") != (self.command is not None):
            raise ValueError(f"has type {self.type} together with {own}")
        return self


class _File(BaseModel):
    """The file. Members of other programs beside the servers are ignored."""

    servers: dict[Name, ServerConfiguration] = Field(alias="mcpServers")


Configurations = Mapping[str, ServerConfiguration]


def read() -> Configurations:
    """The servers that MCP_SERVERS names, none without it; raises ConfigurationError with a sentence."""
    path = settings.MCP_SERVERS
    if not path:
        return {}
    try:
        data = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{SETTING} names {path}, which cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"{SETTING} names {path}, which is not JSON: {error}.") from error
    return {name: server for name, server in _parsed(path, data).items() if not server.disabled}


def _parsed(path: str, data: Any) -> dict[str, ServerConfiguration]:
    try:
        return _File.model_validate(_filled(data, path, ())).servers
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
    sentences = dict.fromkeys(_sentence(fault) for fault in faults)
    raise ConfigurationError(" ".join(f"{SETTING} ({path}): {sentence}." for sentence in sentences))


def _sentence(fault: Any) -> str:
    """A fault as a sentence, with the server's name and the key."""
    _, server, *keys = [*map(str, fault["loc"]), "", ""][: max(3, len(fault["loc"]))]
    what = WORDS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ").lower()
    if not server:
        return f"mcpServers {what}"
    where = ".".join(key for key in keys if key and "[" not in key)
    if fault["type"] == "string_pattern_mismatch":
        what = (
            "is no http or https URL"
            if where == "url"
            else "has a name with characters that names cannot have"
        )
    return f"server {server!r}: {where} {what}" if where else f"server {server!r} {what}"


def _filled(value: Any, path: str, place: tuple[str, ...]) -> Any:
    """The value with `${VAR}` and `${VAR:-default}` replaced by variables of the environment."""
    if isinstance(value, dict):
        return {key: _filled(member, path, (*place, key)) for key, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, path, place) for member in value]
    if not isinstance(value, str) or place[:1] != ("mcpServers",):
        return value

    def variable(match: re.Match[str]) -> str:
        default: str | None = match[2]
        filled = os.environ.get(match[1]) or default
        if filled is None:
            where = f"server {place[1]!r}: {'.'.join(place[2:])}" if len(place) > 1 else "mcpServers"
            raise ConfigurationError(
                f"{SETTING} ({path}): {where} needs the variable {match[1]}, which is not set."
            )
        return filled

    return _VARIABLE.sub(variable, value)
