"""Schemas that come from servers: whether they can be used, and the validation of values."""

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from conversations.protocol.text import beginning, clean_json, clean_text
from conversations.tools import Arguments, InvalidInput, tidy

Schema = dict[str, Any]

MOST_BYTES = 65_536
MOST_DEPTH = 24
MOST_FAULTS = 10
LONGEST = 300
NOT_SENT = ("$schema", "$id", "$comment")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_VALUES = ("const", "default", "enum", "examples")
_PATTERNS = ("pattern", "patternProperties")


class UnusableSchema(Exception):
    """A schema that is not taken; the text says why."""


class RemoteArguments(Arguments):
    """The arguments of a server's tool: `schema` is as models take it. Raises UnusableSchema."""

    def __init__(self, schema: Any) -> None:
        checked = check(schema)
        self.contexts = []
        self.schema: Schema = {"type": "object"} | {
            key: part for key, part in tidy(checked).items() if key not in NOT_SENT
        }
        self._validator = validator(checked)

    def validate(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments, clean; raises InvalidInput with a line for each fault."""
        cleaned: dict[str, Any] = clean_json(arguments)
        if lines := list(faults(self._validator, cleaned)):
            raise InvalidInput("\n".join(["The input does not fit the tool, which was not run:", *lines]))
        return cleaned


def check(schema: Any) -> Schema:
    """The schema of an object; raises UnusableSchema if it is too large, too deep, remote or invalid."""
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise UnusableSchema("its schema is not that of an object")
    if len(json.dumps(schema)) > MOST_BYTES:
        raise UnusableSchema(f"its schema has over {MOST_BYTES:,} bytes")
    _check_part(schema, MOST_DEPTH)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise UnusableSchema(f"its schema is none: {beginning(error.message, LONGEST)}") from None
    return schema


def _check_part(part: Any, depth: int) -> None:
    if depth < 0:
        raise UnusableSchema(f"its schema is over {MOST_DEPTH} levels deep")
    if isinstance(part, list):
        for member in part:
            _check_part(member, depth - 1)
    if not isinstance(part, dict):
        return
    for key in ("$ref", "$dynamicRef"):
        if isinstance(part.get(key), str) and not part[key].startswith("#"):
            raise UnusableSchema("its schema refers to something elsewhere")
    for member in part.values():
        _check_part(member, depth - 1)


def validator(schema: Schema) -> Draft202012Validator:
    """The validator of a schema without its patterns, as a server's may take for ever to match."""
    return Draft202012Validator(_without_patterns(schema))


def _without_patterns(schema: Any, *, is_named: bool = False) -> Any:
    if isinstance(schema, list):
        return [_without_patterns(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: part
        if key in _VALUES and not is_named
        else _without_patterns(part, is_named=key in _NAMED and not is_named)
        for key, part in schema.items()
        if is_named or key not in _PATTERNS
    }


def faults(checker: Draft202012Validator, value: Any) -> Iterator[str]:
    """A line for each fault of the value."""
    for number, error in enumerate(checker.iter_errors(value)):
        if number == MOST_FAULTS:
            yield "- and more"
            return
        yield f"- {_line(error)}"


def _line(error: ValidationError) -> str:
    path = ".".join(map(str, error.absolute_path))
    message = clean_text(beginning(error.message, LONGEST))
    return f"{path}: {message}" if path else message
