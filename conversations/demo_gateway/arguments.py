"""Arguments for a tool call, drawn from a question as the tool's JSON schema asks for them."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from conversations.demo_gateway.conversation import words

Schema = Mapping[str, Any]

DEEP = 6
"""How many levels are filled in before a schema that refers to itself is cut short."""
SEARCHED = 2000
"""How far a text is searched: some of these patterns take the square of its length."""
LIKELY = ("quoted", "name")
WHOLE_QUESTION = {"query", "question", "text", "message", "prompt", "content", "input", "topic", "sentence"}
KINDS_BY_NAME = {r"\bcall ?sign|^sign\b": "sign", r"\be-?mail": "email", r"\burl\b": "uri"}
EXAMPLES = {
    "date-time": "2026-01-01T12:00:00Z",
    "date": "2026-01-01",
    "time": "12:00:00",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""A string of each format, for a question that holds none."""

# A North American station: K or W and two or three letters.
NO_SIGN = r"(?!(?:WHAT|WHEN|WITH|WANT|WELL|WILL|WERE|WHO|WHY|WAS|KNOW|KEEP|KIND|WAY|WAIT|WEEK|KEY)\b)"
SIGN = rf"\b{NO_SIGN}[KW][A-Z]{{2,3}}(?:-(?:AM|FM|TV))?\b"
SPOKEN_SIGN = rf"(?i:\b(?:on|at|of|for|station)\s+{NO_SIGN})([kw][a-z]{{2,3}})\b"
CAPITALISED = rf"(?!{SIGN}|[\w.+-]+@)[^\W\d_a-z][\w'\u2019-]*"
CUES = re.compile(
    rf"""
    (?P<uri> https?://[^\s"'<>)]+)
    | (?P<email> [\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    | (?P<uuid> \b[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}\b)
    | (?P<date_time> \b\d{{4}}-\d\d-\d\d[T\ ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?)
    | (?P<date> \b\d{{4}}-\d\d-\d\d\b)
    | (?P<time> \b\d{{1,2}}:\d\d(?::\d\d)?\b)
    | (?P<quoted> "[^"]+" | “[^”]+” | `[^`]+` | (?<!\w)'[^']+'(?!\w))
    | (?P<sign> {SIGN})
    | (?P<name> {CAPITALISED}(?:[ ]+{CAPITALISED})*)
    | (?P<number> (?<![\w.-])-?\d[\d,]*(?:\.\d+)?(?![\w-]))
    """,
    re.VERBOSE,
)
"""What a text may hold for an argument. What could be several of these is the first."""


def calls(schema: Schema, question: str, several: bool = False) -> list[dict[str, Any]]:
    """The arguments of each call that a question wants.

    That is one, or one for each candidate if a single text is required. With `several` the examples in the property's
    description serve when the question has fewer than two candidates.
    """
    required = schema.get("required") or []
    name = required[0] if len(required) == 1 else ""
    member = _plain((schema.get("properties") or {}).get(name), schema)
    texts = [question, str(member.get("description", ""))] if several else [question]
    if not name or _kind(member) != "string" or member.keys() & {"enum", "const"}:
        texts = []
    kinds = _cue_kinds(member, name) or (*LIKELY, "sign")
    candidates = (dict.fromkeys(Cues(text).all(*kinds)) for text in texts)
    questions = (f'{text} "{text}"' for text in next((them for them in candidates if len(them) > 1), ()))
    return [draw(schema, question) for question in questions] or [draw(schema, question)]


def draw(schema: Schema, question: str) -> dict[str, Any]:
    """Arguments for a tool with this input schema, from the words of the question.

    What is required is always there.
    """
    value = _Drawing(schema, question).value({"type": "object", **schema})
    return value if isinstance(value, dict) else {}


class Cues:
    """The candidates of a text, kind by kind; each is taken once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.candidates: dict[str, list[Any]] = defaultdict(list)
        for kind, value in _cues(text[:SEARCHED]):
            self.candidates[kind].append(value)
        if not self.candidates["sign"]:
            self.candidates["sign"] = [word.upper() for word in re.findall(SPOKEN_SIGN, text[:SEARCHED])]

    def all(self, *kinds: str) -> list[Any]:
        """What is left of the first of these kinds that has anything left."""
        return next((self.candidates[kind] for kind in kinds if self.candidates[kind]), [])

    def take(self, *kinds: str) -> Any:
        """The next candidate of these kinds, or nothing."""
        left = self.all(*kinds)
        return left.pop(0) if left else None


def _cues(text: str) -> Iterator[tuple[str, Any]]:
    """Kind and value of each candidate; an address in quotes is one too."""
    for match in CUES.finditer(text):
        value, kind = match[0], str(match.lastgroup).replace("_", "-")
        match kind:
            case "quoted":
                yield kind, value[1:-1]
                yield from (cue for cue in _cues(value[1:-1]) if cue[0] in EXAMPLES)
            case "name":
                yield from ((kind, name) for name in _names(match))
            case "number":
                plain = value.replace(",", "")
                yield kind, float(plain) if "." in plain else int(plain)
            case _:
                yield kind, value


def _names(match: re.Match[str]) -> Iterator[str]:
    """Capitalised words as one name. The first word of a longer sentence is no sign of one."""
    name, before = match[0], match.string[: match.start()].rstrip(" ")
    is_alone = " " not in name and name == match.string.strip(" .!?")
    if not is_alone and (not before or before[-1] in ".!?:\n"):
        name = name.partition(" ")[2]
    if name and name != "I" and not name.startswith("I'"):
        yield name


class _Drawing:
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
        if choices := plain.get("enum"):
            return next((choice for choice in choices if words(str(choice)) & self.words), choices[0])
        return self._of_kind(_kind(plain), plain, name, depth)

    def _of_kind(self, kind: str, schema: Schema, name: str, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number":
                return self._number(schema, kind == "integer")
            case "boolean":
                return schema.get("default") is not False
            case "null":
                return None
        return self._string(schema, name)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        """All that is required, and of the rest what the question names."""
        members, wanted = schema.get("properties") or {}, set(schema.get("required") or ())
        if depth < DEEP:
            wanted |= {key for key in members if words(key.replace("_", " ")) & self.words}
        return {key: self.value(members[key], key, depth + 1) for key in members if key in wanted}

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        items = schema.get("prefixItems")
        if not items:
            kind = _kind(_plain(schema.get("items"), self.root, depth))
            cues = self.cues.all(*(("number",) if kind in ("number", "integer") else LIKELY))
            likely = 0 if depth >= DEEP else max(1, len(cues))
            count = max(schema.get("minItems", 0), min(likely, schema.get("maxItems", likely)))
            items = [schema.get("items")] * count
        values = [self.value(item, name, depth + 1) for item in items]
        distinct = [value for index, value in enumerate(values) if value not in values[:index]]
        return distinct if schema.get("uniqueItems") else values

    def _number(self, schema: Schema, is_integer: bool) -> float:
        """The question's number, the default or one at the bounds: the first that the schema allows."""
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        high = schema.get("maximum", schema.get("exclusiveMaximum", low))
        step = schema.get("multipleOf") or 1
        multiple = math.ceil(low / step) * step
        bounds = [multiple, multiple + step, low, low + 1, high, high - 1, (low + high) / 2]
        candidates = [self.cues.take("number"), schema.get("default"), 1, *bounds]
        numbers = [number for number in candidates if isinstance(number, int | float)]
        numbers = [int(number) for number in numbers] if is_integer else numbers
        return next((number for number in numbers if _allows(schema, number)), numbers[0])

    def _string(self, schema: Schema, name: str) -> str:
        """The first candidate that the pattern allows, made as long or as short as it has to be."""
        least, most, pattern = schema.get("minLength", 0), schema.get("maxLength"), schema.get("pattern", "")
        texts = (
            str(text).ljust(least, "x")[:most] for text in self._strings(schema, name) if text is not None
        )
        return next((text for text in texts if re.search(pattern, text)), "example".ljust(least, "x")[:most])

    def _strings(self, schema: Schema, name: str) -> Iterator[Any]:
        """What the property could be, likeliest first; what has been looked at is used up."""
        hints = Cues(str(schema.get("description", "")))
        kinds = _cue_kinds(schema, name) or (("number",) if hints.all("number") else LIKELY)
        yield self.cues.take(*kinds)
        yield EXAMPLES.get(kinds[0])
        yield self.cues.text if words(name) & WHOLE_QUESTION else None
        yield self.cues.take(*LIKELY, "sign")
        yield schema.get("default")
        yield from schema.get("examples", ())
        yield hints.take("sign", *LIKELY)
        yield from sorted(self.words, key=lambda word: (-len(word), word))


def _cue_kinds(schema: Schema, name: str) -> tuple[str, ...]:
    """The kind of cue that a string property takes, by its format or its name; none if any will do."""
    if schema.get("format") in EXAMPLES:
        return (schema["format"],)
    description = f"{name.replace('_', ' ')} {schema.get('description', '')}".lower()
    return next(((kind,) for pattern, kind in KINDS_BY_NAME.items() if re.search(pattern, description)), ())


# -- reading a schema


def _plain(schema: Any, root: Schema, depth: int = 0) -> Schema:
    """The schema with its reference, all of `allOf`, and one of `anyOf` and `oneOf` written into it.

    Of a union it is the first branch that is not null, and deep down null.
    """
    if not isinstance(schema, Mapping):
        return {}
    parts = [*schema.get("allOf", ())]
    if "$ref" in schema:
        parts.append(reduce(_member, schema["$ref"].strip("#/").split("/"), root))
    unions = filter(None, (schema.get("anyOf"), schema.get("oneOf")))
    parts += [min(union, key=lambda part: (part.get("type") == "null") == (depth < DEEP)) for union in unions]
    merged: Schema = {key: schema[key] for key in schema.keys() - {"$ref", "allOf", "anyOf", "oneOf"}}
    for part in parts:
        merged = {**_plain(part, root, depth), **merged}
    return merged


def _member(place: Any, key: str) -> Any:
    return place.get(key, {}) if key and isinstance(place, Mapping) else place


def _kind(schema: Schema) -> str:
    """The JSON type that a plain schema asks for."""
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((kind for kind in declared if kind != "null"), "null")
    return declared or ("object" if "properties" in schema else "array" if "items" in schema else "string")


def _allows(schema: Schema, number: float) -> bool:
    """Whether a number is within a schema's bounds."""
    step = schema.get("multipleOf") or number or 1
    return (
        schema.get("minimum", -math.inf) <= number <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < number < schema.get("exclusiveMaximum", math.inf)
        and math.isclose(number / step, round(number / step), rel_tol=0, abs_tol=1e-9)
    )
