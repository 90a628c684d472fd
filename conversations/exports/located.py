"""Which line of a JSON text a value is on, for telling what is wrong where."""

import json
from collections.abc import Callable, Sequence
from json.decoder import JSONArray, JSONObject  # type: ignore[attr-defined]  # the pure parsers, which can be hooked
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any


class Located(json.JSONDecoder):
    """A decoder that knows where each object and array begins."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[int, int] = {}
        self.parse_object = self._noting(JSONObject)
        self.parse_array = self._noting(JSONArray)
        self.scan_once = py_make_scanner(self)

    def _noting(self, parse: Callable[..., tuple[Any, int]]) -> Callable[..., tuple[Any, int]]:
        def noting(where: tuple[str, int], *others: Any) -> tuple[Any, int]:
            value, end = parse(where, *others)
            self.places[id(value)] = where[1]
            return value, end

        return noting


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line of the innermost object or array on the path to a value, from 1."""
    decoder = Located()
    value = whole = decoder.decode(text)
    innermost = value
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break
        innermost = value if id(value) in decoder.places else innermost
    del whole
    return text.count("\n", 0, decoder.places.get(id(innermost), 0)) + 1
