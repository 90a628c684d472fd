"""From a commit to the sockets of a process: one wake-up of the loop, and no order lost."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from conversations.journal.hub import Hub
from conversations.protocol.agui.events import custom
from tests.conditions import until_async
from tests.listeners import ONE, OTHER, Frame, Listener, batch


class Deaf(Listener):
    """A socket that cannot be told."""

    def on_frames(self, frames: list[Frame]) -> None:
        raise ValueError


class CountingLoop(asyncio.SelectorEventLoop):
    """A loop that counts how often other threads wake it."""

    wakes = 0

    def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> asyncio.Handle:
        self.wakes += 1
        return super().call_soon_threadsafe(*args, **kwargs)


@pytest.fixture
def loop() -> Iterator[CountingLoop]:
    counting_loop = CountingLoop()
    yield counting_loop
    counting_loop.close()


def test_without_a_loop_a_batch_is_delivered_where_it_was_committed(hub: Hub, listener: Listener) -> None:
    hub.publish(batch(1, 2))
    hub.publish(batch(1, conversation=OTHER))
    hub.publish([*batch(), *batch(3)])
    assert listener.seqs == [1, 2, 3]
    assert listener.threads == {threading.get_ident()}


def test_many_batches_wake_the_loop_once_and_are_delivered_on_it_in_order(
    hub: Hub, listener: Listener, loop: CountingLoop
) -> None:
    hub.attach(loop)
    writer = threading.Thread(target=lambda: [hub.publish(batch(seq)) for seq in range(1, 101)])
    writer.start()
    writer.join()
    hub.notify(ONE, "queued", custom("queued", []))
    assert (listener.seqs, loop.wakes) == ([], 1)
    loop.run_until_complete(asyncio.wait_for(listener.heard.wait(), 10))
    assert listener.seqs == list(range(1, 101))
    assert len(listener.notices) == 1
    hub.publish(batch(101))
    assert loop.wakes == 2


async def test_nothing_is_lost_between_a_busy_writer_and_a_busy_loop(hub: Hub, listener: Listener) -> None:
    hub.attach(asyncio.get_running_loop())
    writer = threading.Thread(target=lambda: [hub.publish(batch(seq)) for seq in range(1, 2001)])
    writer.start()
    await until_async(lambda: len(listener.seqs) == 2000)
    writer.join()
    assert listener.seqs == list(range(1, 2001))
    assert listener.threads == {threading.get_ident()}


def test_a_closed_loop_is_passed_over_and_nothing_piles_up(hub: Hub, listener: Listener) -> None:
    closed = asyncio.new_event_loop()
    closed.close()
    hub.attach(closed)
    for seq in range(5):
        hub.publish(batch(seq))
    assert hub._waiting == []
    assert listener.seqs == []


def test_what_one_loop_left_undone_is_forgotten_and_the_next_delivers(
    hub: Hub, listener: Listener, loop: CountingLoop
) -> None:
    hub.attach(loop)
    hub.publish(batch(1))
    following = CountingLoop()
    hub.attach(following)
    hub.publish(batch(2))
    following.run_until_complete(asyncio.wait_for(listener.heard.wait(), 10))
    following.close()
    assert listener.seqs == [2]


def test_a_socket_that_cannot_be_told_keeps_nothing_from_the_others(hub: Hub, listener: Listener) -> None:
    listeners = [Listener() for _ in range(5)]
    hub.subscribe(ONE, Deaf())
    for socket in listeners:
        hub.subscribe(ONE, socket)
    hub.publish([*batch(1), *batch(1, conversation=OTHER)])
    assert [socket.seqs for socket in [listener, *listeners]] == [[1]] * 6


def test_a_notice_goes_to_every_socket_of_its_conversation_alone(hub: Hub, listener: Listener) -> None:
    second, stranger = Listener(), Listener()
    hub.subscribe(ONE, second)
    hub.subscribe(OTHER, stranger)
    hub.notify(ONE, "queued", custom("queued", [{"id": "1", "text": "Señora"}]))
    for socket in (listener, second):
        assert socket.notices[0]["value"] == [{"id": "1", "text": "Señora"}]
        assert "metadata" not in socket.notices[0]
    assert stranger.notices == []


def test_a_ring_reaches_the_sockets_of_its_conversation_alone(hub: Hub, listener: Listener) -> None:
    hub.receive_ring(ONE, 5)
    hub.receive_ring(OTHER, 9)
    hub.receive_ring(ONE, 6, [(6, "six")])
    assert (listener.reaches, listener.seqs) == ([5], [6])


def test_a_socket_that_has_left_hears_nothing_and_nothing_is_kept_of_it(hub: Hub, listener: Listener) -> None:
    hub.publish(batch(1))
    hub.unsubscribe(ONE, listener)
    hub.unsubscribe(ONE, listener)
    hub.publish(batch(2))
    hub.receive_ring(ONE, 7)
    assert (listener.seqs, listener.reaches, hub.conversations()) == ([1], [], [])
    hub.subscribe(ONE, listener)
    hub.receive_ring(ONE, 3)
    assert listener.reaches == [3]


def test_the_rings_for_other_processes_are_the_newest_seqs_and_are_taken_once(hub: Hub) -> None:
    hub.is_joined = True
    hub.publish([*batch(1, 2), *batch(8, conversation=OTHER)])
    hub.publish(batch(3))
    rings = hub.rings()
    assert {conversation: ring.seq for conversation, ring in rings.items()} == {ONE: 3, OTHER: 8}
    assert [seq for seq, _ in rings[ONE].frames] == [1, 2, 3]
    assert hub.rings() == {}


def test_a_process_that_no_bell_joins_keeps_nothing_for_others(hub: Hub) -> None:
    hub.publish(batch(1))
    assert hub.rings() == {}
