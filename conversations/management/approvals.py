"""Approvals at the terminal: the person there decides about each waiting call."""

import json
import sys
from collections.abc import Callable
from typing import Any, TextIO

from conversations.engine import permits_any_arguments, value_of
from conversations.management.terminal import printable
from conversations.models import Approval, ToolCall, Turn

NOBODY = "Nobody sat at the terminal to decide."
YES, ALWAYS, NO = ("y", "yes", "approve"), ("a", "always"), ("n", "no", "deny")
CHOICES = "y, a: always with these arguments, N, or the reason why not"
CHOICES_OF_TOOL = "y, a: always with these arguments, t: with any, N, or the reason why not"


def pending(turn: Turn) -> list[Approval]:
    """The approvals that a turn waits for, in the order of its calls."""
    rows = Approval.objects.filter(call__turn=turn, status=Approval.Status.PENDING).select_related("call")
    return list(rows.order_by("call__round", "call__position"))


def answers(turn: Turn, out: TextIO) -> list[dict[str, Any]]:
    """Asks about a waiting turn's calls; returns an AG-UI `resume`. Without a terminal all are denied."""
    return [_answer(approval, out) for approval in pending(turn)]


def _answer(approval: Approval, out: TextIO) -> dict[str, Any]:
    if approval.question is not None:
        return _reply(approval, out)
    call = approval.call
    payload: dict[str, Any] = {"approved": False, "reason": NOBODY}
    if sys.stdin is not None and sys.stdin.isatty():
        arguments = printable(json.dumps(call.input, ensure_ascii=False))
        out.write(f"[{printable(call.name)} {arguments} waits for your approval. Run it? {choices(call)}] ")
        out.flush()
        payload = decision(sys.stdin.readline(), call)
    return entry(call, payload)


def entry(call: ToolCall, payload: dict[str, Any]) -> dict[str, Any]:
    """The entry of an AG-UI `resume` for a call."""
    return {"interruptId": call.tool_use_id, "status": "resolved", "payload": payload}


def reply(approval: Approval, read: Callable[[str], str]) -> dict[str, Any]:
    """Asks a running call's question, field by field; returns a `resume` entry without blank answers."""
    payload = {}
    for name, schema in approval.question["schema"].get("properties", {}).items():
        choices = f" ({', '.join(map(str, schema['enum']))})" if isinstance(schema.get("enum"), list) else ""
        if text := read(printable(f"{schema.get('title') or name}{choices}: ")).strip():
            payload[name] = value_of(text, schema)
    entry = {"interruptId": approval.interrupt_id, "status": "cancelled"}
    return entry | {"status": "resolved", "payload": payload} if payload else entry


def question(approval: Approval) -> str:
    """The question of a running call, as a line."""
    return printable(f"{approval.call.name} asks: {approval.question['message']}")


def _reply(approval: Approval, out: TextIO) -> dict[str, Any]:
    def read(prompt: str) -> str:
        out.write(f"[{prompt}] ")
        out.flush()
        return sys.stdin.readline()

    out.write(f"[{question(approval)}]\n")
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    return reply(approval, read if has_terminal else lambda prompt: "")


def choices(call: ToolCall) -> str:
    """The answers that may be given about a call."""
    return CHOICES_OF_TOOL if permits_any_arguments(call.name) else CHOICES


def decision(line: str, call: ToolCall) -> dict[str, Any]:
    """The decision in a line. Any text but the short answers is the reason of a denial."""
    text = line.strip()
    word = text.lower().rstrip(".!")
    if word in YES:
        return {"approved": True}
    if word in ALWAYS:
        return {"approved": True, "always": True}
    if word in ("t", "tool") and permits_any_arguments(call.name):
        return {"approved": True, "always": "tool"}
    return {"approved": False, "reason": "" if word in NO else _reason(text)}


def _reason(text: str) -> str:
    """The reason, without the `no` that it may begin with."""
    first, _, rest = text.partition(" ")
    return rest.strip() if first.lower().rstrip(",.:;") in NO else text
