"""A function's arguments: their schema for the model, and the validation of the model's input."""

import inspect
import json
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.errors import PydanticUserError

from conversations.errors import ConfigurationError
from conversations.protocol.text import clean_json, clean_text
from conversations.tools.context import Context
from conversations.tools.schema import tidy

_MAX_ERRORS = 10
_MAX_CHARACTERS = 100
_STARS: dict[Any, str] = {
    inspect.Parameter.POSITIONAL_ONLY: "/",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}
_FAULTS = {"missing": "is required", "extra_forbidden": "is not an argument of this tool"}


class InvalidInput(Exception):
    """The model's input does not fit the function; the text tells the model where and why."""


class Arguments:
    """A function's parameters as a pydantic model; `schema` is their JSON Schema.

    `contexts` are the names of the parameters that get the call's Context, which are not in the schema. Raises ConfigurationError for a
    parameter that has no name or whose type has no JSON Schema.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            parameters = _parameters(function)
            self.contexts = [name for name, (hint, _) in parameters.items() if _is_context(hint)]
            for name in self.contexts:
                del parameters[name]
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
            raise InvalidInput(_explanation(error)) from None
        return {name: getattr(model, field) for field, name in self._names.items()}


def _parameters(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Each parameter's type and default, as `create_model` takes them."""
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if stars := _STARS.get(parameter.kind):
            raise TypeError(
                f"the model sends its input by name, so {parameter.name!r} ({stars}) cannot be filled"
            )
    return {p.name: (hints.get(p.name, Any), ... if p.default is p.empty else p.default) for p in parameters}


def _is_context(hint: Any) -> bool:
    """Whether a parameter's annotation is `Context` or `Context | None`."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return hint is Context or (Context in get_args(hint) and set(get_args(hint)) <= {Context, type(None)})


def _model(names: dict[str, str], parameters: dict[str, tuple[Any, Any]]) -> type[BaseModel]:
    fields: dict[str, Any] = {field: parameters[name] for field, name in names.items()}
    return create_model(
        "Arguments", __config__=ConfigDict(extra="forbid", alias_generator=names.__getitem__), **fields
    )


def _explanation(error: ValidationError) -> str:
    """A line for each fault, without pydantic's links, for the model to read and mend."""
    errors = error.errors(include_url=False, include_context=False)
    lines = [f"- {_path(fault['loc'])} {_fault(fault)}" for fault in errors[:_MAX_ERRORS]]
    if more := len(errors) - len(lines):
        lines.append(f"- and {more} more")
    return "\n".join(["The input does not fit the tool, which was not run:", *lines])


def _path(location: tuple[int | str, ...]) -> str:
    return _short(".".join(map(str, location))) or "the input"


def _fault(error: Any) -> str:
    if fault := _FAULTS.get(error["type"]):
        return fault
    value = _short(json.dumps(error["input"], ensure_ascii=False, default=str))
    return f"{_short(error['msg'], 300)} (sent: {value})"


def _short(text: str, limit: int = _MAX_CHARACTERS) -> str:
    return clean_text(text if len(text) <= limit else f"{text[: limit - 3]}...")
