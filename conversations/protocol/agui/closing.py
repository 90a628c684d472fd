"""The events that close a round which a crash broke off, so that the same step may start again."""

from collections.abc import Iterable

from .events import Event, tool_call_result

END_EVENTS = {
    "TEXT_MESSAGE_START": ("TEXT_MESSAGE_END", "messageId"),
    "REASONING_START": ("REASONING_END", "messageId"),
    "REASONING_MESSAGE_START": ("REASONING_MESSAGE_END", "messageId"),
    "TOOL_CALL_START": ("TOOL_CALL_END", "toolCallId"),
}
BROKEN_OFF = "Not run: the answer broke off."


def closing_events(events: Iterable[Event]) -> list[Event]:
    """The events that close the round in which a turn's events break off, none if they do not.

    Open messages end, the last begun first. Then the step ends, marked as interrupted. Then each call of the step gets a result that
    says it was not run.
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
        elif kind in END_EVENTS:
            end, member = END_EVENTS[kind]
            open_ends[end, event[member]] = {"type": end, member: event[member]}
            calls += [event[member]] if kind == "TOOL_CALL_START" else []
        else:
            open_ends.pop((kind, event.get("messageId") or event.get("toolCallId", "")), None)
    if not step:
        return []
    finished = {"type": "STEP_FINISHED", "stepName": step, "metadata": {"interrupted": True}}
    results = [
        tool_call_result(call, BROKEN_OFF, status="error", duration_ms=0, error="cut") for call in calls
    ]
    return [*reversed(open_ends.values()), finished, *results]
