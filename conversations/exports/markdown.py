"""A conversation for reading: Markdown, its tool calls and a model's asides folded."""

import json
import re
from collections.abc import Iterator
from typing import Any

from conversations.models import Conversation, Round, Turn
from conversations.protocol.agui.events import result_text
from conversations.protocol.converse import attached
from conversations.protocol.converse.content import Block, is_client_tool_use, plain_text
from conversations.protocol.text import clean_text
from conversations.protocol.thoughts import answer_in, thoughts_in

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
    content = turn["message"]["content"]
    yield from (f"*Attached: {_line(file['name'])}*" for file in attached.facts(content))
    if plain_text(content).strip():
        yield _quote(plain_text(content))
    yield "## Assistant"
    for row in turn["rounds"]:
        if row["status"] == Round.Status.INTERRUPTED:
            yield "*An attempt that was interrupted:*"
        name = f"{turn['number']}-{row['number']}-{row['attempt']}"
        yield from _content(row["message"]["content"] if row["message"] else [], name)
        for call in calls.get((turn["id"], row["number"], row["attempt"]), ()):
            yield _call(call)
    if turn["status"] != Turn.Status.COMPLETED:
        yield f"*{turn['status'].capitalize()}.{' ' + _line(turn['error']['message']) if turn['error'] else ''}*"


def _call(call: Document) -> str:
    arguments = _as_text(call["arguments"] if call["input"] is None else call["input"])
    result = result_text(call["result"] or [])
    duration = "" if call["durationMs"] is None else f", {call['durationMs']} ms"
    heading = f"Tool call {_line(call['name'])}: {call['status']}{duration}{_decision(call['approval'])}"
    return _details(heading, f"{_code_block(arguments)}\n\n{_code_block(result)}")


def _decision(approval: Document | None) -> str:
    if approval is None:
        return ""
    by = f" by {_line(approval['decidedBy'])}" if approval["decidedBy"] else ""
    return f", {approval['status']}{by}"


# -- content blocks


def _content(content: list[Block], name: str) -> Iterator[str]:
    """The message's paragraphs; sources are footnotes, whose labels begin with `name`."""
    text, notes = "", list[str]()
    for block in content:
        if aside := _beside_text(block):
            yield from _paragraph(text)
            yield aside
            text = ""
        else:
            thoughts = thoughts_in(plain_text([block]))
            if thoughts:
                yield from _paragraph(text)
                text = ""
            yield from (_details("Reasoning", _quote(thought)) for thought in thoughts)
            text = _marked(text + answer_in(plain_text([block])), _sources(block), notes, name)
    yield from _paragraph(text)
    if notes:
        yield "\n".join(f"[^{name}-{number}]: {note}" for number, note in enumerate(notes, 1))


def _paragraph(text: str) -> Iterator[str]:
    if text.strip():
        yield text.strip()


def _marked(text: str, sources: list[Block], notes: list[str], name: str) -> str:
    """The text with the marks of its sources, which become notes, unless they are there already."""
    marks = ""
    for note in map(_note, sources):
        if note not in notes:
            notes.append(note)
        marks += f"[^{name}-{notes.index(note) + 1}]"
    end = len(text.rstrip())
    return text[:end] + marks + text[end:]


def _sources(block: Block) -> list[Block]:
    sources: list[Block] = block.get("citationsContent", {}).get("citations", [])
    return sources


def _note(source: Block) -> str:
    web = (source.get("location") or {}).get("web") or {}
    title = _line(source.get("title") or source.get("source") or web.get("domain") or "Untitled source")
    quotation = " … ".join(_line(part.get("text", "")) for part in source.get("sourceContent") or ())
    address = f" <{_line(web['url'])}>" if web.get("url") else ""
    return f"{title}{address}" + (f": “{quotation}”" if quotation else "")


def _beside_text(block: Block) -> str:
    """A block that is no text, blank for one that is, and for a call, which has its row."""
    match block:
        case {"reasoningContent": {"reasoningText": {"text": str(text)}}} if text:
            return _details("Reasoning", _quote(text))
        case {"image": {"format": kind, "source": {"bytes": data}}}:
            return f"![Picture from the model](data:image/{_line(kind)};base64,{data})"
        case {"toolUse": use} if not is_client_tool_use(block):
            return _details(
                f"Server tool {_line(use.get('name', ''))}", _code_block(_as_text(use.get("input")))
            )
        case {"toolResult": result}:
            heading = f"Server tool's result: {_line(result.get('status', 'success'))}"
            return _details(heading, _code_block(result_text(result.get("content", []))))
    return ""


def _as_text(value: Any) -> str:
    """A call's arguments, which are a text where they were no JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _details(heading: str, content: str) -> str:
    """Content that is folded under a heading."""
    escaped = heading.replace("&", "&amp;").replace("<", "&lt;")
    return f"<details><summary>{escaped}</summary>\n\n{content}\n\n</details>"


def _code_block(text: str) -> str:
    """A code block that no text in it can end."""
    fence = "`" * (max((len(run) for run in BACKTICKS.findall(text)), default=2) + 1)
    return f"{max(fence, '```', key=len)}\n{text}\n{max(fence, '```', key=len)}"


def _quote(text: str) -> str:
    """The text as a quotation."""
    return "\n".join(f"> {part}".rstrip() for part in text.splitlines())


def _line(value: Any) -> str:
    """The value in one line of clean text."""
    return " ".join(clean_text(str(value)).split())
