"""Arguments for a tool call, drawn from a question as the tool's JSON schema asks for them."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from conversations.demo_gateway.conversation import words
from conversations.demo_gateway.cues import Cues

Schema = Mapping[str, Any]

DEEP = 6
"""How many levels are filled in before a schema that refers to itself is cut short."""
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
    """The arguments of each call that a question wants.

    That is one, or one for each candidate if a single text is required. With `several` the examples in the property's
    description serve when the question has fewer than two candidates.
    """
    return [draw(schema, f'{text} "{text}"') for text in _candidates(schema, question, several)] or [
        draw(schema, question)
    ]


def _candidates(schema: Schema, question: str, several: bool) -> list[str]:
    required: list[str] = schema.get("required") or []
    if len(required) != 1:
        return []
    member = _plain((schema.get("properties") or {}).get(required[0]), schema)
    if _kind(member) != "string" or "enum" in member or "const" in member:
        return []
    kinds = cue_kinds(member, required[0]) or (*LIKELY, "sign")
    for text in (question, str(member.get("description", ""))) if several else (question,):
        candidates = list(dict.fromkeys(Cues(text).all(*kinds)))
        if len(candidates) > 1:
            return candidates
    return []


def draw(schema: Schema, question: str) -> dict[str, Any]:
    """Arguments for a tool with this input schema, from the words of the question.

    What is required is always there.
    """
    value = _Draw(schema, question).value({"type": "object", **schema})
    return value if isinstance(value, dict) else {}


def cue_kinds(schema: Schema, name: str) -> tuple[str, ...]:
    """The kind of cue that a string property takes, by its format or its name; none if any will do."""
    if schema.get("format") in FORMATS:
        return (schema["format"],)
    description = f"{name.replace('_', ' ')} {schema.get('description', '')}".lower()
    signs = {r"\bcall ?sign|^sign\b": "sign", r"\be-?mail": "email", r"\burl\b": "uri"}
    return next(((kind,) for pattern, kind in signs.items() if re.search(pattern, description)), ())


class _Draw:
    """One call's arguments in the making; each candidate of the question is used once."""

    def __init__(self, root: Schema, question: str) -> None:
        self.root = root
        self.cues = Cues(question)
        self.words = words(question)

    def value(self, schema: Any, name: str = "", depth: int = 0) -> Any:
        """A value that fits the schema, for the property of that name."""
        plain = _plain(schema, self.root, depth)
        if "const" in plain:
            return plain["const"]
        if plain.get("enum"):
            choices = plain["enum"]
            return next((choice for choice in choices if words(str(choice)) & self.words), choices[0])
        return self._of_kind(_kind(plain), plain, name, depth)

    def _of_kind(self, kind: str, plain: Schema, name: str, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(plain, depth)
            case "array":
                return self._array(plain, name, depth)
            case "integer" | "number":
                return self._number(plain)
            case "boolean":
                return plain.get("default") is not False
            case "null":
                return None
        return self._string(plain, name)

    def _number(self, schema: Schema) -> float:
        cue, default = self.cues.take("number"), schema.get("default")
        first = cue if cue is not None else default if isinstance(default, int | float) else 1
        candidates = [first, *_numbers(schema)]
        if _kind(schema) == "integer":
            candidates = [int(candidate) for candidate in candidates]
        return next((number for number in candidates if _allowed(schema, number)), first)

    def _string(self, schema: Schema, name: str) -> str:
        pattern = schema.get("pattern", "")
        fitting = (_sized(schema, str(value)) for value in self._strings(schema, name) if value is not None)
        return next((text for text in fitting if re.search(pattern, text)), _sized(schema, "example"))

    def _strings(self, schema: Schema, name: str) -> Iterator[Any]:
        """What the property could be, likeliest first; what has been looked at is used up."""
        hints = Cues(str(schema.get("description", "")))
        kinds = cue_kinds(schema, name) or (("number",) if hints.candidates["number"] else LIKELY)
        yield self.cues.take(*kinds)
        yield FORMATS.get(kinds[0])
        yield self.cues.text if words(name) & WHOLE_QUESTION else None
        yield self.cues.take(*LIKELY, "sign")
        yield schema.get("default")
        yield from schema.get("examples", ())
        yield hints.take("sign", *LIKELY)
        yield from sorted(self.words, key=lambda word: (-len(word), word))

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        if schema.get("prefixItems"):
            return [self.value(item, name, depth + 1) for item in schema["prefixItems"]]
        items = _plain(schema.get("items"), self.root, depth)
        kinds = ("number",) if _kind(items) in ("number", "integer") else LIKELY
        likely = 0 if depth >= DEEP else max(1, len(self.cues.all(*kinds)))
        count = max(schema.get("minItems", 0), min(likely, schema.get("maxItems", math.inf)))
        values = [self.value(items, name, depth + 1) for _ in range(int(count))]
        distinct = [value for index, value in enumerate(values) if value not in values[:index]]
        return distinct if schema.get("uniqueItems") else values

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        """All that is required, and of the rest what the question names."""
        members = schema.get("properties") or {}
        required = schema.get("required") or ()
        named = [key for key in members if depth < DEEP and words(key.replace("_", " ")) & self.words]
        return {
            key: self.value(members[key], key, depth + 1)
            for key in members
            if key in required or key in named
        }


# -- reading a schema: references and unions resolved, kinds and bounds


def _plain(schema: Any, root: Schema, depth: int = 0) -> Schema:
    """The schema without `$ref`, `anyOf`, `oneOf` and `allOf`.

    Of a union it is the first branch that is not null, and deep down null.
    """
    if not isinstance(schema, Mapping):
        return {}
    if "$ref" in schema:
        return _plain({**_referenced(schema["$ref"], root), **_without(schema, "$ref")}, root, depth)
    for union in ("anyOf", "oneOf"):
        if schema.get(union):
            first = min(schema[union], key=lambda branch: (branch.get("type") == "null") == (depth < DEEP))
            return _plain({**first, **_without(schema, union)}, root, depth)
    merged: Schema = _without(schema, "allOf")
    for part in schema.get("allOf", ()):
        merged = {**_plain(part, root, depth), **merged}
    return merged


def _referenced(reference: str, root: Schema) -> Schema:
    place: Any = root
    for key in reference.removeprefix("#").strip("/").split("/"):
        place = place.get(key, {}) if key and isinstance(place, Mapping) else place
    return place if isinstance(place, Mapping) else {}


def _without(schema: Schema, key: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def _kind(schema: Schema) -> str:
    """The JSON type that a plain schema asks for."""
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((kind for kind in declared if kind != "null"), "null")
    if isinstance(declared, str):
        return declared
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _numbers(schema: Schema) -> list[float]:
    """Numbers at, between and just within a schema's bounds, and multiples of its step."""
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low))
    step = schema.get("multipleOf") or 1
    multiple = math.ceil(low / step) * step
    return [multiple, multiple + step, low, low + 1, high, high - 1, (low + high) / 2]


def _allowed(schema: Schema, value: float) -> bool:
    """Whether a number is within a schema's bounds."""
    step = schema.get("multipleOf")
    return (
        schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf)
        and (not step or math.isclose(value / step, round(value / step), rel_tol=0, abs_tol=1e-9))
    )


def _sized(schema: Schema, text: str) -> str:
    """The text made as long or as short as the schema wants it."""
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
