"""The events of an answer that goes well, and what becomes of its connection."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from conversations.gateway.frames import Decoder, encode
from conversations.protocol.converse.stream import DAMAGED, LOST
from tests.conditions import until
from tests.gateway.calls import Aside, Reader, Wire, here, outcome_of, talking
from tests.gateway.wire import EVENT_STREAM, Answer, End, Part, answer_frames, head
from tests.protocol.recorded import FOLDER, NONE_HERE

pytestmark = pytest.mark.usefixtures("each_loop")

FRAMES = answer_frames("Hello", " world")
NAMES = [
    "messageStart",
    "contentBlockDelta",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
]
RECORDED = [path for path in sorted(FOLDER.rglob("response.bin")) if "errors" not in path.parts]
BODIES = [pytest.param(path, id=path.parent.relative_to(FOLDER).as_posix()) for path in RECORDED] or [
    pytest.param(None, marks=NONE_HERE)
]


def test_the_events_of_an_answer_come_as_they_were_sent(wire: Wire) -> None:
    result = wire.outcome(Answer.stream(*FRAMES))
    assert result.error is None
    assert result.events == [
        (frame.name, json.loads(frame.payload)) for frame in Decoder().feed(b"".join(FRAMES))
    ]
    assert result.names == NAMES


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_the_cuts_of_the_transport_do_not_matter(wire: Wire, size: int) -> None:
    assert wire.outcome(Answer.stream(*FRAMES, size=size)).names == NAMES


@pytest.mark.parametrize(
    "answer",
    [
        Answer.plain(*FRAMES),
        Answer.plain(*FRAMES, missing=0),
        Answer.plain(*FRAMES, missing=100),
        Answer.stream(*FRAMES, headers={"Content-Type": "text/event-stream"}),
        Answer.stream(*FRAMES, headers={}),
    ],
    ids=["until the end", "with a length", "with a wrong length", "labelled as Kong does", "not labelled"],
)
def test_an_answer_is_read_however_it_is_delivered(wire: Wire, answer: Answer) -> None:
    assert wire.outcome(answer).names == NAMES


def slowly(kind: str, gate: threading.Event) -> Answer:
    parts: list[Part] = [FRAMES[0], gate, *FRAMES[1:]]
    return (
        Answer.stream(*parts)
        if kind == "chunked"
        else Answer.plain(*parts, missing=0 if kind == "length" else None)
    )


@pytest.mark.parametrize("kind", ["chunked", "length", "until the end"])
def test_an_event_is_there_before_the_next_is_sent(wire: Wire, kind: str) -> None:
    gate = threading.Event()
    wire.server.play(slowly(kind, gate))
    aside = Aside(wire.call())
    until(lambda: len(aside.events) == 1)
    gate.set()
    assert aside.result().names == NAMES


@pytest.mark.parametrize("body", BODIES)
def test_a_recorded_stream_arrives_as_recorded_and_its_request_is_sent_as_it_is(
    wire: Wire, body: Path
) -> None:
    lines = [json.loads(line) for line in body.with_name("events.jsonl").read_text().splitlines()]
    request = json.loads(body.with_name("request.json").read_text())
    result = wire.outcome(Answer.stream(body.read_bytes(), size=1000), body=request)
    events = [(line["event-type"], line["payload"]) for line in lines if line["message-type"] == "event"]
    assert result.events == events
    assert (result.error is None) == (len(events) == len(lines))
    assert wire.server.requests[0].body == json.dumps(request).encode()


@pytest.mark.parametrize(
    "payload",
    [
        {"somethingNew": {"x": 1}},
        {"contentBlockIndex": 0, "delta": {"newKind": {"x": 1}}},
        {"contentBlockIndex": 0, "delta": {}},
        {"contentBlockIndex": 0, "delta": {"text": "a", "more": "b"}},
        {"contentBlockIndex": 0, "delta": {"text": "a", "toolUse": None}},
        {"contentBlockIndex": 0, "delta": {"reasoningContent": {"redactedContent": "not base64!"}}},
        {"usage": {"inputTokens": 1, "serverToolUsage": {}}, "p": "abc"},
    ],
)
@pytest.mark.parametrize("name", ["contentBlockDelta", "somethingNew", ""])
def test_what_botocore_does_not_know_is_passed_on(wire: Wire, name: str, payload: dict[str, Any]) -> None:
    result = wire.outcome(Answer.stream(encode(name, payload)))
    assert result == ([(name, payload)], None)


def test_payloads_that_are_no_object_are_passed_on_as_lost_and_counted(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [
        encode("contentBlockDelta", payload)
        for payload in (b"", b"[1]", b"{broken", b"null", b"\xff", b"[" * 99_999)
    ]
    result = wire.outcome(Answer.stream(FRAMES[0], *odd, *FRAMES[1:]))
    assert (result.names, result.error) == ([NAMES[0], *["contentBlockDelta"] * 6, *NAMES[1:]], None)
    assert [payload for _, payload in result.events[1:7]] == [LOST] * 6
    assert [record.getMessage() for record in caplog.records if record.name.startswith("conversations")] == [
        "request request-1: 6 events that are no JSON object or not UTF-8"
    ]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"80 \xe2\x82", "80 \ufffd"),
        (b"\xac!", "\ufffd!"),
        (b"\xc3(\xff", "\ufffd(\ufffd"),
        ("80 €".encode(), None),
    ],
)
def test_bytes_that_are_no_utf_8_are_replaced_and_marked(wire: Wire, sent: bytes, text: str | None) -> None:
    frame = encode("contentBlockDelta", b'{"contentBlockIndex":0,"delta":{"text":"%b"}}' % sent)
    [(_, payload)] = wire.outcome(Answer.stream(frame)).events
    assert (payload["delta"]["text"], DAMAGED in payload) == (text or "80 €", text is not None)


def test_an_end_that_cannot_be_read_does_not_make_an_answer_complete(wire: Wire) -> None:
    stop = encode("messageStop", b'{"stopReason')
    assert wire.outcome(Answer.stream(*FRAMES[:4], stop, FRAMES[5][:-3])).error is not None


def test_a_connection_serves_again_once_its_answer_was_read(wire: Wire) -> None:
    wire.server.play(Answer.stream(*FRAMES))
    for _ in range(5):
        outcome_of(wire.call())
    assert len({request.connection for request in wire.server.requests}) == 1


def test_a_connection_serves_again_after_an_error(wire: Wire) -> None:
    wire.server.play(Answer.error(429, {"message": "slow down"}), Answer.stream(*FRAMES))
    assert outcome_of(wire.call()).error
    assert outcome_of(wire.call()).names == NAMES
    assert len({request.connection for request in wire.server.requests}) == 1


@pytest.mark.parametrize("length", [{"Transfer-Encoding": "chunked"}, {"Content-Length": "9999"}])
def test_a_reader_who_leaves_early_closes_the_connection(wire: Wire, length: dict[str, str]) -> None:
    beginning = FRAMES[0] if "Content-Length" in length else b"%x\r\n%b\r\n" % (len(FRAMES[0]), FRAMES[0])
    wire.server.play(Answer((head(200, {**EVENT_STREAM, **length}), beginning), End.STALL))
    aside = Aside(wire.call())
    until(lambda: aside.events)
    aside.interrupt()
    assert wire.server.requests[0].hung_up.wait(1)


def test_a_stale_connection_is_replaced_without_an_error(wire: Wire) -> None:
    wire.server.play(Answer.stream(*FRAMES, end=End.CLOSE), Answer.stream(*FRAMES))
    assert outcome_of(wire.call()).names == NAMES
    assert wire.server.requests[0].hung_up.wait(1)
    assert outcome_of(wire.call()).names == NAMES


def test_the_request_id_is_known_with_the_first_event(wire: Wire) -> None:
    wire.server.play(Answer.stream(*FRAMES, headers={"X-Kong-Request-Id": "kong-1", **EVENT_STREAM}))
    call = wire.call()
    request_ids: list[str] = []
    here().run(call.stream(lambda *_: request_ids.append(call.request_id), Reader([])))
    assert request_ids == ["request-1"] * 6


@pytest.mark.parametrize("headers", [EVENT_STREAM, EVENT_STREAM | {"Connection": "close"}])
def test_an_answer_that_is_complete_waits_a_short_while_for_its_end(headers: dict[str, str]) -> None:
    stalled = Answer.stream(*FRAMES[:-1], headers=headers, terminated=False, end=End.STALL)
    with talking(stalled, ending=0.05, timeout=30) as wire:
        began = time.monotonic()
        result = outcome_of(wire.call())
        assert (result.names, result.error) == (NAMES[:-1], None)
        assert time.monotonic() - began < 5
        assert wire.server.requests[0].hung_up.wait(1)
