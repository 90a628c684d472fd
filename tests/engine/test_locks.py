"""Whoever locks several rows at once never waits in a circle.

Heartbeats meet the journal, and claims meet people who take messages back.
"""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from random import Random

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations.engine import lifecycle
from conversations.engine.lifecycle import LEASE
from conversations.engine.messages import NewMessage
from conversations.errors import Refused
from conversations.journal import Journal
from conversations.models import Conversation
from tests.records import running
from tests.resources import at_once
from tests.turns import conversation_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one lock for all"),
]
ROUNDS = 150
TURNS = 40


def deadlocks() -> int:
    """The deadlocks that the database has counted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


@pytest.fixture
def no_deadlock(db: None) -> Iterator[None]:
    """Checks that the test causes no deadlock."""
    before = deadlocks()
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    assert deadlocks() == before


@pytest.mark.usefixtures("no_deadlock")
def test_heartbeats_and_commits_of_the_same_turns_never_wait_in_a_circle(
    user: User, caplog: pytest.LogCaptureFixture
) -> None:
    turns = [running(conversation_of(user), lease_until=timezone.now() + LEASE) for _ in range(TURNS)]
    leases = {turn.pk: turn.lease_token for turn in turns}

    def beat(*, renew: bool) -> None:
        for _ in range(ROUNDS):
            assert lifecycle.beat(leases, renew=renew) == set()

    def write(chance: Random) -> None:
        journal = Journal(lambda batch: None)
        records = [journal.open(turn, 0) for turn in turns]
        for _ in range(ROUNDS):
            commits = [record.commit() for record in chance.sample(records, TURNS // 2)]
            for commit in commits:
                commit.result(20)

    at_once(
        partial(beat, renew=True), partial(beat, renew=True), partial(beat, renew=False),
        partial(write, Random(1)), partial(write, Random(2)),
    )  # fmt: skip
    assert "failed" not in caplog.text


@pytest.mark.usefixtures("no_deadlock")
def test_claims_and_messages_that_are_taken_back_never_wait_in_a_circle(
    user: User, settings: Settings
) -> None:
    settings.USER_TURNS_AT_ONCE = settings.USER_TURNS_PER_MINUTE = 0
    for _ in range(ROUNDS // 3):
        conversation = conversation_of(user)
        waiting = [uuid.uuid4() for _ in range(4)]
        for message in waiting:
            accept(conversation, message)
        first, second, third, _ = waiting
        at_once(
            partial(lifecycle.claim, 1, conversation.pk),
            partial(lifecycle.claim, 9),
            partial(withdraw, conversation, first),
            partial(withdraw, conversation, second),
            partial(lifecycle.change_queued, conversation, third, uuid.uuid4(), "fail cut"),
            partial(accept, conversation, uuid.uuid4()),
        )
        numbers = list(conversation.turns.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
        assert conversation.turns.filter(status="running").count() <= 1


def accept(conversation: Conversation, message: uuid.UUID) -> None:
    lifecycle.accept(conversation.pk, NewMessage(message, "help"), at_once=False)


def withdraw(conversation: Conversation, message: uuid.UUID) -> None:
    """Takes a message back, unless it has begun."""
    with suppress(Refused):
        lifecycle.withdraw(conversation, message)
