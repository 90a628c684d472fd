"""A function's arguments: the schema that the model is given, and the check of what it sends."""

import inspect
import json
from collections.abc import Callable
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.errors import PydanticUserError

from conversations.errors import ConfigurationError
from conversations.protocol.text import clean_json, clean_text
from conversations.tools.schema import tidy

_SHOWN_ERRORS = 10
_SHOWN_CHARACTERS = 100
_UNNAMED: dict[Any, str] = {
    inspect.Parameter.POSITIONAL_ONLY: "/",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}
_WORDS = {"missing": "is required", "extra_forbidden": "is not an argument of this tool"}


class InvalidInput(Exception):
    """The model's input does not fit the function; the text says where and why, for the model."""


class Arguments:
    """A function's parameters as a pydantic model; `schema` is their JSON Schema.

    Raises ConfigurationError for a parameter without a name or with a type that has no JSON Schema.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            parameters = _parameters(function)
            # Fields have names of our own: a parameter may be called `json` or `_x`, which a field may not.
            self._names = {f"argument_{number}": name for number, name in enumerate(parameters)}
            self._model = _model(self._names, parameters)
            self.schema: dict[str, Any] = tidy(self._model.model_json_schema())
        except (PydanticUserError, NameError, TypeError, ValueError) as error:
            raise ConfigurationError(str(error).partition("\n")[0]) from error

    def validate(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The function's keyword arguments, converted to their types ("5" is a 5); raises InvalidInput."""
        try:
            # As JSON, not as Python: a strict field then takes an ISO date or an enum's value.
            model = self._model.model_validate_json(json.dumps(clean_json(arguments)))
        except ValidationError as error:
            raise InvalidInput(_explained(error)) from None
        return {name: getattr(model, field) for field, name in self._names.items()}


def _parameters(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Each parameter's type and default, as `create_model` takes them."""
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if stars := _UNNAMED.get(parameter.kind):
            raise TypeError(
                f"the model sends its input by name, so {parameter.name!r} ({stars}) cannot be filled"
            )
    return {p.name: (hints.get(p.name, Any), ... if p.default is p.empty else p.default) for p in parameters}


def _model(names: dict[str, str], parameters: dict[str, tuple[Any, Any]]) -> type[BaseModel]:
    fields: dict[str, Any] = {field: parameters[name] for field, name in names.items()}
    return create_model(
        "Arguments", __config__=ConfigDict(extra="forbid", alias_generator=names.__getitem__), **fields
    )


def _explained(error: ValidationError) -> str:
    """One line for each thing that is wrong, without the library's links, for the model to read and mend."""
    found = error.errors(include_url=False, include_context=False)
    lines = [f"- {_place(one['loc'])} {_fault(one)}" for one in found[:_SHOWN_ERRORS]]
    if more := len(found) - len(lines):
        lines.append(f"- and {more} more")
    return "\n".join(["The input does not fit the tool, which was not run:", *lines])


def _place(location: tuple[int | str, ...]) -> str:
    return _short(".".join(str(part) for part in location)) or "the input"


def _fault(error: Any) -> str:
    if word := _WORDS.get(error["type"]):
        return word
    sent = _short(json.dumps(error["input"], ensure_ascii=False, default=str))
    return f"{_short(error['msg'], 300)} (sent: {sent})"


def _short(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    return clean_text(text if len(text) <= limit else f"{text[: limit - 3]}...")
