"""A socket sends every seq once, in order, and never runs too far ahead of its reader."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.journal import WINDOW
from conversations.sockets.cursor import NOTICES_LIMIT, Cursor, TooSlow

Frame = tuple[int, str]
KIB = 1024


@dataclass
class Reader:
    """A client and the journal that it reads: what was committed, what was sent, what is acknowledged."""

    committed: list[Frame] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    acknowledged: int = 0
    at_once: int = 3
    ahead: int = 0

    writes: bool = False
    """Whether the connection takes what is written at once."""

    def __post_init__(self) -> None:
        self.cursor = Cursor(self.receive, self.read, self.write)

    @property
    def unacknowledged(self) -> int:
        return sum(len(text.encode()) for text in self.sent[self.acknowledged :])

    async def receive(self, text: str) -> None:
        self.ahead = max(self.ahead, self.unacknowledged)
        self.sent.append(text)
        await asyncio.sleep(0)

    def write(self, text: bytes) -> bool:
        if self.writes:
            self.ahead = max(self.ahead, self.unacknowledged)
            self.sent.append(text.decode())
        return self.writes

    async def read(self, after: int) -> list[Frame]:
        frames = self.committed[after : after + self.at_once]
        await asyncio.sleep(0)
        return frames

    def commit(self, sizes: list[int]) -> list[Frame]:
        """Adds events to the journal, which no socket is told of yet."""
        first = len(self.committed) + 1
        batch = [(seq, f"{seq}:".ljust(size // 2, "é")) for seq, size in enumerate(sizes, first)]
        self.committed += batch
        return batch

    def acknowledge(self, count: int) -> None:
        """Acknowledges this many more frames."""
        self.acknowledged = min(len(self.sent), self.acknowledged + count)
        self.cursor.acknowledge(self.acknowledged)


async def turns_of_the_loop(count: int = 20) -> None:
    """Lets everything run that can: nothing here waits for anything outside the loop."""
    for _ in range(count):
        await asyncio.sleep(0)


BATCH = st.lists(st.sampled_from([10, 1 * KIB, 60 * KIB, 200 * KIB]), min_size=1, max_size=4)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["deliver", "skip", "ring"]), BATCH),
        st.tuples(st.just("again"), st.integers(0, 10)),
        st.tuples(st.just("ack"), st.integers(0, 6)),
        st.tuples(st.just("wait"), st.integers(0, 8)),
        st.tuples(st.just("writes"), st.integers(0, 1)),
    ),
    max_size=30,
)


def act(reader: Reader, batches: list[list[Frame]], name: str, value: Any) -> None:
    """Does what an action says: commits and delivers, skips or rings; delivers again; acknowledges."""
    if name in ("deliver", "skip", "ring"):
        batches.append(reader.commit(value))
    if name == "deliver":
        reader.cursor.on_frames(batches[-1])
    elif name == "ring":
        reader.cursor.on_news(batches[-1][-1][0])
    elif name == "again" and batches:
        reader.cursor.on_frames(batches[value % len(batches)])
        reader.cursor.on_news(value)
    elif name == "ack":
        reader.acknowledge(value)
    elif name == "writes":
        reader.writes = bool(value)


async def to_the_end(reader: Reader) -> None:
    """Acknowledges until the reader has every frame."""
    reader.cursor.on_news(len(reader.committed))
    for _ in range(len(reader.committed) + 5):
        await turns_of_the_loop(100)
        reader.acknowledge(len(reader.sent))


@settings(deadline=None)
@given(ACTIONS, st.integers(1, 5))
def test_every_seq_is_sent_once_and_in_order_however_the_news_comes(actions: list[Any], at_once: int) -> None:
    reader = Reader(at_once=at_once)

    async def play() -> None:
        pump = asyncio.create_task(reader.cursor.pump())
        batches: list[list[Frame]] = []
        for name, value in actions:
            act(reader, batches, name, value)
            await turns_of_the_loop(value if name == "wait" else 0)
        await to_the_end(reader)
        pump.cancel()

    asyncio.run(play())
    assert reader.sent == [text for _, text in reader.committed]
    assert reader.ahead < WINDOW


async def pumping(reader: Reader, seq: int = 0, snapshot: str | None = None) -> "asyncio.Task[None]":
    await reader.cursor.begin(seq, snapshot)
    return asyncio.create_task(reader.cursor.pump())


async def test_what_follows_is_written_at_once_while_the_connection_takes_it() -> None:
    reader = Reader(writes=True)
    pump = await pumping(reader)
    await turns_of_the_loop()
    reader.cursor.on_frames(reader.commit([10, 10]))
    assert reader.sent == ["1:ééé", "2:ééé"]
    reader.writes = False
    reader.cursor.on_frames(reader.commit([10]))
    assert len(reader.sent) == 2
    await turns_of_the_loop()
    assert reader.sent[2:] == ["3:ééé"]
    pump.cancel()


async def test_nothing_is_written_at_once_that_does_not_follow() -> None:
    reader = Reader(writes=True)
    pump = await pumping(reader)
    await turns_of_the_loop()
    first = reader.commit([10])
    reader.commit([10])
    reader.cursor.on_frames(reader.commit([10]))
    assert reader.sent == []
    await turns_of_the_loop()
    reader.cursor.on_frames(first)
    await turns_of_the_loop()
    assert reader.sent == [text for _, text in reader.committed]
    pump.cancel()


async def test_nothing_is_written_at_once_beyond_what_a_slow_reader_may_be_sent() -> None:
    reader = Reader(writes=True)
    pump = await pumping(reader)
    for _ in range(20):
        await turns_of_the_loop()
        reader.cursor.on_frames(reader.commit([60 * KIB]))
    await turns_of_the_loop()
    assert len(reader.sent) == 5
    await to_the_end(reader)
    assert reader.sent == [text for _, text in reader.committed]
    pump.cancel()


async def test_nothing_is_written_before_what_is_on_its_way() -> None:
    reader = Reader(writes=True)
    beginning = asyncio.create_task(pumping(reader, 0, "snapshot"))
    reader.cursor.on_frames(reader.commit([10]))
    await turns_of_the_loop()
    assert reader.sent == ["snapshot", "1:ééé"]
    reader.cursor.on_notice("notice")
    reader.cursor.on_frames(reader.commit([10]))
    await turns_of_the_loop()
    assert reader.sent[2:] == ["notice", "2:ééé"]
    (await beginning).cancel()


async def test_what_a_lost_delivery_left_out_is_read_from_the_journal() -> None:
    reader = Reader()
    pump = await pumping(reader)
    reader.commit([10, 10])
    reader.cursor.on_frames(reader.commit([10]))
    await turns_of_the_loop()
    assert reader.sent == ["1:ééé", "2:ééé", "3:ééé"]
    pump.cancel()


@pytest.mark.parametrize("deliver", [Cursor.on_frames, lambda cursor, batch: cursor.on_news(batch[-1][0])])
async def test_a_reader_that_does_not_acknowledge_is_sent_256_kib_and_one_frame_at_most(
    deliver: Callable[[Cursor, list[Frame]], None],
) -> None:
    reader = Reader()
    pump = await pumping(reader)
    for _ in range(20):
        deliver(reader.cursor, reader.commit([60 * KIB]))
        await turns_of_the_loop()
    assert len(reader.sent) == 5
    reader.acknowledge(1)
    await turns_of_the_loop()
    assert len(reader.sent) == 6
    await to_the_end(reader)
    assert len(reader.sent) == 20
    pump.cancel()


async def test_a_slow_readers_frames_are_left_to_the_journal() -> None:
    reader = Reader()
    for _ in range(50):
        reader.cursor.on_frames(reader.commit([60 * KIB]))
    assert sum(len(text) for _, text in reader.cursor._frames) <= WINDOW
    pump = await pumping(reader)
    await to_the_end(reader)
    assert reader.sent == [text for _, text in reader.committed]
    pump.cancel()


async def test_a_snapshot_is_acknowledged_by_its_seq_before_more_is_sent() -> None:
    reader = Reader()
    reader.commit([10] * 7)
    pump = await pumping(reader, 7, "s" * 512 * KIB)
    reader.cursor.on_frames(reader.commit([10]))
    reader.cursor.acknowledge(6)
    await turns_of_the_loop()
    assert len(reader.sent) == 1
    reader.cursor.acknowledge(7)
    await turns_of_the_loop()
    assert reader.sent[1:] == ["8:ééé"]
    pump.cancel()


async def test_after_counts_as_an_acknowledgement() -> None:
    reader = Reader()
    reader.commit([10] * 5)
    pump = await pumping(reader, 3)
    reader.cursor.on_news(5)
    await turns_of_the_loop()
    assert reader.sent == ["4:ééé", "5:ééé"]
    pump.cancel()


async def test_a_reader_that_makes_no_room_in_time_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.sockets.cursor.ACK_TIMEOUT", 0.05)
    reader = Reader()
    await reader.cursor.begin(0, None)
    reader.cursor.on_frames(reader.commit([200 * KIB] * 3))
    with pytest.raises(TooSlow):
        await asyncio.wait_for(reader.cursor.pump(), 10)
    assert len(reader.sent) == 2


async def test_notices_are_sent_beside_the_record_and_the_oldest_of_too_many_forgotten() -> None:
    reader = Reader()
    notices = [str(number).ljust(10 * KIB) for number in range(20)]
    for notice in notices:
        reader.cursor.on_notice(notice)
    reader.cursor.on_frames(reader.commit([10]))
    pump = await pumping(reader)
    await turns_of_the_loop(200)
    assert reader.sent == [*notices[-(NOTICES_LIMIT // (10 * KIB)) :], "1:ééé"]
    assert reader.cursor.seq == 1
    pump.cancel()


async def test_a_notice_that_is_longer_than_all_may_be_is_sent_alone() -> None:
    reader = Reader()
    reader.cursor.on_notice("short")
    reader.cursor.on_notice("x" * 2 * NOTICES_LIMIT)
    pump = await pumping(reader)
    await turns_of_the_loop()
    assert reader.sent == ["x" * 2 * NOTICES_LIMIT]
    pump.cancel()


async def test_a_reader_that_does_not_acknowledge_is_sent_no_end_of_notices_either() -> None:
    reader = Reader()
    reader.commit([10])
    pump = await pumping(reader, 1)
    for _ in range(20):
        reader.cursor.on_notice("n" * 60 * KIB)
        await turns_of_the_loop()
    assert len(reader.sent) == 5
    reader.cursor.acknowledge(1)
    await turns_of_the_loop()
    assert len(reader.sent) == 6
    pump.cancel()


async def test_only_an_acknowledgement_of_something_is_news() -> None:
    reader = Reader()
    pump = await pumping(reader)
    reader.cursor.on_frames(reader.commit([10, 10]))
    await turns_of_the_loop()
    assert [reader.cursor.acknowledge(seq) for seq in (0, 1, 1, 2, 2)] == [False, True, False, True, False]
    pump.cancel()


@pytest.mark.parametrize("seq", [-1, 6, 10**18])
async def test_what_was_not_sent_cannot_be_acknowledged(seq: int) -> None:
    reader = Reader()
    pump = await pumping(reader)
    reader.cursor.on_frames(reader.commit([60 * KIB] * 50))
    reader.cursor.on_news(50)
    for _ in range(100):
        await turns_of_the_loop()
        assert not reader.cursor.acknowledge(seq)
    assert len(reader.sent) == 5
    assert [reader.cursor.was_sent(number) for number in (seq, 0, 5)] == [False, True, True]
    await to_the_end(reader)
    assert len(reader.sent) == 50
    pump.cancel()


async def test_a_client_may_be_quicker_than_the_servers_send() -> None:
    news = []

    async def send(text: str) -> None:
        news.append(cursor.acknowledge(7 + len(news)))

    async def read(after: int) -> list[Frame]:
        return [(8, "eight")]

    cursor = Cursor(send, read)
    await cursor.begin(7, "snapshot")
    cursor.on_news(8)
    pump = asyncio.create_task(cursor.pump())
    await turns_of_the_loop()
    assert news == [True, True]
    pump.cancel()


async def test_a_cursor_that_is_to_finish_sends_what_there_is_and_ends() -> None:
    reader = Reader()
    pump = await pumping(reader)
    reader.commit([10, 10])
    reader.cursor.on_notice("notice")
    reader.cursor.on_news(2)
    reader.cursor.finish()
    await asyncio.wait_for(pump, 10)
    assert reader.sent == ["notice", "1:ééé", "2:ééé"]


async def test_a_journal_that_fails_ends_the_pump() -> None:
    async def broken(after: int) -> list[Frame]:
        raise OSError

    cursor = Cursor(Reader().receive, broken)
    cursor.on_news(1)
    with pytest.raises(OSError):  # noqa: PT011 (there is no more to it)
        await asyncio.wait_for(cursor.pump(), 10)
