"""A conversation for reading: Markdown, its tool calls folded."""

import json
import re
from collections.abc import Iterator
from typing import Any

from conversations.models import Conversation, Round, Turn
from conversations.protocol.agui.events import result_text
from conversations.protocol.converse.content import plain_text
from conversations.protocol.text import clean_text

from .format import Document
from .whole import document

BACKTICKS = re.compile(r"`+")


def as_markdown(conversation: Conversation) -> str:
    """The conversation's turns in order, whatever branch they are on."""
    told = document(conversation)
    return "\n\n".join(_written(told)) + "\n"


def _written(told: Document) -> Iterator[str]:
    yield f"# {_line(told['title'] or 'Untitled')}"
    yield f"Model: {_line(told['model'])}. Begun {told['createdAt']}."
    if told["system"]:
        yield "System prompt:\n\n" + _quoted(told["system"])
    calls: dict[tuple[str, int, int], list[Document]] = {}
    for call in told["toolCalls"]:
        calls.setdefault((call["turn"], call["round"], call["attempt"]), []).append(call)
    for turn in told["turns"]:
        yield from _turn(turn, calls)


def _turn(turn: Document, calls: dict[tuple[str, int, int], list[Document]]) -> Iterator[str]:
    yield "## You"
    yield _quoted(plain_text(turn["message"]["content"]))
    yield "## Assistant"
    for row in turn["rounds"]:
        if row["status"] == Round.Status.INTERRUPTED:
            yield "*An attempt that was interrupted:*"
        yield from _said(row["message"])
        for call in calls.get((turn["id"], row["number"], row["attempt"]), ()):
            yield _call(call)
    if turn["status"] != Turn.Status.COMPLETED:
        yield f"*{turn['status'].capitalize()}.{' ' + _line(turn['error']['message']) if turn['error'] else ''}*"


def _said(message: Document | None) -> Iterator[str]:
    for block in message["content"] if message else ():
        thought = block.get("reasoningContent", {}).get("reasoningText", {}).get("text")
        if thought:
            yield _folded("Reasoning", _quoted(thought))
    text = plain_text(message["content"]).strip() if message else ""
    if text:
        yield text


def _call(call: Document) -> str:
    arguments = call["arguments"] if call["input"] is None else json.dumps(call["input"], ensure_ascii=False)
    result = result_text(call["result"] or [])
    took = "" if call["durationMs"] is None else f", {call['durationMs']} ms"
    heading = f"Tool call {_line(call['name'])}: {call['status']}{took}{_decided(call['approval'])}"
    return _folded(heading, f"{_fenced(arguments)}\n\n{_fenced(result)}")


def _decided(approval: Document | None) -> str:
    if approval is None:
        return ""
    by = f" by {_line(approval['decidedBy'])}" if approval["decidedBy"] else ""
    return f", {approval['status']}{by}"


def _folded(heading: str, content: str) -> str:
    escaped = heading.replace("&", "&amp;").replace("<", "&lt;")
    return f"<details><summary>{escaped}</summary>\n\n{content}\n\n</details>"


def _fenced(text: str) -> str:
    """A code block that no text in it can end."""
    fence = "`" * (max((len(run) for run in BACKTICKS.findall(text)), default=2) + 1)
    return f"{max(fence, '```', key=len)}\n{text}\n{max(fence, '```', key=len)}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _line(value: Any) -> str:
    return " ".join(clean_text(str(value)).split())
