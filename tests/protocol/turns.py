"""Whole turns as events, made of streams as the product makes them."""

from collections.abc import Sequence
from typing import Any

from conversations.protocol.agui import events
from conversations.protocol.agui.events import Event
from conversations.protocol.converse.stream import Assembly
from tests.protocol.recorded import Stream

CONVERSATION, TURN, QUESTION = "c0", "f3a1", "9b2e"


def turn_of(*rounds: Stream, question: str = "Hi") -> list[Event]:
    """The events of a turn with these rounds, all calls answered; it fails if its last round is cut."""
    turn_events = [events.run_started(CONVERSATION, TURN), *events.user_message(QUESTION, question)]
    used_ids: set[str] = set()
    for number, stream in enumerate(rounds, 1):
        turn_events += round_of(stream, number, used_ids)
    if rounds and rounds[-1].stop_reason is None:
        return [*turn_events, events.run_error("The answer broke off.", "stream_cut")]
    usage = [events.token_usage(stream.model, stream.usage) for stream in rounds]
    return [*turn_events, events.run_finished(CONVERSATION, TURN, "success", usage)]


def round_of(stream: Stream, number: int, used_ids: set[str]) -> list[Event]:
    """A round's events; `used` gains its tool use ids."""
    assembly = Assembly(used_ids)
    round_events = [events.step_started(number), *display_events(assembly, stream.events, f"{TURN}:{number}")]
    if not assembly.is_complete:
        return round_events
    used_ids |= {call.tool_use_id for call in assembly.calls()}
    metadata = {"stopReason": assembly.stop_reason, "usage": assembly.usage, "model": stream.model}
    results = [
        events.tool_call_result(call.tool_use_id, "8 Storey Hike", status="success", duration_ms=3)
        for call in assembly.calls()
    ]
    return [*round_events, events.step_finished(number, metadata), *results]


def display_events(assembly: Assembly, stream_events: Sequence[tuple[str, Any]], prefix: str) -> list[Event]:
    """The AG-UI events of a stream."""
    deltas = [delta for name, payload in stream_events for delta in assembly.feed(name, payload)]
    return [event for delta in deltas for event in events.block_events(prefix, delta)]
