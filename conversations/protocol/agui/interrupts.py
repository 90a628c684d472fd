"""A run that ends because a person has to decide something, and what it asks them (<https://docs.ag-ui.com/concepts/interrupts>)."""

from typing import Any

from .events import Event, custom, run_finished

ANSWER = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean"},
        "editedArgs": {"type": "object", "description": "Arguments to run it with instead."},
        "reason": {"type": "string", "description": "Why not, for the model."},
        "always": {"type": "boolean", "description": "Let this tool run with these arguments from now on."},
    },
    "required": ["approved"],
}
"""The JSON Schema of an answer to an interrupt."""


def run_interrupted(
    conversation: str, run: str, interrupts: list[dict[str, Any]], usage: list[dict[str, Any]]
) -> Event:
    """A turn waits for a person: a run's end, which a further run follows."""
    outcome = {"outcome": {"type": "interrupt", "interrupts": interrupts}}
    return run_finished(conversation, run, "interrupt", usage) | outcome


def interrupt(tool_call_id: str, name: str, expires_at: str | None) -> dict[str, Any]:
    """What a waiting call asks for; a `resume` entry answers it by its id."""
    asked = {
        "id": tool_call_id,
        "reason": "tool_call",
        "message": f"Run {name}?",
        "toolCallId": tool_call_id,
        "responseSchema": ANSWER,
    }
    return asked | ({"expiresAt": expires_at} if expires_at else {})


def decision(tool_call_id: str, decided: str, by: str, detail: dict[str, Any]) -> Event:
    """What was decided about a call, and by whom; `detail` may have `reason`, `editedArgs` and `standing`."""
    told = {"toolCallId": tool_call_id, "decision": decided} | ({"by": by} if by else {})
    return custom(
        "approval", told | {name: value for name, value in detail.items() if value not in ("", None, False)}
    )
