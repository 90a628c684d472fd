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
    return "\n\n".join(_paragraphs(document(conversation))) + "\n"


def _paragraphs(export: Document) -> Iterator[str]:
    yield f"# {_line(export['title'] or 'Untitled')}"
    yield f"Model: {_line(export['model'])}. Begun {export['createdAt']}."
    if export["system"]:
        yield "System prompt:\n\n" + _quote(export["system"])
    calls: dict[tuple[str, int, int], list[Document]] = {}
    for call in export["toolCalls"]:
        calls.setdefault((call["turn"], call["round"], call["attempt"]), []).append(call)
    for turn in export["turns"]:
        yield from _turn(turn, calls)


def _turn(turn: Document, calls: dict[tuple[str, int, int], list[Document]]) -> Iterator[str]:
    yield "## You"
    yield _quote(plain_text(turn["message"]["content"]))
    yield "## Assistant"
    for row in turn["rounds"]:
        if row["status"] == Round.Status.INTERRUPTED:
            yield "*An attempt that was interrupted:*"
        yield from _message(row["message"])
        for call in calls.get((turn["id"], row["number"], row["attempt"]), ()):
            yield _call(call)
    if turn["status"] != Turn.Status.COMPLETED:
        yield f"*{turn['status'].capitalize()}.{' ' + _line(turn['error']['message']) if turn['error'] else ''}*"


def _message(message: Document | None) -> Iterator[str]:
    for block in message["content"] if message else ():
        reasoning = block.get("reasoningContent", {}).get("reasoningText", {}).get("text")
        if reasoning:
            yield _details("Reasoning", _quote(reasoning))
    text = plain_text(message["content"]).strip() if message else ""
    if text:
        yield text


def _call(call: Document) -> str:
    arguments = call["arguments"] if call["input"] is None else json.dumps(call["input"], ensure_ascii=False)
    result = result_text(call["result"] or [])
    duration = "" if call["durationMs"] is None else f", {call['durationMs']} ms"
    heading = f"Tool call {_line(call['name'])}: {call['status']}{duration}{_decision(call['approval'])}"
    return _details(heading, f"{_code_block(arguments)}\n\n{_code_block(result)}")


def _decision(approval: Document | None) -> str:
    if approval is None:
        return ""
    by = f" by {_line(approval['decidedBy'])}" if approval["decidedBy"] else ""
    return f", {approval['status']}{by}"


def _details(heading: str, content: str) -> str:
    escaped = heading.replace("&", "&amp;").replace("<", "&lt;")
    return f"<details><summary>{escaped}</summary>\n\n{content}\n\n</details>"


def _code_block(text: str) -> str:
    """A code block that no text in it can end."""
    fence = "`" * (max((len(run) for run in BACKTICKS.findall(text)), default=2) + 1)
    return f"{max(fence, '```', key=len)}\n{text}\n{max(fence, '```', key=len)}"


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _line(value: Any) -> str:
    return " ".join(clean_text(str(value)).split())
