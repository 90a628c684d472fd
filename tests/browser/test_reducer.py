"""The reducer comes to the state that the server would send a new page."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.chat import UNENDING, Chat

TURN = "00000000-0000-4000-8000-000000000001"
RECORD = """([address, last]) => new Promise((resolve) => {
    const events = [], socket = new WebSocket(address);
    socket.onmessage = ({data}) => {
        const event = JSON.parse(data), seq = event.metadata?.seq ?? 0;
        events.push(event);
        socket.send(JSON.stringify({type: "ack", seq}));
        if (seq < last) return;
        socket.onmessage = null;
        socket.close();
        resolve(events);
    };
})"""
REDUCE = """async ([state, events]) => {
    const {EMPTY, reduce} = await import("/static/conversations/transcript/reducer.js");
    return events.reduce(reduce, {...EMPTY, ...state});
}"""
PREPEND = """async ([state, older]) => {
    const {EMPTY, prepend} = await import("/static/conversations/transcript/reducer.js");
    return prepend({...EMPTY, ...state}, {...EMPTY, ...older});
}"""


def test_the_events_of_a_conversation_add_up_to_its_snapshot(chat: Chat) -> None:
    for question in (
        "show parallel calls",
        "show reasoning",
        "show redacted reasoning",
        "show blank text",
        "fail cut",
    ):
        chat.ask(question)
    chat.begin(UNENDING)
    address = chat.page.url.replace("http", "ws").replace("/conversations/", "/ws/conversations/")
    for half in ("in mid-answer", "stopped"):
        (snapshot,) = chat.page.evaluate(RECORD, [address, 0])
        events = chat.page.evaluate(RECORD, [f"{address}?after=0", snapshot["metadata"]["seq"]])
        state = chat.page.evaluate(REDUCE, [{}, events])
        assert state["messages"] == snapshot["messages"], half
        assert state["turns"] == snapshot["metadata"]["turns"], half
        assert state["cursor"] == snapshot["metadata"]["seq"], half
        chat.stop_button.click() if half == "in mid-answer" else None
        chat.settled()


@pytest.fixture(scope="module")
def reduced(shared: BrowserContext) -> Any:
    """Reduces events, the numbered ones being a record's first, in a tab for all tests."""
    page = shared.new_page()
    page.goto("/")

    def reduce(*events: dict[str, Any], state: dict[str, Any] | None = None) -> Any:
        return page.evaluate(REDUCE, [state or {}, list(events)])

    return reduce


def numbered(*events: dict[str, Any], first: int = 1) -> list[dict[str, Any]]:
    """The events of a record."""
    return [
        event | {"metadata": event.get("metadata", {}) | {"seq": seq}}
        for seq, event in enumerate(events, first)
    ]


START = {"type": "RUN_STARTED", "runId": TURN}
BEGIN = {"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "assistant"}
HELLO = {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "Hello"}
THERE = {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": " there"}


def content(state: Any) -> list[str]:
    """The texts of a state's messages."""
    return [message["content"] for message in state["messages"]]


def test_an_event_that_comes_again_changes_nothing(reduced: Any) -> None:
    one, two, three = numbered(START, BEGIN, HELLO)
    assert content(reduced(one, two, three, three, one, two)) == ["Hello"]


def test_an_event_after_a_gap_waits_for_what_is_missing(reduced: Any) -> None:
    one, two, three, four = numbered(START, BEGIN, HELLO, THERE)
    state = reduced(one, two, four)
    assert (state["cursor"], content(state)) == (2, [""])
    assert content(reduced(three, four, state=state)) == ["Hello there"]


def test_an_event_of_an_unknown_type_is_counted_and_otherwise_ignored(reduced: Any) -> None:
    state = reduced(
        *numbered(START, BEGIN, {"type": "NEWS"}, {"type": "CUSTOM", "name": "x", "value": 1}, HELLO)
    )
    assert (state["cursor"], content(state)) == (5, ["Hello"])


def test_a_message_that_begins_again_begins_anew(reduced: Any) -> None:
    assert content(reduced(*numbered(START, BEGIN, HELLO, BEGIN, THERE))) == [" there"]


def test_what_is_open_when_a_turn_fails_is_cut_there(reduced: Any) -> None:
    error = {"type": "RUN_ERROR", "code": "stream_cut", "message": "The answer was cut."}
    state = reduced(*numbered(START, BEGIN, HELLO, error))
    (turn,) = state["turns"]
    assert (turn["status"], turn["error"]["code"]) == ("failed", "stream_cut")
    assert "open" not in state["messages"][0]["metadata"]


def test_a_run_after_an_approval_belongs_to_its_turn(reduced: Any) -> None:
    waiting = {"type": "RUN_FINISHED", "runId": TURN, "outcome": {"type": "interrupt", "interrupts": []}}
    end = {"type": "RUN_FINISHED", "runId": f"{TURN}:2", "outcome": {"type": "success"}}
    state = reduced(*numbered(START, waiting))
    assert [turn["status"] for turn in state["turns"]] == ["waiting"]
    state = reduced(*numbered({"type": "RUN_STARTED", "runId": f"{TURN}:2"}, end, first=3), state=state)
    assert [(turn["id"], turn["status"]) for turn in state["turns"]] == [(TURN, "completed")]


def test_a_message_that_starts_leaves_the_queue(reduced: Any) -> None:
    queued = {"type": "CUSTOM", "name": "turntable.queued", "value": [{"id": "m", "text": "Hello"}]}
    state = reduced(queued)
    assert (len(state["queue"]), state["cursor"]) == (1, 0)
    assert reduced(*numbered(START, BEGIN | {"role": "user"}), state=state)["queue"] == []


def test_a_retry_is_news_until_the_answer_begins(reduced: Any) -> None:
    retrying = {
        "type": "CUSTOM",
        "name": "turntable.retrying",
        "value": {"attempt": 2, "of": 3, "seconds": 1},
    }
    state = reduced(*numbered(START, retrying | {"timestamp": 7}))
    assert state["turns"][0]["retrying"] == {"attempt": 2, "of": 3, "seconds": 1, "at": 7}
    assert reduced(*numbered(BEGIN, first=3), state=state)["turns"][0]["retrying"] is None


def test_a_turn_that_is_split_between_two_pages_is_one(page: Page) -> None:
    page.goto("/")
    one, two = (
        {"id": name, "role": "user", "content": name, "metadata": {"turn": TURN}} for name in ("one", "two")
    )
    turn = {"id": TURN, "status": "completed"}
    newer, older = {"before": "two", "messages": [two], "turns": [turn]}, {"messages": [one], "turns": [turn]}
    state = page.evaluate(PREPEND, [newer, older])
    assert (content(state), state["turns"], state["before"]) == (["one", "two"], [turn], None)
