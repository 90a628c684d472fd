"""Calls that wait for an approval, put to whoever sits at the terminal."""

import json
import sys
from typing import Any, TextIO

from conversations.management.terminal import printable
from conversations.models import Approval, Turn

NOBODY = "Nobody sat at the terminal to decide."


def answers(turn: Turn, out: TextIO) -> list[dict[str, Any]]:
    """The decisions about a waiting turn's calls, as an AG-UI `resume`; without a terminal all are denied."""
    pending = Approval.objects.filter(call__turn=turn, status=Approval.Status.PENDING).select_related("call")
    return [_answer(approval, out) for approval in pending.order_by("call__round", "call__position")]


def _answer(approval: Approval, out: TextIO) -> dict[str, Any]:
    call = approval.call
    payload: dict[str, Any] = {"approved": False, "reason": NOBODY}
    if sys.stdin is not None and sys.stdin.isatty():
        shown = printable(json.dumps(call.input, ensure_ascii=False))
        out.write(f"[{printable(call.name)} {shown} waits for your approval. Run it? y/N] ")
        out.flush()
        payload = _said(sys.stdin.readline())
    return {"interruptId": call.tool_use_id, "status": "resolved", "payload": payload}


def _said(line: str) -> dict[str, Any]:
    """What a line says: `y` approves, anything longer than a letter is the reason why not."""
    said = line.strip()
    if said.lower() in ("y", "yes"):
        return {"approved": True}
    return {"approved": False, "reason": said if len(said) > len("no") else ""}
