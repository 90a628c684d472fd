"""The ordinary answers: a call of the fitting tool, what it answered, or what this is."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.template.defaultfilters import filesizeformat

from conversations.demo_gateway import arguments
from conversations.demo_gateway.conversation import STOP_WORDS, Conversation, Result, Tool, readable, words
from conversations.demo_gateway.reply import Reply, call, say, text
from conversations.protocol.converse.content import decode_base64
from conversations.protocol.text import beginning

SUCH_AS = ', such as "What is the most popular song on WZPZ?"'
LEAST_SCORE = 2
LONG = 400
READABLE = ("csv", "html", "md", "txt")
MAKERS = {"artist", "author", "band", "by", "composer", "creator", "director", "maker", "singer", "writer"}
TO_TITLE = re.compile(r"<conversation>\s*User: (.+?)\s*(?:Assistant: .*)?</conversation>", re.DOTALL)
TITLE_WORDS = 5


def respond(conversation: Conversation, question: str) -> Reply:
    """A tool call if the question is about a tool on offer, or else an explanation."""
    tools = _tools_for(conversation, question)
    return calling(tools, question) if tools else explain(conversation, question)


def calling(tools: list[Tool], question: str, several: bool = False) -> Reply:
    """A reply that calls these tools, in parallel if there are several calls."""
    calls = [
        call(tool.name, values)
        for tool in tools
        for values in arguments.calls(tool.schema, question, several)
    ]
    # Models say something before a tool call, and sometimes do not: here the question's length decides.
    before = "I will look that up." if len(calls) == 1 else f"I will look these {len(calls)} up."
    return Reply((*([text(before)] if len(question) % 4 else []), *calls), stop="tool_use")


def best(conversation: Conversation, question: str) -> Tool:
    """The tool that the question is most about; the first if it is about none."""
    return max(conversation.tools, key=lambda tool: tool.score(question))


def _tools_for(conversation: Conversation, question: str) -> list[Tool]:
    """The tool that is forced, or all that the question names, or the one that it is about."""
    if not conversation.tools:
        return []
    tools, forced, fitting = conversation.tools, conversation.forced, best(conversation, question)
    named = [tool for tool in tools if tool.name in question and len(tool.name) > 3]
    if forced is not None:
        return [tool for tool in tools if tool.name == forced] or named or [fitting]
    return named or ([fitting] if fitting.score(question) >= LEAST_SCORE else [])


def explain(conversation: Conversation, question: str) -> Reply:
    """What this is, what came with the request, and what can be asked."""
    lines = ["This is Turntable's demo gateway, not a model: it answers from the request alone."]
    if question:
        lines.append(f"You wrote: “{_excerpt(question, 200)}”")
    lines += map(_file, conversation.newest)
    if conversation.system:
        opening = _excerpt(conversation.system, 60)
        lines.append(f"The request came with a system prompt that begins “{opening}”")
    lines.append(_offer(conversation.tools))
    return say("\n\n".join(filter(None, lines)))


def _file(block: Mapping[str, Any]) -> str:
    """What a picture or document is, and how it begins if that is readable; blank for any other block."""
    kind = "image" if block.get("image") else "document"
    file = block.get(kind)
    if not file:
        return ""
    form = file.get("format") or "txt"
    data = decode_base64(file.get("source", {}).get("bytes")) or b""
    noun, size = "picture" if kind == "image" else kind, filesizeformat(len(data)).replace("\xa0", " ")
    opening = _excerpt(data[:200].decode(errors="ignore"), 60) if form in READABLE else ""
    begins = f" It begins “{opening}”" if opening else ""
    return f"With it came a {noun}: {form.upper()}, {size}.{begins}"


def _offer(tools: list[Tool]) -> str:
    names = ", ".join(f"`{tool.name}`" for tool in tools)
    offer = f"Ask about what a tool on offer knows ({names})" if names else "No tool is on offer"
    has_songs = any(tool.score("song") for tool in tools)
    return f'{offer}{SUCH_AS if has_songs else ""}. Say "help" for all that it can show.'


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
    if len(results) > 1:
        return "\n".join(f"- {_call_text(result)}: {_outcome(result)}" for result in results)
    (result,) = results
    if result.values and not result.is_error:
        return _sentence(result.values, question)
    before = "I could not find that out" if result.is_error else f"The tool {result.tool} answered"
    return f"{before}: {_outcome(result)}"


def _sentence(values: Mapping[str, Any], question: str) -> str:
    """The values as the answer to a question such as `What is the most popular song on WZPZ?`."""
    asking = re.search(r"\b(?:what|who|which|where)\s+(is|are|was|were)\s+([^?.!]+)", question, re.IGNORECASE)
    first = next(iter(values))
    if asking and words(first) & words(asking[2]):
        subject = asking[2].strip()
        return f"{subject[:1].upper()}{subject[1:]} {asking[1].lower()} {_list(values)}."
    return f"The {readable(first)} is {_list(values)}."


def _list(values: Mapping[str, Any]) -> str:
    """The first value bare, the makers after `by`, the others with their names."""
    (_, first), *others = values.items()
    text = _value_text(first)
    for key, value in others:
        if key in MAKERS:
            text += f" by {value if isinstance(value, str) else _value_text(value)}"
        else:
            text += f", the {readable(key)} is {_value_text(value)}"
    return text


def _outcome(result: Result) -> str:
    return f"{_list(result.values)}." if result.values else _limited(result.text) or "nothing"


def _call_text(result: Result) -> str:
    return f"{result.tool}({', '.join(map(_value_text, result.arguments.values()))})"


def _value_text(value: Any) -> str:
    return (
        f'"{_limited(value)}"' if isinstance(value, str) else _limited(json.dumps(value, ensure_ascii=False))
    )


def _limited(text: str) -> str:
    return text if len(text) <= LONG else f"{beginning(text, LONG)}..."


def _excerpt(words: str, limit: int) -> str:
    line = " ".join(words.split())
    return line if len(line) <= limit else f"{beginning(line, limit).rstrip()}..."
