"""A server's tools as tools of ours: which are offered, under which names, and who is asked first."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

from conversations.protocol.text import beginning, clean_text
from conversations.tools import RemoteCaller, RemoteTool

from .configuration import ServerConfiguration
from .definitions import Definition
from .schemas import RemoteArguments, UnusableSchema

LONGEST_NAME = 64
_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")
_DIGITS = 8
LONGEST_DESCRIPTION = 8_000


def is_chosen(tool: str, configuration: ServerConfiguration) -> bool:
    """Whether the operator wants the tool of this name."""
    return _matches(tool, configuration.tools) and not _matches(tool, configuration.not_tools)


def _matches(tool: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(tool, glob) for glob in globs)


def tools_of(
    server: str,
    definitions: Iterable[Definition],
    configuration: ServerConfiguration,
    call_of: Callable[[str], RemoteCaller],
) -> tuple[list[RemoteTool], dict[str, str]]:
    """The tools of these definitions, and a reason for each whose schema is not taken."""
    by_name = {definition["name"]: definition for definition in definitions}
    names = names_of(server, by_name)
    tools, reasons = [], {}
    for tool, definition in sorted(by_name.items()):
        try:
            tools.append(_tool(names[tool], server, definition, configuration, call_of(tool)))
        except UnusableSchema as error:
            reasons[tool] = str(error)
    return tools, reasons


def _tool(
    name: str,
    server: str,
    definition: Definition,
    configuration: ServerConfiguration,
    call: RemoteCaller,
) -> RemoteTool:
    is_read_only = configuration.trust and _hints(definition).get("readOnlyHint") is True
    title = definition.get("title") or _hints(definition).get("title") or ""
    return RemoteTool(
        name=name,
        function=_nowhere,
        arguments=RemoteArguments(definition.get("inputSchema")),
        timeout=configuration.timeout,
        approval=_needs_approval(definition["name"], configuration, is_read_only=is_read_only),
        idempotent=is_read_only,
        description=clean_text(beginning(definition.get("description") or str(title), LONGEST_DESCRIPTION)),
        source=server,
        call=call,
    )


def _hints(definition: Definition) -> dict[str, Any]:
    hints = definition.get("annotations")
    return hints if isinstance(hints, dict) else {}


def _needs_approval(tool: str, configuration: ServerConfiguration, *, is_read_only: bool) -> bool:
    """Whether a call needs approval: by the operator's word, else by a trusted server's."""
    match configuration.approval:
        case None:
            return not is_read_only
        case "always":
            return True
        case "never":
            return False
        case globs:
            return _matches(tool, globs)


def _nowhere(**arguments: Any) -> None:
    raise NotImplementedError("a tool of a server is called there")


# -- names


def names_of(server: str, tools: Iterable[str]) -> dict[str, str]:
    """A name of at most 64 plain characters for each tool, which is `server__tool` if that fits.

    A name that would be too long, or that of another tool, ends with a part of a hash.
    """
    whole = {tool: f"{server}__{tool}" for tool in tools}
    plain = {tool: _FOREIGN.sub("_", name) for tool, name in whole.items()}
    uses = Counter(plain.values())
    return {
        tool: name
        if len(name) <= LONGEST_NAME and (uses[name] == 1 or name == whole[tool])
        else _hashed(name, whole[tool])
        for tool, name in plain.items()
    }


def _hashed(name: str, whole: str) -> str:
    digest = hashlib.sha256(whole.encode(errors="replace")).hexdigest()[:_DIGITS]
    return f"{name[: LONGEST_NAME - _DIGITS - 1]}_{digest}"
