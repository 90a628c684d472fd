"""What one socket may send: the meter, the commands that wait, and frames that are one JSON object."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.errors import Refused, Throttled
from conversations.sockets.inbound import (
    ACK_LENGTH,
    BURST,
    DEBT,
    OVERHEAD,
    REFILL,
    WAITING,
    Flood,
    Inbox,
    Meter,
    ack_seq,
    cost,
    frame_id,
    json_object,
)

MIB = 1024 * 1024


class Clock:
    """A clock that the test turns."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_socket_may_send_a_burst_and_then_so_much_a_second(clock: Clock) -> None:
    meter = Meter(clock)
    for _ in range(BURST // MIB):
        meter.charge(MIB)
    with pytest.raises(Throttled):
        meter.charge(1)
    clock.now += 2
    meter.charge(2 * REFILL - 1)
    with pytest.raises(Throttled):
        meter.charge(1)


def test_who_waits_long_may_send_no_more_than_a_burst(clock: Clock) -> None:
    meter = Meter(clock)
    clock.now += 1e6
    meter.charge(BURST)
    with pytest.raises(Throttled):
        meter.charge(1)


def test_who_goes_on_after_being_told_is_a_flood(clock: Clock) -> None:
    meter = Meter(clock)
    meter.charge(BURST)
    for _ in range(DEBT // OVERHEAD):
        with pytest.raises(Throttled):
            meter.charge(OVERHEAD)
    with pytest.raises(Flood):
        meter.charge(OVERHEAD)


def test_a_person_who_types_as_fast_as_nobody_can_is_never_refused(clock: Clock) -> None:
    meter = Meter(clock)
    for _ in range(10_000):
        meter.charge(cost(json.dumps({"type": "message", "text": "a" * 100}), None))
        clock.now += 1 / 30


def test_the_longest_message_may_be_sent_three_times_in_a_row(clock: Clock) -> None:
    meter = Meter(clock)
    for _ in range(3):
        meter.charge(cost(json.dumps({"text": "😀" * 85_000}), None))


def test_a_frame_costs_its_bytes_and_more() -> None:
    assert cost("é", None) == OVERHEAD + 2
    assert cost(None, b"123") == OVERHEAD + 3
    assert cost(None, None) == OVERHEAD
    assert cost("\ud800", None) > OVERHEAD


async def test_commands_are_taken_in_order_until_the_end() -> None:
    inbox = Inbox()
    inbox.put({"n": 1}, 10)
    inbox.put({"n": 2}, 10)
    inbox.end()
    assert [await inbox.take() for _ in range(3)] == [{"n": 1}, {"n": 2}, None]


async def test_one_command_may_wait_whatever_its_size_and_others_while_there_is_room() -> None:
    inbox = Inbox()
    inbox.put({"n": 1}, MIB)
    with pytest.raises(Throttled):
        inbox.put({"n": 2}, 1)
    assert await inbox.take() == {"n": 1}
    inbox.put({"n": 3}, WAITING)
    with pytest.raises(Throttled):
        inbox.put({"n": 4}, 1)


async def test_what_waits_can_be_forgotten() -> None:
    inbox = Inbox()
    inbox.put({"n": 1}, 1)
    inbox.clear()
    inbox.end()
    assert await inbox.take() is None


@pytest.mark.parametrize(
    "text", [None, "", "x", "[]", "7", "null", "[" * 100_000, "9" * 5000, '{"a":', '"{}"']
)
def test_what_is_no_object_is_refused(text: str | None) -> None:
    with pytest.raises(Refused):
        json_object(text)


@given(st.text(max_size=200) | st.builds(json.dumps, st.dictionaries(st.text(), st.integers() | st.text())))
def test_any_text_is_an_object_or_refused(text: str) -> None:
    with suppress(Refused):
        assert isinstance(json_object(text), dict)


@pytest.mark.parametrize(
    ("text", "seq"),
    [
        ('{"type": "ack", "seq": 5}', 5),
        ('{"seq":0,"type":"ack"}', 0),
        ('{"type": "ack", "seq": true}', None),
        ('{"type": "ack", "seq": "5"}', None),
        ('{"type": "ack"}', None),
        ('{"type": "message", "text": "\\"ack\\"", "seq": 5}', None),
        ('["ack"]', None),
        ('{"ack"', None),
        (None, None),
        ('{"type": "ack", "seq": 5, "more": "' + "x" * ACK_LENGTH + '"}', None),
    ],
)
def test_only_a_short_and_plain_acknowledgement_is_one(text: str | None, seq: int | None) -> None:
    assert ack_seq(text) == seq


@pytest.mark.parametrize("id_", ["x" * 65, "\ud800", "\0", "\u202e", 7, None, ["x"], {"a": 1}])
def test_an_id_that_is_long_or_odd_or_no_text_is_not_repeated(id_: object) -> None:
    assert frame_id({"id": id_}) is None


def test_an_id_is_repeated() -> None:
    assert frame_id({"id": "x" * 64}) == "x" * 64
    assert frame_id({}) is None
