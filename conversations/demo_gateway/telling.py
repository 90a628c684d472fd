"""Sentences about what tools answered."""

import json
import re
from collections.abc import Mapping
from typing import Any

from conversations.demo_gateway.conversation import Result, words

LONG = 400
MAKERS = {"artist", "author", "band", "by", "composer", "creator", "director", "maker", "singer", "writer"}


def tell(results: list[Result], question: str) -> str:
    """What the tools answered, in a sentence each."""
    if len(results) == 1:
        return _alone(results[0], question)
    return "\n".join(f"- {_called(result)}: {_outcome(result)}" for result in results)


def _alone(result: Result, question: str) -> str:
    if result.failed:
        return f"I could not find that out: {_outcome(result)}"
    if result.values:
        return _sentence(result.values, question)
    return f"The tool {result.tool} answered: {_outcome(result)}"


def _sentence(values: Mapping[str, Any], question: str) -> str:
    """The values as the answer to a question such as `What is the most popular song on WZPZ?`."""
    question_parts = re.search(
        r"\b(?:what|who|which|where)\s+(is|are|was|were)\s+([^?.!]+)", question, re.IGNORECASE
    )
    first = next(iter(values))
    if question_parts and words(first) & words(question_parts.group(2)):
        subject, verb = question_parts.group(2).strip(), question_parts.group(1).lower()
        return f"{subject[:1].upper()}{subject[1:]} {verb} {_listed(values, first)}."
    return f"The {_spaced(first)} is {_listed(values, first)}."


def _listed(values: Mapping[str, Any], first: str) -> str:
    """The first value bare, the makers after `by`, the others with their names."""
    text = _as_text(values[first])
    for key, value in values.items():
        if key in MAKERS and key != first:
            text += f" by {value if isinstance(value, str) else _as_text(value)}"
        elif key != first:
            text += f", the {_spaced(key)} is {_as_text(value)}"
    return text


def _outcome(result: Result) -> str:
    if result.values:
        return f"{_listed(result.values, next(iter(result.values)))}."
    return _short(result.text) or "nothing"


def _called(result: Result) -> str:
    named = ", ".join(map(_as_text, result.arguments.values()))
    return f"{result.tool}({named})"


def _spaced(key: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", key).lower()


def _as_text(value: Any) -> str:
    return f'"{_short(value)}"' if isinstance(value, str) else _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}..."
