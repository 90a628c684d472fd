"""A snapshot is what a page would show that had seen every event until then."""

import copy
from typing import Any

import pytest
from ag_ui.core import MessagesSnapshotEvent

from conversations.protocol.agui import events
from conversations.protocol.agui.events import Event
from conversations.protocol.agui.snapshot import Snapshot
from tests.protocol.own_streams import OWN
from tests.protocol.recorded import RECORDED, SETS, Stream, params
from tests.protocol.turns import QUESTION, TURN, turn_of

EVERY = [*params(OWN), *params(RECORDED)]
MANY_ROUNDS = params([rounds for rounds in SETS.values() if len(rounds) > 1])
STREAMS = {stream.name: stream for stream in OWN}
STARTED = {
    "TEXT_MESSAGE_START": lambda event: {"role": event["role"], "content": ""},
    "REASONING_START": lambda event: {"role": "reasoning", "content": ""},
    "TOOL_CALL_START": lambda event: {"role": "assistant", "toolCalls": [empty_call(event)]},
}
ENDED = {"TEXT_MESSAGE_END", "REASONING_END", "TOOL_CALL_END"}


def after(events: list[Event]) -> Snapshot:
    return Snapshot(TURN).apply(events)


def empty_call(event: Event) -> dict[str, Any]:
    function = {"name": event["toolCallName"], "arguments": ""}
    return {"id": event["toolCallId"], "type": "function", "function": function}


class Page:
    """A page that begins with a snapshot's messages and applies events by AG-UI's rules alone."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages = copy.deepcopy(messages)

    def apply(self, event: Event) -> None:
        if event["type"] == "CUSTOM":
            self._put_activity(event["name"], event["value"])
            return
        kind, message_id = event["type"], event.get("messageId") or f"call:{event.get('toolCallId')}"
        if kind in STARTED:
            self._put(message_id, **STARTED[kind](event))
        elif kind == "TOOL_CALL_RESULT":
            error = {"error": event["content"][:200]} if event["metadata"]["status"] == "error" else {}
            self._put(
                message_id, role="tool", toolCallId=event["toolCallId"], content=event["content"], **error
            )
            self._message(message_id)["metadata"] = {"turn": TURN, **event["metadata"]}
        elif kind == "TOOL_CALL_ARGS":
            self._message(message_id)["toolCalls"][0]["function"]["arguments"] += event["delta"]
        elif "delta" in event:
            self._message(message_id)["content"] += event["delta"]
        elif kind in ENDED:
            self._message(message_id)["metadata"].pop("open")
        elif kind in ("RUN_ERROR", "RUN_FINISHED", "STEP_FINISHED"):
            self._end()

    def _end(self) -> None:
        for message in self.messages:
            message["metadata"].pop("open", None)

    def _put_activity(self, name: str, value: dict[str, Any]) -> None:
        message_id = value["messageId"]
        if name == "turntable.citation":
            earlier = [one for one in self.messages if one["id"].startswith(f"{message_id}:")]
            message_id = f"{message_id}:citation:{len(earlier)}"
        self._put(message_id, role="activity", activityType=name, content=value)

    def _put(self, message_id: str, **message: Any) -> None:
        self.messages.append({"id": message_id, **message, "metadata": {"turn": TURN, "open": True}})

    def _message(self, message_id: str) -> dict[str, Any]:
        return next(message for message in self.messages if message["id"] == message_id)


def assert_any_moment_leads_to_the_end(turn_events: list[Event]) -> None:
    whole = after(turn_events).as_list()
    for moment in range(0, len(turn_events), max(1, len(turn_events) // 25)):
        page = Page(after(turn_events[:moment]).as_list())
        for event in turn_events[moment:]:
            page.apply(event)
        assert page.messages == whole


@pytest.mark.parametrize("stream", EVERY)
def test_a_snapshot_and_the_events_after_it_come_to_the_snapshot_of_all(stream: Stream) -> None:
    assert_any_moment_leads_to_the_end(turn_of(stream))


@pytest.mark.parametrize("rounds", MANY_ROUNDS)
def test_so_they_do_in_turns_of_many_rounds(rounds: list[Stream]) -> None:
    assert_any_moment_leads_to_the_end(turn_of(*rounds))


@pytest.mark.parametrize("stream", EVERY)
def test_events_in_two_parts_come_to_the_same_as_in_one(stream: Stream) -> None:
    turn_events = turn_of(stream)
    half = after(turn_events[: len(turn_events) // 2])
    half.apply(turn_events[len(turn_events) // 2 :])
    assert (half.as_list(), half.state) == (after(turn_events).as_list(), after(turn_events).state)


@pytest.mark.parametrize("stream", EVERY)
def test_a_snapshot_is_messages_of_agui(stream: Stream) -> None:
    messages = after(turn_of(stream)).as_list()
    MessagesSnapshotEvent.model_validate({"type": "MESSAGES_SNAPSHOT", "messages": messages})


def test_a_custom_event_of_an_unknown_name_changes_nothing() -> None:
    turn_events = turn_of(STREAMS["blank-text"])
    snapshot = after(turn_events)
    before = (snapshot.as_list(), copy.deepcopy(snapshot.state))
    snapshot.apply([{"type": "CUSTOM", "name": "turntable.of_tomorrow", "value": {"messageId": "1"}}])
    assert (snapshot.as_list(), snapshot.state) == before


def test_a_list_that_was_taken_does_not_change_with_what_follows() -> None:
    turn_events = turn_of(STREAMS["signed-reasoning"])
    snapshot = after(turn_events[:8])
    messages = snapshot.as_list()
    before = copy.deepcopy(messages)
    snapshot.apply(turn_events[8:])
    assert messages == before != snapshot.as_list()


def test_messages_have_the_ids_of_their_events_and_the_order_in_which_they_began() -> None:
    assert [message["id"] for message in after(turn_of(STREAMS["blank-text"])).as_list()] == [
        QUESTION,
        f"{TURN}:1:1",
        "call:t1",
        "result:t1",
    ]


def test_a_call_is_a_message_with_its_arguments_and_another_with_its_result() -> None:
    messages = after(turn_of(STREAMS["server-tool"])).as_list()
    call, result = (message for message in messages if message["id"] in ("call:t1", "result:t1"))
    function = {"name": "top_song", "arguments": "{}"}
    assert call == {
        "id": "call:t1",
        "role": "assistant",
        "toolCalls": [{"id": "t1", "type": "function", "function": function}],
        "metadata": {"turn": TURN},
    }
    assert result == {
        "id": "result:t1",
        "role": "tool",
        "toolCallId": "t1",
        "content": "8 Storey Hike",
        "metadata": {"turn": TURN, "status": "success", "durationMs": 3},
    }


def test_a_result_that_is_a_failure_says_so_briefly_and_leaves_its_number_out() -> None:
    event = events.tool_call_result("t1", "x" * 300, status="error", duration_ms=1)
    event["metadata"]["seq"] = 7
    [message] = after([event]).as_list()
    assert (message["error"], message["content"]) == ("x" * 200, "x" * 300)
    assert "seq" not in message["metadata"]


def test_what_is_still_being_written_is_open() -> None:
    turn_events = turn_of(STREAMS["cut"])
    opened = [
        message["id"] for message in after(turn_events[:-1]).as_list() if message["metadata"].get("open")
    ]
    assert opened == ["call:t1"]
    assert not any("open" in message["metadata"] for message in after(turn_events).as_list())


def test_a_redacted_span_is_a_message_without_content() -> None:
    _, reasoning, answer = after(turn_of(STREAMS["redacted-reasoning"])).as_list()
    assert (reasoning["role"], reasoning["content"], answer["content"]) == ("reasoning", "", "Done.")


def test_a_picture_is_open_until_its_round_ends_and_can_be_fetched() -> None:
    turn_events = turn_of(STREAMS["image"])
    end = next(at for at, event in enumerate(turn_events) if event["type"] == "STEP_FINISHED")
    assert after(turn_events[:end]).as_list()[-1]["metadata"] == {"turn": TURN, "open": True}
    [_, picture] = after(turn_events[: end + 1]).as_list()
    facts = picture["content"]
    assert (picture["role"], picture["activityType"]) == ("activity", "turntable.image")
    assert (facts["format"], facts["size"], len(facts["sha256"])) == ("png", 8, 64)
    assert picture["metadata"] == {"turn": TURN}


def test_a_citation_is_a_message_beside_its_text_each_time() -> None:
    *_, text, one, other = after(turn_of(STREAMS["citation-alone"])).as_list()
    assert [one["id"], other["id"]] == [f"{TURN}:1:1:citation:0", f"{TURN}:1:1:citation:1"]
    assert one["content"]["messageId"] == other["content"]["messageId"] == f"{TURN}:1:1"
    assert text["role"] == "assistant"


# -- how the turn stands


def test_a_turn_is_queued_until_it_starts_and_then_runs() -> None:
    turn_events = turn_of(OWN[0])
    new = {"id": TURN, "status": "queued", "error": None, "stopReason": None, "steps": 0, "retrying": None}
    new |= {"interrupts": [], "rounds": [], "startedAt": None, "endedAt": None}
    assert after([]).state == new
    assert after(turn_events[:1]).state["status"] == "running"


def test_how_a_round_was_asked_again_stays_and_a_refused_question_is_marked() -> None:
    begun = turn_of(OWN[0])[:-1]
    event = events.adjusted("Asked again without pictures.", "no eyes" + "!" * 9000)
    refused = after([*begun, event, events.run_error("No.", "invalid_request", is_left_out=True)])
    [adjusted] = refused.state["adjusted"]
    assert adjusted == {"what": "Asked again without pictures.", "why": event["value"]["why"]}
    assert len(adjusted["why"]) == events.WHY_BYTES
    marks = [(m["role"], m["metadata"].get("leftOut")) for m in refused.as_list()]
    assert marks[0] == ("user", True)
    assert {mark for role, mark in marks if role != "user"} == {None}


def test_an_ended_turn_tells_of_its_rounds() -> None:
    state = after(turn_of(STREAMS["parallel-tools"], STREAMS["text"])).state
    assert (state["status"], state["steps"], state["stopReason"], state["model"]) == (
        "completed",
        2,
        "end_turn",
        "demo",
    )
    assert state["usage"] == STREAMS["text"].usage


@pytest.mark.parametrize(
    ("outcome", "status"), [("success", "completed"), ("cancelled", "stopped"), ("interrupt", "waiting")]
)
def test_how_a_run_ended_is_how_the_turn_stands(outcome: str, status: str) -> None:
    assert after([events.run_finished("c0", TURN, outcome, [])]).state["status"] == status


def test_a_run_without_an_outcome_ended_well() -> None:
    assert after([{"type": "RUN_FINISHED", "threadId": "c0", "runId": TURN}]).state["status"] == "completed"


@pytest.mark.parametrize(("code", "status"), [("stream_cut", "failed"), ("interrupted", "interrupted")])
def test_a_failed_turn_says_why(code: str, status: str) -> None:
    state = after([events.run_error("It broke off.", code)]).state
    assert (state["status"], state["error"]) == (status, {"code": code, "message": "It broke off."})


def test_a_round_that_was_cut_by_a_crash_leaves_what_was_known_before() -> None:
    cut = events.step_finished(1, {"interrupted": True})
    assert after([events.step_started(1), cut]).state["stopReason"] is None
    assert (
        after([events.step_started(1), {"type": "STEP_FINISHED", "stepName": "round 1"}]).state["steps"] == 1
    )


def test_what_a_turn_was_asked_with_stands_at_it() -> None:
    settings = {"model": "other.model-v1", "temperature": 0.2}
    started = events.run_started("c0", TURN, settings=settings)
    assert after([started]).state["settings"] == settings
    assert "settings" not in after([events.run_started("c0", TURN)]).state
