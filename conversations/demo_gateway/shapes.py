"""The shape of a request by botocore's model, and what Bedrock says of a value that does not fit."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

import botocore.session
from botocore.model import Shape

Path: TypeAlias = tuple[str | int, ...]

MODEL = "The model returned the following errors: "
KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "structure": (dict, "a Structure"), "map": (dict, "a Map"), "list": (list, "a List"), "blob": (str, "a Blob"),
    "string": (str, "a String"), "integer": (int, "an Integer"), "float": ((int, float), "a Float"),
    "boolean": (bool, "a Boolean"),
}  # fmt: skip
TOKENS = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", list: "START_ARRAY"}


class Misfit(Exception):
    """A value that is refused before any constraint is looked at; its text is the service's."""


def refused(request: Any) -> str | None:
    """What the service says of a request that does not have the shape; nothing when it has."""
    try:
        faults = list(_faults(_request(), request, ()))
    except Misfit as misfit:
        return str(misfit)
    if not faults:
        return None
    return f"{len(faults)} validation error{'s' * (len(faults) > 1)} detected: {'; '.join(faults)}"


@cache
def _request() -> Shape:
    session = botocore.session.get_session()
    return session.get_service_model("bedrock-runtime").shape_for("ConverseStreamRequest")


def dotted(path: Path) -> str:
    """The path as the service's structural refusals write it: `messages.0.content.1`."""
    return ".".join(map(str, path))


def _membered(path: Path) -> str:
    """The path as constraint refusals write it, from one: `messages.1.member.content.2.member`."""
    return ".".join(f"{part + 1}.member" if isinstance(part, int) else part for part in path)


def _broken(path: Path, rule: str, value: Any) -> str:
    """One broken constraint; content and lists are not repeated, as in the service's own sentences."""
    repeated = "" if "content" in path or isinstance(value, list) else f" '{value}'"
    return f"Value{repeated} at '{_membered(path)}' failed to satisfy constraint: Member must {rule}"


def _missing(path: Path) -> str:
    return f"Value null at '{_membered(path)}' failed to satisfy constraint: Member must not be null"


def _faults(shape: Any, value: Any, path: Path) -> Iterator[str]:
    """The constraints that a value breaks; raises Misfit if it is of the wrong kind."""
    if shape.metadata.get("document"):
        return  # any JSON; whether it has to be an object is a structural rule
    _expect(shape.type_name, value)
    yield from _constraints(shape, value, path)
    if shape.type_name == "structure":
        yield from _members(shape, value, path)
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            place = (*path, index)
            yield from [_missing(place)] if member is None else _faults(shape.member, member, place)
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from _faults(shape.value, member, (*path, key))


def _expect(kind: str, value: Any) -> None:
    types, name = KINDS[kind]
    if isinstance(value, bool) and types is not bool:
        raise Misfit(f"{str(value).upper()}_VALUE can not be converted to {name}")
    if not isinstance(value, types):
        raise Misfit(f"{TOKENS.get(type(value), 'START_OBJECT')} can not be converted to {name}")


def _constraints(shape: Any, value: Any, path: Path) -> Iterator[str]:
    """Pattern, bounds and set of a value, in the service's order."""
    pattern, least, most = (shape.metadata.get(name) for name in ("pattern", "min", "max"))
    if pattern and not re.fullmatch(pattern, value):
        yield _broken(path, f"satisfy regular expression pattern: {pattern}", value)
    is_number = shape.type_name in ("integer", "float")
    size, noun = (value, "value") if is_number else (_size(shape, value, path), "length")
    if least is not None and size < least:
        yield _broken(path, f"have {noun} greater than or equal to {least}", value)
    if most is not None and size > most:
        yield _broken(path, f"have {noun} less than or equal to {most}", value)
    choices = [choice for choice in shape.metadata.get("enum", ()) if not _is_refused(shape, choice)]
    if choices and value not in choices:
        yield _broken(path, f"satisfy enum value set: [{', '.join(choices)}]", value)


def _is_refused(shape: Any, choice: str) -> bool:
    """Whether most models refuse what the service knows: messages of the role `system`."""
    return shape.name == "ConversationRole" and choice == "system"


def _size(shape: Any, value: Any, path: Path) -> int:
    if shape.type_name != "blob":
        return 0 if isinstance(value, bool) else len(value)
    try:
        return len(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        raise Misfit(f"Invalid base64 at '{_membered(path)}'") from None


def _members(shape: Any, value: Mapping[str, Any], path: Path) -> Iterator[str]:
    """Broken constraints of the members; raises Misfit for a member that nobody knows."""
    members = {name: member for name, member in shape.members.items() if name != "modelId"}
    for name in value:
        if name not in members:
            raise Misfit(f"{MODEL}{dotted((*path, name))}: Extra inputs are not permitted")
    present = {k: v for k, v in value.items() if v is not None or members[k].metadata.get("document")}
    if shape.metadata.get("union") and len(present) != 1:
        raise Misfit(f"{MODEL}{dotted(path)}: one of {', '.join(members)} must be set, and only one")
    required = [name for name in shape.required_members if name in members]
    yield from (_missing((*path, name)) for name in required if name not in present)
    for name, member in present.items():
        yield from _faults(members[name], member, (*path, name))
