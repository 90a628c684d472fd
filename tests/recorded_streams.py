"""Bedrock's recorded streams as a gateway plays them, and what was asked and called for them."""

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from conversations.tools import registry, tool
from tests.gateway.wire import Answer
from tests.protocol.recorded import FOLDER, SETS, Stream

SEVERAL_ROUNDS = [rounds for rounds in SETS.values() if len(rounds) > 1]


def response_of(stream: Stream, size: int = 0) -> Answer:
    """The recorded response, in chunks of `size` bytes."""
    return Answer.stream((FOLDER / stream.name / "response.bin").read_bytes(), size=size)


def questions(messages: list[dict[str, Any]]) -> list[str]:
    """The user's texts, one a turn: one of the recorded clients sent the first in two messages."""
    texts_by_turn: list[str] = []
    previous = None
    for message in messages:
        texts = [block["text"] for block in message["content"] if "text" in block]
        if message["role"] == "user" and texts:
            texts_by_turn[-1:] = (
                ["\n".join([texts_by_turn[-1], *texts])]
                if previous == "user"
                else [*texts_by_turn[-1:], *texts]
            )
        previous = message["role"]
    return texts_by_turn


@contextmanager
def recorded_tools(rounds: list[Stream]) -> Iterator[None]:
    """The tools that the set's requests offer, which answer as they did."""
    specs = [entry["toolSpec"] for entry in rounds[0].request["toolConfig"]["tools"]]
    results = _results(rounds[-1].request["messages"])
    with registry.override():
        for spec in specs:
            tool(_answering(spec, results))
        yield


def _answering(spec: dict[str, Any], results: dict[str, Any]) -> Callable[..., Any]:
    def recorded_answer(**arguments: object) -> Any:
        return results[json.dumps([spec["name"], arguments], sort_keys=True)]

    names = spec["inputSchema"]["json"].get("properties", {})
    parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    recorded_answer.__name__, recorded_answer.__doc__ = spec["name"], spec["description"]
    recorded_answer.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return recorded_answer


def _results(messages: list[dict[str, Any]]) -> dict[str, Any]:
    blocks = [block for message in messages for block in message["content"]]
    contents = {
        block["toolResult"]["toolUseId"]: block["toolResult"]["content"][0]
        for block in blocks
        if "toolResult" in block
    }
    return {
        json.dumps([use["name"], use["input"]], sort_keys=True): contents[use["toolUseId"]].get("text")
        or contents[use["toolUseId"]]["json"]
        for use in (block["toolUse"] for block in blocks if "toolUse" in block)
    }
