"""A JSON Schema as models take it: without definitions, titles and discriminators."""

from typing import Any

_NOISE = ("title", "discriminator", "$defs")
_SCHEMAS_BY_NAME = ("properties", "patternProperties")
_VALUES = ("default", "const", "enum", "examples", "required")
_REFERENCE = "#/$defs/"

Schema = dict[str, Any]


def tidy(schema: Schema) -> Schema:
    """The schema without titles, its definitions written out where they are referred to.

    Amazon Nova answers definitions with 400 ("extraneous key [definitions] is not permitted",
    zed-industries/zed#28521); only a type that contains itself keeps them.
    """
    definitions: Schema = schema.get("$defs", {})
    tidied: Schema = _tidy(schema, definitions, ())
    recursive = {name: part for name, part in definitions.items() if _refers(tidied, name)}
    if recursive:
        tidied["$defs"] = {
            name: _tidy(part, definitions, tuple(recursive)) for name, part in recursive.items()
        }
    return tidied


def _tidy(schema: Any, definitions: Schema, inside: tuple[str, ...]) -> Any:
    """The schema, tidied; `inside` names the definitions that it is written out in."""
    if isinstance(schema, list):
        return [_tidy(part, definitions, inside) for part in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).removeprefix(_REFERENCE)
    if name in definitions and name not in inside:
        own = {key: value for key, value in schema.items() if key != "$ref"}
        return _tidy(definitions[name] | own, definitions, (*inside, name))
    return {key: _part(key, part, definitions, inside) for key, part in schema.items() if key not in _NOISE}


def _part(key: str, part: Any, definitions: Schema, inside: tuple[str, ...]) -> Any:
    if key in _VALUES:
        return part
    if key in _SCHEMAS_BY_NAME:
        return {name: _tidy(schema, definitions, inside) for name, schema in part.items()}
    return _tidy(part, definitions, inside)


def _refers(schema: Any, name: str) -> bool:
    if isinstance(schema, list):
        return any(_refers(part, name) for part in schema)
    if not isinstance(schema, dict):
        return False
    return schema.get("$ref") == _REFERENCE + name or _refers(list(schema.values()), name)
