"""A small language for the shapes of a request, and the sentences Bedrock says when a value does not fit one."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

MODEL = "The model returned the following errors: "


class Misfit(Exception):
    """A value that is refused before any constraint is looked at; its text is the service's."""


class Shape(Protocol):
    """What a value has to be."""

    def faults(self, value: Any, path: Path) -> Iterator[str]:
        """The constraints that value breaks, each as a sentence; raises Misfit if it is of the wrong kind."""


def dotted(path: Path) -> str:
    """The path as the service's structural refusals write it: `messages.0.content.1`."""
    return ".".join(map(str, path))


def membered(path: Path) -> str:
    """The path as its constraint refusals write it, counted from one: `messages.1.member.content.2.member`."""
    return ".".join(f"{part + 1}.member" if isinstance(part, int) else part for part in path)


def broken(path: Path, rule: str, value: Any) -> str:
    """One broken constraint; content and lists are not repeated, as in the service's own sentences."""
    shown = "" if "content" in path or isinstance(value, list) else f" '{value}'"
    return f"Value{shown} at '{membered(path)}' failed to satisfy constraint: Member must {rule}"


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return f"{str(value).upper()}_VALUE"
    kinds = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", list: "START_ARRAY"}
    return kinds.get(type(value), "START_OBJECT")


def _expect(value: Any, kinds: type | tuple[type, ...], name: str) -> None:
    mistaken = isinstance(value, bool) and kinds is not bool
    if mistaken or not isinstance(value, kinds):
        raise Misfit(f"{_token(value)} can not be converted to {name}")


@dataclass(frozen=True)
class Text:
    """A string of least to most characters, of a pattern, or one of a set."""

    least: int = 0
    most: int | None = None
    pattern: str = ""
    values: tuple[str, ...] = ()

    def faults(self, value: Any, path: Path) -> Iterator[str]:
        """Broken constraints of a string."""
        _expect(value, str, "a String")
        if self.pattern and not re.fullmatch(self.pattern, value):
            yield broken(path, f"satisfy regular expression pattern: {self.pattern}", value)
        yield from _sizes(value, len(value), self.least, self.most, path)
        if self.values and value not in self.values:
            yield broken(path, f"satisfy enum value set: [{', '.join(self.values)}]", value)


def _sizes(value: Any, size: int, least: int, most: int | None, path: Path) -> Iterator[str]:
    if size < least:
        yield broken(path, f"have length greater than or equal to {least}", value)
    if most is not None and size > most:
        yield broken(path, f"have length less than or equal to {most}", value)


@dataclass(frozen=True)
class Number:
    """A number between two bounds, whole or not."""

    least: float | None = None
    most: float | None = None
    whole: bool = False

    def faults(self, value: Any, path: Path) -> Iterator[str]:
        """Broken constraints of a number."""
        _expect(value, int if self.whole else (int, float), "an Integer" if self.whole else "a Float")
        if self.least is not None and value < self.least:
            yield broken(path, f"have value greater than or equal to {self.least}", value)
        if self.most is not None and value > self.most:
            yield broken(path, f"have value less than or equal to {self.most}", value)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def faults(self, value: Any, path: Path) -> Iterator[str]:
        """None; raises Misfit for anything else."""
        _expect(value, bool, "a Boolean")
        yield from ()


@dataclass(frozen=True)
class Blob:
    """Bytes, written as base64."""

    least: int = 0

    def faults(self, value: Any, path: Path) -> Iterator[str]:
        """Broken constraints of bytes; raises Misfit if they are not base64."""
        _expect(value, str, "a Blob")
        try:
            size = len(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            raise Misfit(f"Invalid base64 at '{membered(path)}'") from None
        yield from _sizes(value, size, self.least, None, path)


@dataclass(frozen=True)
class Document:
    """Any JSON; whether it has to be an object is a structural rule."""

    def faults(self, value: Any, path: Path) -> Iterator[str]:
        """None."""
        yield from ()


@dataclass(frozen=True)
class ListOf:
    """A list of least to most members of one shape."""

    member: Shape
    least: int = 0
    most: int | None = None

    def faults(self, value: Any, path: Path) -> Iterator[str]:
        """Broken constraints of a list and of its members."""
        _expect(value, list, "a List")
        yield from _sizes(value, len(value), self.least, self.most, path)
        for index, member in enumerate(value):
            if member is None:
                yield _missing((*path, index))
            else:
                yield from self.member.faults(member, (*path, index))


@dataclass(frozen=True)
class MapOf:
    """An object with any keys and values of one shape."""

    member: Shape

    def faults(self, value: Any, path: Path) -> Iterator[str]:
        """Broken constraints of the values."""
        _expect(value, dict, "a Map")
        for key, member in value.items():
            yield from self.member.faults(member, (*path, key))


@dataclass(frozen=True)
class Structure:
    """An object with known members, some of them required; a union has exactly one."""

    members: Mapping[str, Shape]
    required: Sequence[str] = field(default=())
    union: bool = False

    def faults(self, value: Any, path: Path) -> Iterator[str]:
        """Broken constraints of the members; raises Misfit for a member that nobody knows."""
        _expect(value, dict, "a Structure")
        for key in value:
            if key not in self.members:
                raise Misfit(f"{MODEL}{dotted((*path, key))}: Extra inputs are not permitted")
        given = {k: v for k, v in value.items() if v is not None or isinstance(self.members[k], Document)}
        if self.union and len(given) != 1:
            raise Misfit(f"{MODEL}{dotted(path)}: one of {', '.join(self.members)} must be set, and only one")
        yield from (_missing((*path, key)) for key in self.required if key not in given)
        for key, member in given.items():
            yield from self.members[key].faults(member, (*path, key))


def _missing(path: Path) -> str:
    return f"Value null at '{membered(path)}' failed to satisfy constraint: Member must not be null"


def union(**members: Shape) -> Structure:
    """A structure of which exactly one member is set."""
    return Structure(members, union=True)


def refused(shape: Shape, value: Any) -> str | None:
    """What the service says of a value that does not have the shape; nothing when it has."""
    try:
        faults = list(shape.faults(value, ()))
    except Misfit as misfit:
        return str(misfit)
    if not faults:
        return None
    return f"{len(faults)} validation error{'s' * (len(faults) > 1)} detected: {'; '.join(faults)}"
