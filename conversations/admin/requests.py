"""A round's request, part by part, and its difference to an earlier one."""

import json
from collections.abc import Iterator
from difflib import SequenceMatcher, unified_diff
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from conversations.protocol.converse.cache import without_points
from conversations.protocol.text import beginning

from .markup import diff_lines, json_html, one_line, prose

Body = dict[str, Any]
Line = tuple[str, str]

MESSAGES = 40
"""Messages of a request that are shown, the newest."""

COMPARED = 400
"""Messages that are compared one by one, at most."""


def parts(body: Body, whole: str) -> Iterator[tuple[str, str, SafeString]]:
    """The request's parts: name, size and HTML."""
    system, messages, tools = body.get("system", []), body["messages"], _tools(body)
    yield "System prompt", _number(system, "block"), _system(system)
    yield "Messages", _number(messages, "message"), _messages(messages, whole)
    yield (
        "Tools",
        _number(list(tools), "tool"),
        _folds([(name, json_html(tool, whole)) for name, tool in tools.items()]),
    )
    yield "Settings", "", json_html(_settings(body), whole)


def difference(before: Body, now: Body) -> Iterator[tuple[str, SafeString]]:
    """The parts that differ: a name, and the lines that were added or removed.

    Cache points, which move with each request, are no difference.
    """
    before, now = without_points(before), without_points(now)
    differences = {
        "System prompt": _text_difference(_system_text(before), _system_text(now)),
        "Messages": _message_difference(before["messages"], now["messages"]),
        "Tools": _member_difference(_tools(before), _tools(now)),
        "Settings": _member_difference(_settings(before), _settings(now)),
    }
    for name, changes in differences.items():
        if lines := list(changes):
            yield name, diff_lines(iter(lines))


# -- parts


def _tools(body: Body) -> dict[str, Any]:
    tools = body.get("toolConfig", {}).get("tools", [])
    return {tool.get("toolSpec", tool).get("name") or _kind(tool, at): tool for at, tool in enumerate(tools)}


def _kind(entry: Body, at: int) -> str:
    """The name for an entry of the tools that has none."""
    return "cachePoint" if "cachePoint" in entry else f"{at}"


def _settings(body: Body) -> dict[str, Any]:
    choice = {name: part for name, part in body.get("toolConfig", {}).items() if name != "tools"}
    rest = {name: part for name, part in body.items() if name not in ("system", "messages", "toolConfig")}
    return rest | ({"toolConfig": choice} if choice else {})


def _system_text(body: Body) -> str:
    return "\n".join(block.get("text", one_line(block)) for block in body.get("system", []))


def _system(blocks: list[Any]) -> SafeString:
    return (
        prose("\n\n".join(block.get("text", one_line(block)) for block in blocks))
        if blocks
        else SafeString("")
    )


def _messages(messages: list[Any], whole: str) -> SafeString:
    first = max(0, len(messages) - MESSAGES)
    rows = [
        (f"{at}. {message['role']}: {summary(message)}", json_html(message["content"], whole))
        for at, message in enumerate(messages[first:], first + 1)
    ]
    earlier = (
        format_html('<p class="quiet"><a href="{}">{} earlier messages</a></p>', whole, f"{first:,}")
        if first
        else ""
    )
    return format_html("{}{}", earlier, _folds(rows))


def _folds(rows: list[tuple[str, SafeString]]) -> SafeString:
    return format_html_join("", '<details class="one"><summary>{}</summary>{}</details>', rows)


def _number(values: list[Any], name: str) -> str:
    return f"{len(values):,} {name}{'s' * (len(values) != 1)}"


def summary(message: Body) -> str:
    """The beginning of a message, in one line."""
    text = " ".join(_block_summary(block) for block in message["content"])
    return text if len(text) <= 100 else f"{beginning(text, 100)}…"


def _block_summary(block: Body) -> str:
    kind = next(iter(block), "")
    value = block.get(kind)
    if kind == "text":
        return " ".join(str(value).split()).encode("utf-8", "replace").decode()
    member = {"toolUse": "name", "toolResult": "status"}.get(kind)
    return f"[{kind} {value.get(member, '')}]" if member and isinstance(value, dict) else f"[{kind}]"


# -- differences


def _text_difference(before: str, now: str) -> Iterator[Line]:
    """The lines of a unified diff, without its head."""
    for line in list(unified_diff(before.splitlines(), now.splitlines(), lineterm="", n=2))[2:]:
        yield {"+": "added", "-": "removed", "@": "at"}.get(line[0], "same"), line


def _member_difference(before: dict[str, Any], now: dict[str, Any]) -> Iterator[Line]:
    for name in [*now, *(name for name in before if name not in now)]:
        old, new = _pretty(before, name), _pretty(now, name)
        if old != new:
            yield "at", name
            yield from _text_difference(old, new)


def _pretty(members: dict[str, Any], name: str) -> str:
    return json.dumps(members[name], indent=1, ensure_ascii=False) if name in members else ""


def _message_difference(before: list[Any], now: list[Any]) -> Iterator[Line]:
    old, new = [one_line(message) for message in before], [one_line(message) for message in now]
    same = next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other),
        min(len(old), len(new)),
    )
    if same == len(old) == len(new):
        return
    if same:
        yield "same", f"{same:,} unchanged"
    for tag, first, last, begin, end in _changes(old[same:], new[same:]):
        if tag == "equal":
            yield "same", f"{last - first:,} unchanged"
            continue
        yield from (
            ("removed", f"- {_message_line(message)}") for message in before[same + first : same + last]
        )
        yield from (("added", f"+ {_message_line(message)}") for message in now[same + begin : same + end])


def _changes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    if max(len(old), len(new)) > COMPARED:
        return [("replace", 0, len(old), 0, len(new))]
    return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _message_line(message: Body) -> str:
    text = f"{message['role']}: {one_line(message['content'])}"
    return text if len(text) <= 2_000 else f"{text[:2_000]}… {len(text) - 2_000:,} more characters"
