"""Interrupts (<https://docs.ag-ui.com/concepts/interrupts>): a run ends so that a person can decide."""

from collections.abc import Iterable, Iterator
from typing import Any

from .events import Event, custom, run_finished

ANSWER_SCHEMA: dict[str, Any] = {
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

WHOLE_TOOL = {
    "enum": [True, False, "tool"],
    "description": "Let this tool run with these arguments, or with any (`tool`), from now on.",
}
"""The schema of `always` where a person may allow all further calls of the tool."""

WHOLE_TOOL_SCHEMA = ANSWER_SCHEMA | {"properties": ANSWER_SCHEMA["properties"] | {"always": WHOLE_TOOL}}


def run_interrupted(
    conversation: str, run: str, interrupts: list[dict[str, Any]], usage: list[dict[str, Any]]
) -> Event:
    """The end of a run that waits for a person. A further run follows it."""
    outcome = {"outcome": {"type": "interrupt", "interrupts": interrupts}}
    return run_finished(conversation, run, "interrupt", usage) | outcome


def interrupt(
    tool_call_id: str, name: str, expires_at: str | None, *, allows_whole_tool: bool = False
) -> dict[str, Any]:
    """The interrupt of a waiting call; a `resume` entry answers it by its id.

    `name` is the tool's, as people read it. `allows_whole_tool` says that the answer may be for all calls of the tool.
    """
    value = {
        "id": tool_call_id,
        "reason": "tool_call",
        "message": f"Run {name}?",
        "toolCallId": tool_call_id,
        "responseSchema": WHOLE_TOOL_SCHEMA if allows_whole_tool else ANSWER_SCHEMA,
    }
    value |= {"metadata": {"always": "tool"}} if allows_whole_tool else {}
    return value | ({"expiresAt": expires_at} if expires_at else {})


def repeated_calls(record: Iterable[Event]) -> list[Event]:
    """The events with which a further run repeats the calls whose results it brings.

    Readers forget a run's calls when it ends. A repeated call is marked as such, and has no arguments.
    """
    names: dict[str, str] = {}
    for event in record:
        if event["type"] == "TOOL_CALL_START":
            names[event["toolCallId"]] = event["toolCallName"]
        elif event["type"] == "TOOL_CALL_RESULT":
            names.pop(event["toolCallId"], None)
    return [event for call, name in names.items() for event in repeated_call(call, name)]


def repeated_call(tool_call_id: str, name: str) -> list[Event]:
    """The beginning and the end of a call that an earlier run has shown whole."""
    call = {"toolCallId": tool_call_id, "metadata": {"repeated": True}}
    return [
        {"type": "TOOL_CALL_START", **call, "toolCallName": name},
        {"type": "TOOL_CALL_END", **call},
    ]


def with_repeated_calls(record: Iterable[Event]) -> Iterator[Event]:
    """A record in which each run begins the calls whose results it brings; older records lack that."""
    names: dict[str, str] = {}
    begun: set[str] = set()
    for event in record:
        call = event.get("toolCallId", "")
        match event["type"]:
            case "RUN_STARTED":
                begun = set()
            case "TOOL_CALL_START":
                names[call] = event["toolCallName"]
                begun.add(call)
            case "TOOL_CALL_RESULT" if call in names and call not in begun:
                yield from repeated_call(call, names[call])
        yield event


def question(tool_call_id: str, number: int, form: dict[str, Any], expires_at: str | None) -> dict[str, Any]:
    """The interrupt of a call that asks something while it runs; the answer's payload fits the schema."""
    value = {
        "id": f"{tool_call_id}:{number}",
        "reason": "input_required",
        "message": form["message"],
        "toolCallId": tool_call_id,
        "responseSchema": form["schema"],
    }
    return value | ({"expiresAt": expires_at} if expires_at else {})


def decision(tool_call_id: str, status: str, by: str, detail: dict[str, Any]) -> Event:
    """The decision about a call; `detail` may have `reason`, `editedArgs` and `standing`."""
    members = {"toolCallId": tool_call_id, "status": status} | ({"by": by} if by else {})
    members |= {name: value for name, value in detail.items() if value not in ("", None, False)}
    return custom("approval", members)
