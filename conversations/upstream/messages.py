"""The messages of a Converse request as those of chat completions."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from conversations.upstream.documents import document_text
from conversations.upstream.refusals import Refused

Json = dict[str, Any]
Block = Mapping[str, Any]

NO_OUTPUT = "(no output)"
SERVER_TOOL = "server_tool_use"


def chat_messages(body: Mapping[str, Any]) -> list[Json]:
    """The messages, the system prompt first as one of its own; raises Refused."""
    messages = body.get("messages") or []
    system = _joined(_text(block) for block in body.get("system") or [])
    chat: list[Json] = [{"role": "system", "content": system}] if system else []
    loop = _loop_start(messages)
    order: list[str] = []
    for index, message in enumerate(messages):
        blocks = message["content"]
        if message["role"] == "assistant":
            chat.append(_assistant(blocks, with_reasoning=index > loop))
            order = [use["toolUseId"] for use in _uses(blocks)]
        else:
            chat.extend(_user(blocks, order))
    return chat


def _loop_start(messages: list[Any]) -> int:
    """The index of the newest question: the messages after it are one loop of tools."""
    questions = [
        index
        for index, message in enumerate(messages)
        if message["role"] == "user" and not any(block.get("toolResult") for block in message["content"])
    ]
    return questions[-1] if questions else len(messages)


def _assistant(blocks: list[Block], *, with_reasoning: bool) -> Json:
    """An assistant's message; reasoning is sent back within a loop of tools alone."""
    calls = [_call(use) for use in _uses(blocks)]
    text = _joined(map(_text, blocks))
    message: Json = {"role": "assistant", "content": text or (None if calls else "")}
    reasoning = _joined(map(_reasoning, blocks)) if with_reasoning else ""
    return (
        message
        | ({"reasoning_content": reasoning} if reasoning else {})
        | ({"tool_calls": calls} if calls else {})
    )


def _uses(blocks: Iterable[Block]) -> list[Any]:
    """The tool uses that the caller answers, which the service's own are not among."""
    uses = [block["toolUse"] for block in blocks if block.get("toolUse")]
    return [use for use in uses if use.get("type") != SERVER_TOOL]


def _call(use: Block) -> Json:
    function = {
        "name": use["name"],
        "arguments": _json(use["input"]) if isinstance(use["input"], dict) else "{}",
    }
    return {"id": use["toolUseId"], "type": "function", "function": function}


def _user(blocks: list[Block], order: list[str]) -> Iterator[Json]:
    """The results of tools in the order of their calls, then everything else as one message."""
    results = {
        block["toolResult"]["toolUseId"]: block["toolResult"] for block in blocks if block.get("toolResult")
    }
    pictures: list[Json] = []
    for identifier in sorted(results, key=lambda name: order.index(name) if name in order else len(order)):
        content = results[identifier].get("content") or []
        yield {
            "role": "tool",
            "tool_call_id": identifier,
            "content": _result_text(results[identifier], content),
        }
        pictures += [_picture(part["image"]) for part in content if part.get("image")]
    parts = [part for block in blocks for part in _parts(block)]
    if pictures:
        parts = [_text_part("The pictures of the tools' results:"), *pictures, *parts]
    if parts:
        yield {"role": "user", "content": _content(parts)}


def _content(parts: list[Json]) -> str | list[Json]:
    """The parts, joined to one text if all are text: not every server takes parts."""
    if all(part["type"] == "text" for part in parts):
        return _joined(part["text"] for part in parts)
    return parts


def _parts(block: Block) -> Iterator[Json]:
    """The parts of a user's block; a tool's result and a cache point have none."""
    if block.get("image"):
        yield _picture(block["image"])
    elif block.get("document"):
        yield _text_part(_document(block["document"]))
    elif text := _text(block):
        yield _text_part(text)
    elif kind := next((kind for kind in ("video", "audio") if block.get(kind)), ""):
        raise Refused(400, f"The {kind} could not be handed on: chat completions take text and images.")


def _text_part(text: str) -> Json:
    return {"type": "text", "text": text}


def _picture(image: Block) -> Json:
    data = (image.get("source") or {}).get("bytes")
    if not data:
        raise Refused(400, "The image could not be read: its bytes have to be in the request.")
    return {"type": "image_url", "image_url": {"url": f"data:image/{image['format']};base64,{data}"}}


def _document(document: Block) -> str:
    name, text = document["name"].replace('"', "'"), document_text(document)
    context = f"{document['context']}\n" if document.get("context") else ""
    return f'{context}<document name="{name}">\n{text}\n</document>'


def _result_text(result: Block, content: Iterable[Block]) -> str:
    """A result's text. Chat completions have no field for an error, so the text says it."""
    text = _joined(map(_result_part, content)) or NO_OUTPUT
    return f"Error: {text}" if result.get("status") == "error" else text


def _result_part(part: Block) -> str:
    if "json" in part:
        return _json(part["json"])
    if part.get("document"):
        return _document(part["document"])
    if part.get("video"):
        raise Refused(400, "The video could not be handed on: chat completions take text and images.")
    return _text(part)


def _text(block: Block) -> str:
    """The text of a block of text, plain, guarded or cited, or of a search result."""
    guarded = (block.get("guardContent") or {}).get("text") or {}
    cited = (block.get("citationsContent") or block.get("searchResult") or {}).get("content") or []
    return block.get("text") or guarded.get("text") or "".join(part.get("text") or "" for part in cited)


def _reasoning(block: Block) -> str:
    return ((block.get("reasoningContent") or {}).get("reasoningText") or {}).get("text") or ""


def _joined(texts: Iterable[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
