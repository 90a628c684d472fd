"""Approvals at the terminal: each waiting call is put to whoever sits there."""

import json
import sys
from typing import Any, TextIO

from conversations.management.terminal import printable
from conversations.models import Approval, Turn

NOBODY = "Nobody sat at the terminal to decide."


def answers(turn: Turn, out: TextIO) -> list[dict[str, Any]]:
    """The decisions about a waiting turn's calls, as an AG-UI `resume`; all denied without a terminal."""
    pending = Approval.objects.filter(call__turn=turn, status=Approval.Status.PENDING).select_related("call")
    return [_answer(approval, out) for approval in pending.order_by("call__round", "call__position")]


def _answer(approval: Approval, out: TextIO) -> dict[str, Any]:
    call = approval.call
    payload: dict[str, Any] = {"approved": False, "reason": NOBODY}
    if sys.stdin is not None and sys.stdin.isatty():
        arguments = printable(json.dumps(call.input, ensure_ascii=False))
        out.write(f"[{printable(call.name)} {arguments} waits for your approval. Run it? y/N] ")
        out.flush()
        payload = _decision(sys.stdin.readline())
    return {"interruptId": call.tool_use_id, "status": "resolved", "payload": payload}


def _decision(line: str) -> dict[str, Any]:
    """The decision that a line holds: `y` approves; anything longer than `no` is the reason of a denial."""
    text = line.strip()
    if text.lower() in ("y", "yes"):
        return {"approved": True}
    return {"approved": False, "reason": text if len(text) > len("no") else ""}
