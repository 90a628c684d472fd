"""The registry of tools: `@tool` declares one, `specs` describes them to the model."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar, get_args, overload

from conversations.conf import settings
from conversations.errors import ConfigurationError
from conversations.protocol.text import clean_text
from conversations.tools.arguments import Arguments

Function = TypeVar("Function", bound=Callable[..., Any])

Always = Literal["arguments", "tool"]
"""What a user may allow from then on: calls with the same arguments, or with any."""

# The service's own rule: ToolSpecification in botocore's bedrock-runtime model.
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PERMISSION = re.compile(r"\w+\.\S+")


class ToolError(Exception):
    """A failure that is meant for the model, which gets the text."""


@dataclass(frozen=True)
class Tool:
    """A declared function.

    `timeout` is in seconds, None for the setting's. `approval` asks a person before each call, `always` says which further calls their
    answer may allow. `idempotent` says that a call whose end is unknown may be made again. `label` is what people read instead of the
    name, `permission` what its user needs (`app.codename`), `card` the template that draws a call.
    """

    name: str
    function: Callable[..., Any]
    arguments: Arguments
    timeout: float | None = None
    approval: bool = False
    idempotent: bool = False
    always: Always = "arguments"
    label: str = ""
    permission: str = ""
    card: str = ""
    source: str = ""
    """The server that it belongs to, blank for a function of the site."""

    @property
    def template(self) -> str:
        """The template that draws a call's card, if the site has it."""
        return self.card or f"conversations/tools/{self.name}.html"

    @property
    def seconds(self) -> float:
        """How long a call may take."""
        return float(settings.TOOL_TIMEOUT) if self.timeout is None else self.timeout

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Converse's `toolSpec` entry."""
        description = _first_paragraph(self.function)
        return {
            "toolSpec": {
                "name": self.name,
                **({"description": description} if description else {}),
                "inputSchema": {"json": self.arguments.schema},
            }
        }


# The last registry is in use; those before it come back when an `override` ends.
_registries: list[dict[str, Tool]] = [{}]


@overload
def tool(function: Function, /) -> Function: ...
@overload
def tool(
    *,
    name: str | None = None,
    timeout: float | None = None,
    approval: bool = False,
    idempotent: bool = False,
    always: Always = "arguments",
    label: str = "",
    permission: str = "",
    card: str = "",
) -> Callable[[Function], Function]: ...
def tool(  # noqa: PLR0913 (a declaration names what it wants)
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    timeout: float | None = None,
    approval: bool = False,
    idempotent: bool = False,
    always: Always = "arguments",
    label: str = "",
    permission: str = "",
    card: str = "",
) -> Any:
    """Declares a function, sync or async, as a tool, and returns it unchanged.

    Its name, docstring and type hints describe it to the model. Raises ConfigurationError for an invalid name, timeout, permission or
    parameter, and for another tool's name.
    """

    def declare(function: Function) -> Function:
        tool_name = name or function.__name__
        _check(tool_name, timeout)
        _check_always(tool_name, approval, always)
        _check_permission(tool_name, permission)
        arguments = _arguments(tool_name, function)
        words = clean_text(" ".join(label.split()))
        _register(
            Tool(
                tool_name, function, arguments, timeout, approval, idempotent, always, words, permission, card
            )
        )
        return function

    return declare if function is None else declare(function)


def get(name: str) -> Tool | None:
    """The tool of this name."""
    return _registries[-1].get(name)


def label_of(name: str) -> str:
    """The name of a tool for people."""
    declared = get(name)
    return (declared.label if declared else "") or name


def names() -> list[str]:
    """The names of the tools, in order."""
    return sorted(_registries[-1])


def open_names() -> list[str]:
    """The names of the tools that need no permission, in order."""
    return [name for name in names() if not _registries[-1][name].permission]


def specs() -> list[dict[str, Any]]:
    """The tools as `toolConfig` takes them, by name; the entries are shared and not to be changed."""
    return [tool.spec for _, tool in sorted(_registries[-1].items())]


def replace(source: str, tools: Iterable[Tool]) -> list[str]:
    """Replaces a source's tools. Returns the names that others' tools have; those stay as they are."""
    others = {name: tool for name, tool in _registries[-1].items() if tool.source != source}
    named = {tool.name: tool for tool in tools}
    _registries[-1] = named | others
    return sorted(named.keys() & others.keys())


@contextmanager
def override(*names: str) -> Iterator[None]:
    """For tests: within it, in every thread, there are only the tools named and those declared meanwhile.

    After it all is as before. Raises KeyError for a name that is not a tool's.
    """
    _registries.append({name: _registries[-1][name] for name in names})
    try:
        yield
    finally:
        _registries.pop()


def _check(name: str, timeout: float | None) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"Tool {name!r}: a name has 1 to 64 letters of a-z, A-Z, 0-9, _ and -.")
    if timeout is not None and not 0 < timeout < float("inf"):
        raise ConfigurationError(f"Tool {name!r}: timeout is {timeout!r}, but must be seconds above 0.")


def _check_always(name: str, approval: bool, always: str) -> None:
    if always not in get_args(Always):
        raise ConfigurationError(f"Tool {name!r}: always is {always!r}, but must be 'arguments' or 'tool'.")
    if always == "tool" and not approval:
        raise ConfigurationError(f"Tool {name!r}: always='tool' needs approval=True, else nobody is asked.")


def _check_permission(name: str, permission: str) -> None:
    if permission and not _PERMISSION.fullmatch(permission):
        raise ConfigurationError(
            f"Tool {name!r}: permission is {permission!r}, but must be like 'app.codename'."
        )


def _arguments(name: str, function: Callable[..., Any]) -> Arguments:
    try:
        return Arguments(function)
    except ConfigurationError as error:
        raise ConfigurationError(f"Tool {name!r} in {function.__module__}: {error}.") from error


def _register(new: Tool) -> None:
    old = get(new.name)
    if old and _origin(old.function) != _origin(new.function):
        modules = f"{old.function.__module__} and in {new.function.__module__}"
        raise ConfigurationError(f"Tool {new.name!r} is declared twice: in {modules}.")
    _registries[-1][new.name] = new


def _origin(function: Callable[..., Any]) -> tuple[str, str]:
    """The identity of a function, which stays when its module is imported once more."""
    return function.__module__, function.__qualname__


def _first_paragraph(function: Callable[..., Any]) -> str:
    paragraph = re.split(r"\n\s*\n", inspect.getdoc(function) or "")[0]
    return clean_text(" ".join(paragraph.split()))
