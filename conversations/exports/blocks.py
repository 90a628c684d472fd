"""The content blocks of a model's message as Markdown."""

import json
import re
from collections.abc import Iterator
from typing import Any

from conversations.protocol.agui.events import result_text
from conversations.protocol.converse.content import Block, is_client_tool_use, plain_text
from conversations.protocol.text import clean_text
from conversations.protocol.thoughts import answer_in, thoughts_in

BACKTICKS = re.compile(r"`+")


def paragraphs(content: list[Block], name: str) -> Iterator[str]:
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
            yield from (details("Reasoning", quote(thought)) for thought in thoughts)
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
    title = line(source.get("title") or source.get("source") or web.get("domain") or "Untitled source")
    quotation = " … ".join(line(part.get("text", "")) for part in source.get("sourceContent") or ())
    address = f" <{line(web['url'])}>" if web.get("url") else ""
    return f"{title}{address}" + (f": “{quotation}”" if quotation else "")


def _beside_text(block: Block) -> str:
    """A block that is no text, blank for one that is, and for a call, which has its row."""
    match block:
        case {"reasoningContent": {"reasoningText": {"text": str(text)}}} if text:
            return details("Reasoning", quote(text))
        case {"image": {"format": kind, "source": {"bytes": data}}}:
            return f"![Picture from the model](data:image/{line(kind)};base64,{data})"
        case {"toolUse": use} if not is_client_tool_use(block):
            return details(f"Server tool {line(use.get('name', ''))}", code_block(as_text(use.get("input"))))
        case {"toolResult": result}:
            heading = f"Server tool's result: {line(result.get('status', 'success'))}"
            return details(heading, code_block(result_text(result.get("content", []))))
    return ""


def as_text(value: Any) -> str:
    """A call's arguments, which are a text where they were no JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def details(heading: str, content: str) -> str:
    """Content that is folded under a heading."""
    escaped = heading.replace("&", "&amp;").replace("<", "&lt;")
    return f"<details><summary>{escaped}</summary>\n\n{content}\n\n</details>"


def code_block(text: str) -> str:
    """A code block that no text in it can end."""
    fence = "`" * (max((len(run) for run in BACKTICKS.findall(text)), default=2) + 1)
    return f"{max(fence, '```', key=len)}\n{text}\n{max(fence, '```', key=len)}"


def quote(text: str) -> str:
    """The text as a quotation."""
    return "\n".join(f"> {part}".rstrip() for part in text.splitlines())


def line(value: Any) -> str:
    """The value in one line of clean text."""
    return " ".join(clean_text(str(value)).split())
