"""A record reads on from any `seq`, whole, in order, in pieces of bounded size, packed or not."""

import threading
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import connection

from conversations.journal import last_seq, pack, read
from conversations.journal.reading import READ_BYTES, READ_EVENTS, last_seqs
from conversations.journal.recordings import unsqueeze
from conversations.models import Conversation, Event, Recording
from conversations.protocol.agui.events import step_started
from tests.records import StuckWriter, delta, finished, open_record, running
from tests.resources import at_once, elsewhere
from tests.turns import conversation_of, record

pytestmark = pytest.mark.django_db(transaction=True)


def numbers(conversation: Conversation, after: int = 0) -> list[int]:
    return [event["metadata"]["seq"] for event in record(conversation, after)]


def test_a_reader_misses_nothing_while_turns_are_packed_under_its_hands(conversation: Conversation) -> None:
    turns = [finished(conversation, number) for number in range(1, 13)]
    last, packing = last_seq(conversation.pk), threading.Event()

    def pack_all() -> None:
        try:
            packing.wait(10)
            for turn in turns:
                pack(turn)
        finally:
            connection.close()

    packer = threading.Thread(target=pack_all)
    packer.start()
    packing.set()
    while packer.is_alive():
        for after in range(0, last, 7):
            assert numbers(conversation, after) == list(range(after + 1, last + 1))
    packer.join()
    assert not Event.objects.exists()
    assert numbers(conversation) == list(range(1, last + 1))


@pytest.mark.parametrize("packed", [(), (2,), (1, 3), (3,), (2, 3), (1, 2, 3)])
def test_turns_that_were_left_unpacked_are_read_in_their_place(
    conversation: Conversation, packed: tuple[int, ...]
) -> None:
    turns = {number: finished(conversation, number) for number in (1, 2, 3, 4)}
    everything = record(conversation)
    for number in packed:
        pack(turns[number])
    for after in range(len(everything) + 1):
        assert record(conversation, after) == everything[after:]
        frames = read(conversation.pk, after)
        assert [seq for seq, _ in frames] == list(range(after + 1, after + 1 + len(frames)))


def test_a_seq_that_is_not_there_yet_has_nothing_after_it(conversation: Conversation) -> None:
    pack(finished(conversation, 1))
    last = last_seq(conversation.pk)
    assert read(conversation.pk, last) == read(conversation.pk, last + 5) == []


def test_a_read_is_256_kib_or_one_frame_at_most(conversation: Conversation) -> None:
    turn = finished(conversation, 1, answer="\N{GRINNING FACE}" * 200_000)
    huge = finished(conversation, 2)
    Event.objects.filter(turn=huge).update(data='"' + "x" * (READ_BYTES + 1) + '"')
    for is_packed in (False, True):
        read_on, pieces = 0, []
        while frames := read(conversation.pk, read_on):
            pieces.append([data for _, data in frames])
            read_on = frames[-1][0]
        sizes = [sum(len(data.encode()) for data in piece) for piece in pieces]
        assert all(size <= READ_BYTES or len(piece) == 1 for size, piece in zip(sizes, pieces, strict=True))
        assert sizes[0] > READ_BYTES * 0.8
        assert read_on == last_seq(conversation.pk)
        if not is_packed:
            pack(turn)


def test_a_read_holds_a_bounded_number_of_events(conversation: Conversation) -> None:
    opened = open_record(running(conversation))
    opened.commit(*(step_started(number) for number in range(READ_EVENTS + 10)))
    assert [seq for seq, _ in read(conversation.pk, 0)] == list(range(1, READ_EVENTS + 1))
    assert [seq for seq, _ in read(conversation.pk, READ_EVENTS)] == list(
        range(READ_EVENTS + 1, READ_EVENTS + 11)
    )


def test_a_recording_holds_every_frame_with_its_times_and_boundaries(conversation: Conversation) -> None:
    turn = running(conversation)
    opened = open_record(turn)
    stuck_writer = StuckWriter(opened)
    opened.append({"type": "TEXT_MESSAGE_START", "messageId": "block", "role": "assistant"})
    for text in ("Señora", " ", "Blue", "\u2028\x85\t\n"):
        opened.append(delta(text))
    stuck_writer.release()
    opened.commit()
    rows = [(event.data, event.parts) for event in Event.objects.all()]
    frames = read(conversation.pk, 0)
    pack(turn)
    recording = Recording.objects.get()
    assert [tuple(line.split("\t")) for line in unsqueeze(recording.body).split("\n")] == rows
    assert read(conversation.pk, 0) == frames
    assert rows[2][1].count("[") == 5
    assert (recording.first_seq, recording.last_seq) == (1, 3)


def test_packing_a_packed_turn_changes_nothing(conversation: Conversation) -> None:
    turn = finished(conversation, 1)
    everything = record(conversation)
    pack(turn)
    pack(turn)
    assert Recording.objects.count() == 1
    assert record(conversation) == everything


def test_two_processes_that_pack_the_same_turn_make_one_recording(conversation: Conversation) -> None:
    turn = finished(conversation, 1)
    everything = record(conversation)
    at_once(*[partial(pack, turn)] * 2)
    assert record(conversation) == everything
    assert not Event.objects.exists()


def test_the_last_seq_is_the_same_whether_packed_or_not(conversation: Conversation, user: User) -> None:
    empty = conversation_of(user)
    assert last_seq(conversation.pk) == 0
    turn = finished(conversation, 1)
    last = len(record(conversation))
    assert (last_seq(conversation.pk), last_seqs([conversation.pk, empty.pk])) == (
        last,
        {conversation.pk: last},
    )
    pack(turn)
    assert (last_seq(conversation.pk), last_seqs([conversation.pk, empty.pk])) == (
        last,
        {conversation.pk: last},
    )
    open_record(running(conversation, 2)).commit(step_started(1))
    assert elsewhere(lambda: last_seqs([conversation.pk])) == {conversation.pk: last + 1}
