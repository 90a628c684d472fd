"""The shape of a request by botocore's model, and what Bedrock says of a value that does not fit."""

import base64
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeAlias

import botocore.session
from botocore.model import ServiceModel

Path: TypeAlias = tuple[str | int, ...]

MODEL = "The model returned the following errors: "
TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict, "map": dict, "list": list, "blob": str, "string": str, "boolean": bool, "integer": int,
    "float": (int, float),
}  # fmt: skip
TOKENS = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", list: "START_ARRAY"}


class Misfit(Exception):
    """A value that is refused before any constraint is looked at; its text is the service's."""


def refusal(request: Any) -> str | None:
    """What the service says of a request that does not have the shape; None when it has."""
    try:
        faults = list(_faults(service().shape_for("ConverseStreamRequest"), request, ()))
    except Misfit as misfit:
        return str(misfit)
    if not faults:
        return None
    return f"{len(faults)} validation error{'s' * (len(faults) > 1)} detected: {'; '.join(faults)}"


@cache
def service() -> ServiceModel:
    """Bedrock's runtime as botocore knows it."""
    return botocore.session.get_session().get_service_model("bedrock-runtime")


def dotted_path(path: Path) -> str:
    """The path as the service's structural refusals write it: `messages.0.content.1`."""
    return ".".join(map(str, path))


def _member_path(path: Path) -> str:
    """The path as constraint refusals write it, from one: `messages.1.member.content.2.member`."""
    return ".".join(f"{part + 1}.member" if isinstance(part, int) else part for part in path)


def _broken(path: Path, rule: str, value: str = "") -> str:
    return f"Value{value} at '{_member_path(path)}' failed to satisfy constraint: Member must {rule}"


def _faults(shape: Any, value: Any, path: Path) -> Iterator[str]:
    """The constraints that a value breaks; raises Misfit if it is of the wrong kind."""
    if shape.metadata.get("document"):
        return  # any JSON; whether it has to be an object is a structural rule
    kind = shape.type_name
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        token = TOKENS.get(
            type(value), f"{value}_VALUE".upper() if isinstance(value, bool) else "START_OBJECT"
        )
        raise Misfit(f"{token} can not be converted to {'an' if kind == 'integer' else 'a'} {kind.title()}")
    # Content and lists are not repeated, as in the service's own sentences.
    repeated = "" if "content" in path or kind == "list" else f" '{value}'"
    yield from (_broken(path, rule, repeated) for rule in _rules(shape, value, path))
    for name, member, part in _members(shape, value, path):
        place = (*path, name)
        yield from _faults(member, part, place) if member else [_broken(place, "not be null", " null")]


def _rules(shape: Any, value: Any, path: Path) -> Iterator[str]:
    """The rules of pattern, bounds and set that a value breaks, in the service's order."""
    pattern, least, most = (shape.metadata.get(name) for name in ("pattern", "min", "max"))
    if pattern and not re.fullmatch(pattern, value):
        yield f"satisfy regular expression pattern: {pattern}"
    is_number = shape.type_name in ("integer", "float")
    noun, size = ("value", value) if is_number else ("length", _length(shape, value, path))
    if least is not None and size < least:
        yield f"have {noun} greater than or equal to {least}"
    if most is not None and size > most:
        yield f"have {noun} less than or equal to {most}"
    # Most models refuse what the service knows: messages of the role `system`.
    choices = ["user", "assistant"] if shape.name == "ConversationRole" else shape.metadata.get("enum")
    if choices and value not in choices:
        yield f"satisfy enum value set: [{', '.join(choices)}]"


def _length(shape: Any, value: Any, path: Path) -> int:
    if shape.type_name != "blob":
        return 0 if shape.type_name == "boolean" else len(value)
    try:
        return len(base64.b64decode(value, validate=True))
    except ValueError:
        raise Misfit(f"Invalid base64 at '{_member_path(path)}'") from None


def _members(shape: Any, value: Any, path: Path) -> Iterator[tuple[str | int, Any, Any]]:
    """Name, shape and value of each member. A missing one has no shape; an unknown one raises Misfit."""
    if shape.type_name == "list":
        yield from ((index, None if part is None else shape.member, part) for index, part in enumerate(value))
    elif shape.type_name == "map":
        yield from ((key, shape.value, part) for key, part in value.items())
    elif shape.type_name == "structure":
        members = {name: member for name, member in shape.members.items() if name != "modelId"}
        for name in filter(lambda name: name not in members, value):
            raise Misfit(f"{MODEL}{dotted_path((*path, name))}: Extra inputs are not permitted")
        documents = {name for name in value if members[name].metadata.get("document")}
        present = [name for name in value if value[name] is not None or name in documents]
        if shape.metadata.get("union") and len(present) != 1:
            raise Misfit(f"{MODEL}{dotted_path(path)}: one of {', '.join(members)} must be set, and only one")
        missing = [name for name in shape.required_members if name in members and name not in present]
        yield from ((name, None, None) for name in missing)
        yield from ((name, members[name], value[name]) for name in present)
