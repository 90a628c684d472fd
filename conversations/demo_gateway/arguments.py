"""Arguments for a tool call, drawn from a question as the tool's JSON schema asks for them."""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from conversations.demo_gateway import schemas
from conversations.demo_gateway.conversation import words
from conversations.demo_gateway.cues import Cues
from conversations.demo_gateway.schemas import DEEP, Schema

WHOLE_QUESTION = {"query", "question", "text", "message", "prompt", "content", "input", "topic", "sentence"}
FORMATS = {
    "date-time": "2026-01-01T12:00:00Z",
    "date": "2026-01-01",
    "time": "12:00:00",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
LIKELY = ("quoted", "name")


def calls(schema: Schema, question: str, several: bool = False) -> list[dict[str, Any]]:
    """The arguments of each call that a question wants: one, or one for each candidate of a lone required text.

    With `several` the examples in the property's description serve when the question has fewer than two candidates.
    """
    return [draw(schema, f'{each} "{each}"') for each in _candidates(schema, question, several)] or [
        draw(schema, question)
    ]


def _candidates(schema: Schema, question: str, several: bool) -> list[str]:
    required: list[str] = schema.get("required") or []
    if len(required) != 1:
        return []
    member = schemas.plain((schema.get("properties") or {}).get(required[0]), schema)
    if schemas.kind(member) != "string" or "enum" in member or "const" in member:
        return []
    kinds = wanted(member, required[0]) or (*LIKELY, "sign")
    for text in (question, str(member.get("description", ""))) if several else (question,):
        found = list(dict.fromkeys(Cues(text).all(*kinds)))
        if len(found) > 1:
            return found
    return []


def draw(schema: Schema, question: str) -> dict[str, Any]:
    """Arguments for a tool with this input schema, from the words of the question; what is required is always there."""
    drawn = _Draw(schema, question).value({"type": "object", **schema})
    return drawn if isinstance(drawn, dict) else {}


def wanted(schema: Schema, name: str) -> tuple[str, ...]:
    """The kind of cue that a string property takes, by its format or by what it is called; none if any will do."""
    if schema.get("format") in FORMATS:
        return (schema["format"],)
    described = f"{name.replace('_', ' ')} {schema.get('description', '')}".lower()
    signs = {r"\bcall ?sign|^sign\b": "sign", r"\be-?mail": "email", r"\burl\b": "uri"}
    return next(((kind,) for pattern, kind in signs.items() if re.search(pattern, described)), ())


class _Draw:
    """One call's arguments in the making; each candidate of the question is used once."""

    def __init__(self, root: Schema, question: str) -> None:
        self.root = root
        self.cues = Cues(question)
        self.asked = words(question)
        self.kinds: dict[str, Callable[[Schema, str, int], Any]] = {
            "string": self._string,
            "integer": self._number,
            "number": self._number,
            "boolean": self._boolean,
            "array": self._array,
            "object": self._object,
            "null": lambda schema, name, depth: None,
        }

    def value(self, schema: Any, name: str = "", depth: int = 0) -> Any:
        """A value that fits the schema, for the property of that name."""
        plain = schemas.plain(schema, self.root, depth)
        if "const" in plain:
            return plain["const"]
        if plain.get("enum"):
            return next((each for each in plain["enum"] if words(str(each)) & self.asked), plain["enum"][0])
        return self.kinds.get(schemas.kind(plain), self._string)(plain, name, depth)

    def _boolean(self, schema: Schema, name: str, depth: int) -> bool:
        return schema.get("default") is not False

    def _number(self, schema: Schema, name: str, depth: int) -> float:
        found, default = self.cues.take("number"), schema.get("default")
        first = found if found is not None else default if isinstance(default, int | float) else 1
        candidates = [first, *schemas.bounds(schema), 0, 1]
        if schemas.kind(schema) == "integer":
            candidates = [int(candidate) for candidate in candidates]
        return next((each for each in candidates if schemas.allowed(schema, each)), first)

    def _string(self, schema: Schema, name: str, depth: int) -> str:
        pattern = schema.get("pattern", "")
        fitting = (
            schemas.sized(schema, str(each)) for each in self._strings(schema, name) if each is not None
        )
        return next((text for text in fitting if re.search(pattern, text)), schemas.sized(schema, "example"))

    def _strings(self, schema: Schema, name: str) -> Iterator[Any]:
        """What the property could be, likeliest first; what has been looked at is used up."""
        hints = Cues(str(schema.get("description", "")))
        kinds = wanted(schema, name) or (("number",) if hints.found["number"] else LIKELY)
        yield self.cues.take(*kinds)
        yield FORMATS.get(kinds[0])
        yield self.cues.text if words(name) & WHOLE_QUESTION else None
        yield self.cues.take(*LIKELY, "sign")
        yield schema.get("default")
        yield from schema.get("examples", ())
        yield hints.take("sign", *LIKELY)
        yield from sorted(self.asked, key=lambda word: (-len(word), word))

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        if schema.get("prefixItems"):
            return [self.value(item, name, depth + 1) for item in schema["prefixItems"]]
        items = schemas.plain(schema.get("items"), self.root, depth)
        kinds = ("number",) if schemas.kind(items) in ("number", "integer") else LIKELY
        likely = 0 if depth >= DEEP else max(1, len(self.cues.all(*kinds)))
        count = max(schema.get("minItems", 0), min(likely, schema.get("maxItems", math.inf)))
        drawn = [self.value(items, name, depth + 1) for _ in range(int(count))]
        distinct = [each for index, each in enumerate(drawn) if each not in drawn[:index]]
        return distinct if schema.get("uniqueItems") else drawn

    def _object(self, schema: Schema, name: str, depth: int) -> dict[str, Any]:
        """All that is required, and of the rest what the question names."""
        members = schema.get("properties") or {}
        required = schema.get("required") or ()
        named = [key for key in members if depth < DEEP and words(key.replace("_", " ")) & self.asked]
        return {
            key: self.value(members[key], key, depth + 1)
            for key in members
            if key in required or key in named
        }
