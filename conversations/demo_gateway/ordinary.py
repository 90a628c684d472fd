"""The ordinary answers: a call of the fitting tool, what it answered, or what this is."""

import json
import re
from collections.abc import Mapping
from typing import Any

from conversations.demo_gateway import arguments
from conversations.demo_gateway.conversation import STOP_WORDS, Conversation, File, Result, Tool, words
from conversations.demo_gateway.reply import Block, Reply, call, say, text
from conversations.protocol.text import beginning

SUCH_AS = ', such as "What is the most popular song on WZPZ?"'
ENOUGH = 2
"""A word of a tool's name counts two, a word of its description one."""
LONG = 400
READABLE = ("csv", "html", "md", "txt")
MAKERS = {"artist", "author", "band", "by", "composer", "creator", "director", "maker", "singer", "writer"}


def respond(conversation: Conversation, question: str) -> Reply:
    """A tool call if the question is about a tool on offer, or else an explanation."""
    tools = _tools_for(conversation, question)
    return calling(tools, question) if tools else explain(conversation, question)


def calling(tools: list[Tool], question: str, several: bool = False) -> Reply:
    """A reply that calls these tools, in parallel if there are several calls.

    A longer question gets a word first.
    """
    blocks = [
        call(tool.name, values)
        for tool in tools
        for values in arguments.calls(tool.schema, question, several)
    ]
    return Reply((*_before(question, len(blocks)), *blocks), stop="tool_use")


def best(conversation: Conversation, question: str) -> Tool:
    """The tool that the question is most about; the first if it is about none."""
    return max(conversation.tools, key=lambda tool: _score(tool, question))


def _before(question: str, count: int) -> tuple[Block, ...]:
    # Models say something before a tool call, and sometimes do not: here the question's length decides.
    if len(question) % 4 == 0:
        return ()
    return (text("I will look that up." if count == 1 else f"I will look these {count} up."),)


def _tools_for(conversation: Conversation, question: str) -> list[Tool]:
    """The tool that is forced, or all that the question names, or the one that it is about."""
    if not conversation.tools:
        return []
    named = [tool for tool in conversation.tools if tool.name in question and len(tool.name) > 3]
    if conversation.forced is not None:
        forced = [tool for tool in conversation.tools if tool.name == conversation.forced]
        return forced or named or [best(conversation, question)]
    if named:
        return named
    tool = best(conversation, question)
    return [tool] if _score(tool, question) >= ENOUGH else []


def _score(tool: Tool, question: str) -> int:
    wording = words(question)
    return 2 * len(tool.name_words & wording) + len(tool.other_words & wording)


def explain(conversation: Conversation, question: str) -> Reply:
    """What this is, what it was given, and what can be asked."""
    lines = ["This is Turntable's demo gateway, not a model: it answers from the request alone."]
    if question:
        lines.append(f"You wrote: “{_shortened(question, 200)}”")
    lines += [f"With it came {_described(file)}" for file in conversation.files]
    if conversation.system:
        lines.append(
            f"The request came with a system prompt that begins “{_shortened(conversation.system, 60)}”"
        )
    lines.append(_offer(conversation))
    return say("\n\n".join(lines))


def _described(file: File) -> str:
    """What a file is, and how it begins if that can be read."""
    what = f"a {file.kind}: {file.format.upper()}, {file.size}."
    beginning = file.data[:200].decode(errors="ignore") if file.format in READABLE else ""
    return f"{what} It begins “{_shortened(beginning, 60)}”" if beginning.strip() else what


def _offer(conversation: Conversation) -> str:
    names = ", ".join(f"`{tool.name}`" for tool in conversation.tools)
    offer = f"Ask about what a tool on offer knows ({names})" if names else "No tool is on offer"
    has_songs = any("song" in tool.name_words | tool.other_words for tool in conversation.tools)
    return f'{offer}{SUCH_AS if has_songs else ""}. Say "help" for all that it can show.'


def _shortened(words: str, most: int) -> str:
    line = " ".join(words.split())
    return line if len(line) <= most else f"{beginning(line, most).rstrip()}..."


TO_TITLE = re.compile(r"<conversation>\s*User: (.+?)\s*(?:Assistant: .*)?</conversation>", re.DOTALL)
TITLE_WORDS = 5


def title(question: str) -> str:
    """A title from a conversation's telling words; blank for any other question."""
    opening = TO_TITLE.fullmatch(question.strip())
    if opening is None:
        return ""
    every = re.findall(r"\w+", opening[1])
    telling = [word for word in every if word.lower() not in STOP_WORDS][:TITLE_WORDS]
    line = " ".join(telling or every[:TITLE_WORDS]) or "A conversation"
    return line[0].upper() + line[1:]


# -- what tools answered


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
    return text if len(text) <= LONG else f"{beginning(text, LONG)}..."
