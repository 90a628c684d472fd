"""A conversation that is deleted stops, and goes on as it was once it is restored."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from conversations import engine
from conversations.engine import library
from conversations.errors import NotFound
from conversations.models import Conversation, Turn
from tests.conditions import until
from tests.engine.station import top_song_as
from tests.turns import ask, conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
FIRST, SECOND = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def statuses(conversation: Conversation) -> list[str]:
    turns = Turn.objects.filter(conversation=conversation).order_by("number")
    return list(turns.values_list("status", flat=True))


def test_a_deletion_stops_what_runs_and_begins_nothing_until_it_is_undone(conversation: Conversation) -> None:
    engine.start(conversation.pk, FIRST, "fail timeout")
    until(lambda: statuses(conversation) == ["running"])
    engine.start(conversation.pk, SECOND, "help")
    engine.delete([conversation.pk])
    assert engine.WORKER.wait(20)
    engine.WORKER.sweep()
    assert statuses(conversation) == ["stopped", "queued"]
    with pytest.raises(NotFound):
        engine.start(conversation.pk, "00000000-0000-4000-8000-000000000003", "anybody there?")
    engine.restore([conversation.pk])
    until(lambda: statuses(conversation) == ["stopped", "completed"])


def test_a_deletion_ends_a_wait_for_an_approval(conversation: Conversation) -> None:
    with top_song_as(lambda sign: sign, approval=True):
        ask(conversation, "What is the most popular song on WZPZ?")
        assert statuses(conversation) == ["waiting"]
        engine.delete([conversation.pk])
        until(lambda: statuses(conversation) == ["stopped"])
        engine.restore([conversation.pk])
    assert statuses(conversation) == ["stopped"]


def test_a_deletion_can_be_undone_for_ten_minutes(user: User) -> None:
    rows = {age: conversation_of(user) for age in (9, 11)}
    for age, row in rows.items():
        when = timezone.now() - timedelta(minutes=age)
        Conversation.objects.filter(pk=row.pk).update(deleted_at=when)
    library.remove_deleted()
    assert list(Conversation.with_deleted.values_list("pk", flat=True)) == [rows[9].pk]
