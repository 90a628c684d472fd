"""The transcript as the page's templates want it: a section a turn, a block a message, results inside their calls."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from conversations.journal import Page

Message = dict[str, Any]

KINDS = {"user": "you", "assistant": "assistant", "reasoning": "reasoning"}


@dataclass(frozen=True)
class Block:
    """One message. `state` is the message as JSON without its text, from which the script starts."""

    kind: str
    state: str
    text: str
    name: str = ""
    result: "Block | None" = None

    @property
    def template(self) -> str:
        """The template that shows it."""
        return f"conversations/blocks/{self.kind}.html"


@dataclass(frozen=True)
class Section:
    """One turn and its blocks, in order; `state` is how it stands, as JSON."""

    state: str
    error: dict[str, str] | None
    blocks: list[Block] = field(default_factory=list)


def sections(page: Page) -> list[Section]:
    """The page's turns, oldest first."""
    results = {message["toolCallId"]: message for message in page.messages if message["role"] == "tool"}
    found = {turn["id"]: Section(json.dumps(turn), turn["error"]) for turn in page.turns}
    for message in page.messages:
        if message["role"] != "tool":
            found[message["metadata"]["turn"]].blocks.append(_block(message, results))
    return list(found.values())


def _block(message: Message, results: dict[str, Message]) -> Block:
    if "toolCalls" in message:
        return _call(message, results)
    return Block(KINDS[message["role"]], _without(message, ["content"]), message["content"])


def _call(message: Message, results: dict[str, Message]) -> Block:
    call = message["toolCalls"][0]
    bare = call | {"function": {"name": call["function"]["name"]}}
    state = json.dumps(message | {"toolCalls": [bare]})
    result = results.get(call["id"])
    shown = Block("result", _without(result, ["content"]), result["content"]) if result else None
    return Block("tool", state, call["function"]["arguments"], call["function"]["name"], shown)


def _without(message: Message, keys: Iterable[str]) -> str:
    return json.dumps({key: value for key, value in message.items() if key not in keys})
