"""A stream's tool calls, put together from pieces, which servers number and name in many ways."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from conversations.upstream.blocks import Block, is_object

Piece = Mapping[str, Any]
USE_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
"""An id that Converse takes."""


class Calls:
    """The tool calls of an answer.

    The index tells them apart, but some servers send none, or 0 for all, or the same id for all, or no id at all.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self.count = 0
        self._new_id = new_id
        self._by_index: dict[int, Block] = {}
        self._last: Block | None = None
        self._ids: dict[Block, str] = {}
        self._used: set[str] = set()

    def call_of(self, piece: Piece) -> Block:
        """The call that a piece belongs to or begins. A call without a name takes it from the piece."""
        index, function = piece.get("index"), function_of(piece)
        call = self._by_index.get(index) if isinstance(index, int) else self._unnumbered(piece)
        if call is None or self._begins_another(call, piece):
            call = self._new(_text(piece.get("id")))
        if isinstance(index, int):
            self._by_index[index] = call
        if not call.name and (name := _text(function.get("name"))):
            call.name = name
            self.count += 1
        self._last = call
        return call

    def _unnumbered(self, piece: Piece) -> Block | None:
        """The call of a piece without an index: that of its id, or the last one; None for a new one."""
        identifier = _text(piece.get("id"))
        known = next((call for call, own in self._ids.items() if own and own == identifier), None)
        has_name = bool(_text(function_of(piece).get("name")))
        return known or (None if identifier and has_name else self._last)

    def _begins_another(self, call: Block, piece: Piece) -> bool:
        """Whether a piece of a known index begins another call. Without a name it never does."""
        identifier, name = _text(piece.get("id")), _text(function_of(piece).get("name"))
        if not name or not call.name:
            return False
        is_other = bool(identifier and self._ids[call] and identifier != self._ids[call])
        return is_other or name != call.name or bool(arguments_of(piece) and is_object(call.written))

    def _new(self, identifier: str) -> Block:
        fits = USE_ID.fullmatch(identifier) and identifier not in self._used
        call = Block("call", use_id=identifier if fits else self._new_id())
        self._used.add(call.use_id)
        self._ids[call] = identifier
        return call


def function_of(piece: Piece) -> Piece:
    """The `function` member of a piece, empty if it has none."""
    function = piece.get("function")
    return function if isinstance(function, dict) else {}


def arguments_of(piece: Piece) -> str:
    """The piece of arguments; some servers send an object instead of its JSON."""
    arguments = function_of(piece).get("arguments")
    return json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, dict) else _text(arguments)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
