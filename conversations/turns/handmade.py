"""A tool call that a person asks for, as the round of a model that would have asked for it: shown, stored and run like any other."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from conversations.gateway import Call

MADE_BY = {"madeBy": "person"}
"""What such a round's metadata say: no request was made for it."""


class HandMade:
    """In the gateway's place for one round: `call` has the tool's `name` and its `input`."""

    request_id = request_sha256 = ""

    def __init__(self, call: Mapping[str, Any]) -> None:
        self._name, self._input = call["name"], call["input"]

    def call(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Call:
        """The round to be."""
        return cast("Call", self)

    def interrupt(self) -> None:
        """Has nothing under way."""

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """ConverseStream events of a message that is nothing but the call."""
        start = {"toolUse": {"toolUseId": "tooluse_person", "name": self._name}}
        written = {"toolUse": {"input": json.dumps(self._input, ensure_ascii=False)}}
        yield "messageStart", {"role": "assistant"}
        yield "contentBlockStart", {"contentBlockIndex": 0, "start": start}
        yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": written}
        yield "contentBlockStop", {"contentBlockIndex": 0}
        yield "messageStop", {"stopReason": "tool_use"}
        yield "metadata", MADE_BY
