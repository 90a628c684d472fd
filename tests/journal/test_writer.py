"""The journal's writer: what a commit holds, when sockets see it, turns that fail."""

import json
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from conversations.errors import InternalError
from conversations.journal import Journal, Record, read
from conversations.models import Conversation, Event, Message, Turn
from conversations.protocol.agui.events import step_started
from tests.records import Batch, Deliveries, StuckWriter, delta, open_record, running
from tests.resources import elsewhere
from tests.turns import conversation_of, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def deliveries() -> Deliveries:
    return Deliveries()


@pytest.fixture
def journal(deliveries: Deliveries) -> Journal:
    return Journal(deliveries)


def test_deltas_that_wait_are_committed_as_one_event(journal: Journal, conversation: Conversation) -> None:
    opened = open_record(running(conversation), journal)
    stuck_writer = StuckWriter(opened)
    for text in ("Ele", "mental ", "Hotel"):
        opened.append(delta(text))
    stuck_writer.release()
    opened.commit()
    assert [event.get("delta") for event in record(conversation)] == [None, "Elemental Hotel"]
    assert [length for _, length in json.loads(Event.objects.get(seq=2).parts)] == [3, 7, 5]
    assert Event.objects.get(seq=1).parts == ""


def test_deltas_of_several_turns_are_committed_at_once_but_never_merged(
    journal: Journal, deliveries: Deliveries, user: User
) -> None:
    conversations = [conversation_of(user) for _ in range(3)]
    opened = [open_record(running(conversation), journal) for conversation in conversations]
    stuck_writer = StuckWriter(opened[0])
    for letter in "abc":
        for turn in opened:
            turn.append(delta(letter))
    stuck_writer.release()
    opened[0].commit()
    assert [len(frames) for _, frames in deliveries.batches[1]] == [1, 1, 1]
    assert [record(c)[-1]["delta"] for c in conversations] == ["abc"] * 3


def test_every_turn_of_a_conversation_goes_on_numbering_without_a_gap(
    journal: Journal, deliveries: Deliveries, user: User
) -> None:
    conversations = [conversation_of(user) for _ in range(4)]
    turns = {c.pk: [running(c)] for c in conversations}
    for number in (2, 3):
        for c in conversations:
            turns[c.pk].append(
                Turn.objects.create(conversation=c, number=number, user=user, lease_token=uuid.uuid4())
            )

    def say_all(key: uuid.UUID) -> None:
        for turn in turns[key]:
            opened = open_record(turn, journal)
            for number in range(30):
                opened.append(step_started(number))
            opened.commit()
        connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(say_all, turns))
    for c in conversations:
        assert [event["metadata"]["seq"] for event in record(c)] == list(range(1, 91))
        assert deliveries.frames[c.pk] == read(c.pk, 0)


def test_nothing_is_shown_before_other_connections_find_it(
    journal: Journal, deliveries: Deliveries, conversation: Conversation
) -> None:
    opened, missing = open_record(running(conversation), journal), []

    def look(batch: Batch) -> None:
        for key, frames in batch:
            missing.extend(set(frames) - set(elsewhere(lambda key=key: read(key, 0))))

    deliveries.during = look
    for number in range(20):
        opened.append(step_started(number))
        opened.commit(delta(str(number)))
    assert len(deliveries.frames[conversation.pk]) == 40
    assert missing == []


def say(turn: Turn, role: str, text: str) -> Callable[[], object]:
    """A row to be written beside events."""
    return lambda: Message.objects.create(
        conversation_id=turn.conversation_id, turn=turn, role=role, content=[{"text": text}]
    )


def test_rows_are_committed_with_their_events(
    journal: Journal, deliveries: Deliveries, conversation: Conversation
) -> None:
    turn, counts = running(conversation), []
    deliveries.during = lambda batch: counts.append(
        elsewhere(lambda: (Message.objects.count(), Event.objects.count()))
    )
    open_record(turn, journal).commit(step_started(1), write=say(turn, "user", "hi"))
    assert counts == [(1, 1)]


def test_a_turn_whose_rows_cannot_be_written_is_rolled_back_alone(
    journal: Journal, deliveries: Deliveries, user: User
) -> None:
    good, bad, other = (open_record(running(conversation_of(user)), journal) for _ in range(3))
    turns = [Turn.objects.get(conversation=opened.conversation) for opened in (good, bad, other)]
    stuck_writer = StuckWriter(good)
    good.append(delta("kept"), write=say(turns[0], "user", "kept"))
    bad.append(delta("lost"), write=say(turns[1], "user", "first"))
    bad.append(step_started(2), write=say(turns[1], "user", "a second user message, which no turn has"))
    other.append(delta("kept too"), write=say(turns[2], "user", "kept too"))
    stuck_writer.release()
    other.commit()
    assert [frames[-1][0] for frames in deliveries.frames.values()] == [2, 1]
    assert bad.conversation not in deliveries.frames
    assert read(bad.conversation, 0) == []
    assert {m.content[0]["text"] for m in Message.objects.all()} == {"kept", "kept too"}
    with pytest.raises(InternalError):
        bad.append(step_started(3))
    good.commit(step_started(2))
    assert [seq for seq, _ in read(good.conversation, 0)] == [1, 2, 3]


def test_one_turn_tries_for_all_where_the_database_does_not_work(journal: Journal, user: User) -> None:
    records = [open_record(running(conversation_of(user)), journal) for _ in range(4)]
    attempts: list[Record] = []

    def fail(opened: Record) -> None:
        attempts.append(opened)
        raise OperationalError("database is locked")

    stuck_writer = StuckWriter(records[0])
    for opened in records[1:]:
        opened.append(step_started(1), write=partial(fail, opened))
    stuck_writer.release()
    for opened in records[1:]:
        with pytest.raises(InternalError):
            opened.commit()
    assert attempts == [records[1]] * 2
    records[0].commit(step_started(2))


def test_what_follows_a_lost_event_is_not_stored_either(journal: Journal, conversation: Conversation) -> None:
    opened = open_record(running(conversation), journal)
    under_way, go_on = threading.Event(), threading.Event()

    def fail() -> None:
        under_way.set()
        go_on.wait(10)
        raise ValueError

    opened.append(delta("lost"), write=fail)
    assert under_way.wait(10)
    opened.append(delta("after what was lost"))
    go_on.set()
    with pytest.raises(InternalError):
        opened.commit(step_started(2))
    assert read(conversation.pk, 0) == []


def test_a_batch_that_cannot_be_shown_is_not_stored_a_second_time(
    journal: Journal, deliveries: Deliveries, conversation: Conversation
) -> None:
    def fail(batch: Batch) -> None:
        raise ValueError

    deliveries.during = fail
    opened = open_record(running(conversation), journal)
    opened.commit(step_started(1))
    opened.commit(step_started(2))
    assert [event["stepName"] for event in record(conversation)] == ["round 1", "round 2"]


def test_a_process_that_has_lost_its_lease_writes_no_more(journal: Journal, user: User) -> None:
    lost, owned = running(conversation_of(user)), running(conversation_of(user))
    opened, other = open_record(lost, journal), open_record(owned, journal)
    opened.commit(step_started(1))
    Turn.objects.filter(pk=lost.pk).update(lease_token=uuid.uuid4())
    stuck_writer = StuckWriter(other)
    opened.append(delta("too late"), write=say(lost, "user", "too late"))
    other.append(delta("in time"))
    stuck_writer.release()
    with pytest.raises(InternalError):
        opened.commit(step_started(2))
    other.commit()
    assert len(read(lost.conversation_id, 0)) == 1
    assert len(read(owned.conversation_id, 0)) == 2
    assert not Message.objects.exists()
