"""Reading a JSON schema: references and unions resolved, kinds and bounds told."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

DEEP = 6
"""How many levels are filled in before a schema that refers to itself is cut short."""


def plain(schema: Any, root: Schema, depth: int = 0) -> Schema:
    """The schema without `$ref`, `anyOf`, `oneOf`, `allOf`: of a union the first branch that is not null, deep down null."""
    if not isinstance(schema, Mapping):
        return {}
    if "$ref" in schema:
        return plain({**_found(schema["$ref"], root), **_without(schema, "$ref")}, root, depth)
    for union in ("anyOf", "oneOf"):
        if schema.get(union):
            branches = sorted(
                schema[union], key=lambda branch: (branch.get("type") == "null") == (depth < DEEP)
            )
            return plain({**branches[0], **_without(schema, union)}, root, depth)
    merged: Schema = _without(schema, "allOf")
    for part in schema.get("allOf", ()):
        merged = {**plain(part, root, depth), **merged}
    return merged


def _found(reference: str, root: Schema) -> Schema:
    place: Any = root
    for key in reference.removeprefix("#").strip("/").split("/"):
        place = place.get(key, {}) if key and isinstance(place, Mapping) else place
    return place if isinstance(place, Mapping) else {}


def _without(schema: Schema, key: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def kind(schema: Schema) -> str:
    """The JSON type that a plain schema asks for."""
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((each for each in declared if each != "null"), "null")
    if isinstance(declared, str):
        return declared
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def bounds(schema: Schema) -> Iterator[float]:
    """Numbers at and just within a schema's bounds, and a multiple of what it has to be a multiple of."""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = schema.get("multipleOf")
    if step:
        yield math.ceil((low or 0) / step) * step
        yield (math.floor((low or 0) / step) + 1) * step
    if low is not None:
        yield from (low, low + 1)
    if high is not None:
        yield from (high, high - 1)
    if low is not None and high is not None:
        yield (low + high) / 2


def allowed(schema: Schema, value: float) -> bool:
    """Whether a number is within a schema's bounds."""
    step = schema.get("multipleOf")
    return (
        schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf)
        and (not step or math.isclose(value / step, round(value / step), rel_tol=0, abs_tol=1e-9))
    )


def sized(schema: Schema, text: str) -> str:
    """The text made as long or as short as the schema wants it."""
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
