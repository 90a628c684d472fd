"""The events that end a round that a crash cut off, so that the same step may start again."""

from collections.abc import Iterable

from .events import Event, tool_call_result

ENDS = {
    "TEXT_MESSAGE_START": ("TEXT_MESSAGE_END", "messageId"),
    "REASONING_START": ("REASONING_END", "messageId"),
    "REASONING_MESSAGE_START": ("REASONING_MESSAGE_END", "messageId"),
    "TOOL_CALL_START": ("TOOL_CALL_END", "toolCallId"),
}
CUT = "Not run: the answer broke off."


def closing(events: Iterable[Event]) -> list[Event]:
    """The events that end the round in which a turn's events break off, if they do so in a round.

    Open messages end, the last begun first. Then the step ends, marked as interrupted. Then each call that it had begun to ask for
    gets a result that says it was not run.
    """
    open_ends: dict[tuple[str, str], Event] = {}
    step = ""
    calls: list[str] = []
    for event in events:
        kind = event["type"]
        if kind == "STEP_STARTED":
            step, calls = event["stepName"], []
        elif kind == "STEP_FINISHED":
            step = ""
        elif kind in ENDS:
            end, member = ENDS[kind]
            open_ends[end, event[member]] = {"type": end, member: event[member]}
            calls += [event[member]] if kind == "TOOL_CALL_START" else []
        else:
            open_ends.pop((kind, event.get("messageId") or event.get("toolCallId", "")), None)
    if not step:
        return []
    finished = {"type": "STEP_FINISHED", "stepName": step, "metadata": {"interrupted": True}}
    results = [tool_call_result(call, CUT, status="error", duration_ms=0, error="cut") for call in calls]
    return [*reversed(open_ends.values()), finished, *results]
