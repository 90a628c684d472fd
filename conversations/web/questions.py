"""The form for a running call's question: a field for each property of the answer's schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from conversations import engine
from conversations.protocol.text import visible

PREFIX = "field-"
INPUT_TYPES = {"email": "email", "uri": "url", "date": "date"}
BOUNDS = {"minimum": "min", "maximum": "max", "minLength": "minlength", "maxLength": "maxlength"}


@dataclass
class Choice:
    """A value that may be chosen."""

    value: str
    label: str
    is_chosen: bool


@dataclass
class Field:
    """A field of the form: `kind` is `text`, `checkbox`, `select` or `several`."""

    name: str
    label: str
    hint: str
    kind: str
    is_required: bool
    value: str = ""
    input_type: str = "text"
    attributes: dict[str, Any] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Its name in the form."""
        return PREFIX + self.name


def fields_of(schema: Mapping[str, Any], sent: QueryDict | None = None) -> Iterator[Field]:
    """The fields, with the values of a form that was refused, or else with their defaults."""
    required = schema.get("required")
    for name, part in _properties(schema).items():
        values = (
            [str(value) for value in _values(part.get("default"))]
            if sent is None
            else sent.getlist(PREFIX + name)
        )
        yield _field(name, part, values, is_required=isinstance(required, list) and name in required)


def _field(name: str, part: Mapping[str, Any], values: list[str], *, is_required: bool) -> Field:
    options = list(_options(part))
    kind = "text"
    if part.get("type") == "boolean":
        kind, values = "checkbox", ["on"] if values and values[0].lower() in ("true", "on") else []
    elif options:
        kind = "several" if part.get("type") == "array" else "select"
    return Field(
        name=name,
        label=visible(str(part.get("title") or name)),
        hint=visible(str(part.get("description") or "")),
        kind=kind,
        is_required=is_required,
        value=values[0] if values else "",
        input_type=_input_type(part),
        attributes={BOUNDS[key]: part[key] for key in BOUNDS if isinstance(part.get(key), (int, float))},
        choices=[Choice(value, visible(label), value in values) for value, label in options],
    )


def _input_type(part: Mapping[str, Any]) -> str:
    if part.get("type") in ("integer", "number"):
        return "number"
    return INPUT_TYPES.get(str(part.get("format")), "text")


def _options(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The values that may be chosen, each with its label."""
    items = part.get("items")
    source = items if part.get("type") == "array" and isinstance(items, dict) else part
    names = part.get("enumNames")
    labels = names if isinstance(names, list) else []
    for number, value in enumerate(_values(source.get("enum"))):
        yield str(value), str(labels[number] if number < len(labels) else value)
    for option in _values(source.get("oneOf") or source.get("anyOf")):
        if isinstance(option, dict) and "const" in option:
            yield str(option["const"]), str(option.get("title") or option["const"])


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _properties(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    properties = schema.get("properties")
    whole = properties if isinstance(properties, dict) else {}
    return {name: part for name, part in whole.items() if isinstance(part, dict)}


def payload_of(schema: Mapping[str, Any], sent: QueryDict) -> dict[str, Any]:
    """The answer in a form that was sent, without the fields that were left blank."""
    payload: dict[str, Any] = {}
    for name, part in _properties(schema).items():
        values = [value for value in sent.getlist(PREFIX + name) if value != ""]
        if part.get("type") == "boolean":
            payload[name] = bool(values)
        elif part.get("type") == "array":
            payload[name] = values
        elif values:
            payload[name] = engine.value_of(values[0], part)
    return payload
