"""The texts of a stream's deltas and of its stored message, so that the two can be compared."""

from collections.abc import Iterable
from typing import Any

from conversations.protocol.converse.blocks import Delta
from conversations.protocol.converse.stream import Assembly

BlockTexts = list[tuple[str, str]]
TEXTS = ("text", "reasoning", "tool")


def assembled(events: Iterable[tuple[str, Any]], **options: Any) -> Assembly:
    """The round, after all of its events."""
    return played(events, **options)[0]


def played(events: Iterable[tuple[str, Any]], **options: Any) -> tuple[Assembly, list[Delta]]:
    """The round after all of its events, and its deltas, those that close a cut stream included."""
    assembly = Assembly(**options)
    deltas = [delta for name, payload in events for delta in assembly.feed(name, payload)]
    return assembly, [*deltas, *assembly.close()]


def delta_texts(deltas: Iterable[Delta]) -> BlockTexts:
    """Kind and text of each block that has deltas, in the order in which they began."""
    texts: dict[int, list[str]] = {}
    kinds = {delta.block: delta.kind for delta in deltas if delta.kind in TEXTS}
    for delta in deltas:
        if delta.phase == "part":
            texts.setdefault(delta.block, []).append(delta.text)
    return [(kinds[block], "".join(texts[block])) for block in sorted(texts)]


def content_texts(assembly: Assembly) -> BlockTexts:
    """Kind and text of each stored block that has some, in the message's order."""
    arguments = {call.tool_use_id: call.arguments for call in assembly.calls()}
    texts = [_block_text(block, arguments) for block in assembly.content()]
    return [(kind, text) for kind, text in texts if text]


def _block_text(block: dict[str, Any], arguments: dict[str, str]) -> tuple[str, str]:
    if "toolUse" in block:
        return "tool", arguments.get(block["toolUse"]["toolUseId"], "")
    if "reasoningContent" in block:
        return "reasoning", block["reasoningContent"].get("reasoningText", {}).get("text", "")
    citations = block.get("citationsContent", {}).get("content", [{"text": ""}])
    return "text", block.get("text", citations[0]["text"])
