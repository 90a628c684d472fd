"""What a stream showed and what was stored of it, in a form in which the two can be compared."""

from collections.abc import Iterable
from typing import Any

from conversations.protocol.converse.blocks import Delta
from conversations.protocol.converse.stream import Assembly

Said = list[tuple[str, str]]
TEXTS = ("text", "reasoning", "tool")


def assembled(events: Iterable[tuple[str, Any]], **told: Any) -> Assembly:
    """The round, after all of its events."""
    return played(events, **told)[0]


def played(events: Iterable[tuple[str, Any]], **told: Any) -> tuple[Assembly, list[Delta]]:
    """The round after all of its events, and all that it showed; what a cut stream leaves open is closed."""
    assembly = Assembly(**told)
    deltas = [delta for name, payload in events for delta in assembly.feed(name, payload)]
    return assembly, [*deltas, *assembly.close()]


def shown(deltas: Iterable[Delta]) -> Said:
    """Kind and text of each block that showed some, in the order in which they began."""
    texts: dict[int, list[str]] = {}
    kinds = {delta.block: delta.kind for delta in deltas if delta.kind in TEXTS}
    for delta in deltas:
        if delta.phase == "part":
            texts.setdefault(delta.block, []).append(delta.text)
    return [(kinds[block], "".join(texts[block])) for block in sorted(texts)]


def stored(assembly: Assembly) -> Said:
    """Kind and text of each stored block that has some, in the message's order."""
    arguments = {call.tool_use_id: call.arguments for call in assembly.calls()}
    said = [_said(block, arguments) for block in assembly.content()]
    return [(kind, text) for kind, text in said if text]


def _said(block: dict[str, Any], arguments: dict[str, str]) -> tuple[str, str]:
    if "toolUse" in block:
        return "tool", arguments.get(block["toolUse"]["toolUseId"], "")
    if "reasoningContent" in block:
        return "reasoning", block["reasoningContent"].get("reasoningText", {}).get("text", "")
    cited = block.get("citationsContent", {}).get("content", [{"text": ""}])
    return "text", block.get("text", cited[0]["text"])
