"""One user's limits, counted before a turn is stored."""

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations.engine import lifecycle
from conversations.engine.messages import NewMessage
from conversations.errors import Throttled
from conversations.models import Conversation, Turn
from tests.resources import at_once
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_limits(settings: Settings) -> None:
    settings.USER_TURNS_AT_ONCE = settings.USER_TURNS_PER_MINUTE = settings.USER_TOKENS_PER_DAY = 0
    settings.MAX_TOKENS = 100


def store(conversation: Conversation) -> Turn:
    return lifecycle.accept(conversation.pk, NewMessage(uuid.uuid4(), "hello"), at_once=True).turn


def end_newest(conversation: Conversation, **fields: Any) -> None:
    """Ends the newest turn."""
    newest = conversation.turns.order_by("-number").values("pk")[:1]
    Turn.objects.filter(pk__in=newest).update(**{"status": "completed"} | fields)


def test_without_limits_nothing_is_refused(user: User) -> None:
    conversation = conversation_of(user)
    assert [store(conversation).number for _ in range(30)] == list(range(1, 31))


def test_turns_at_once_count_running_and_queued_ones_of_all_conversations(
    user: User, settings: Settings
) -> None:
    settings.USER_TURNS_AT_ONCE = 3
    one, other = conversation_of(user), conversation_of(user)
    store(one)
    store(one)
    store(other)
    with pytest.raises(Throttled, match="too many answers under way"):
        store(other)
    end_newest(other)
    store(other)


def test_turns_a_minute_are_counted_by_when_they_began(user: User, settings: Settings) -> None:
    settings.USER_TURNS_PER_MINUTE = 2
    conversation = conversation_of(user)
    store(conversation)
    store(conversation)
    with pytest.raises(Throttled, match="too many messages in a minute"):
        store(conversation)
    Turn.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    store(conversation)


def test_tokens_a_day_count_what_was_used_and_what_is_under_way(user: User, settings: Settings) -> None:
    settings.USER_TOKENS_PER_DAY = 500
    conversation = conversation_of(user)
    store(conversation)
    end_newest(conversation, total_tokens=201)
    store(conversation)
    store(conversation)
    with pytest.raises(Throttled, match="tokens for a day"):
        store(conversation)  # 201 used, 200 kept for those under way, 100 for this one


def test_the_last_token_of_the_day_may_be_used(user: User, settings: Settings) -> None:
    settings.USER_TOKENS_PER_DAY = 200
    conversation = conversation_of(user)
    store(conversation)
    end_newest(conversation, total_tokens=100)
    store(conversation)
    end_newest(conversation, total_tokens=1)
    with pytest.raises(Throttled):
        store(conversation)


def test_tokens_come_back_after_a_day(user: User, settings: Settings) -> None:
    settings.USER_TOKENS_PER_DAY = 150
    conversation = conversation_of(user)
    store(conversation)
    end_newest(conversation, total_tokens=150)
    with pytest.raises(Throttled):
        store(conversation)
    Turn.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    store(conversation)


def test_one_users_use_is_not_anothers(user: User, other_user: User, settings: Settings) -> None:
    settings.USER_TURNS_AT_ONCE = settings.USER_TURNS_PER_MINUTE = 1
    settings.USER_TOKENS_PER_DAY = 100
    store(conversation_of(user))
    store(conversation_of(other_user))


def test_a_clock_that_was_set_back_locks_nobody_out(user: User, settings: Settings) -> None:
    settings.USER_TURNS_PER_MINUTE, settings.USER_TOKENS_PER_DAY = 1, 100
    conversation = conversation_of(user)
    store(conversation)
    end_newest(conversation, total_tokens=100, created_at=timezone.now() + timedelta(days=30))
    store(conversation)


def test_a_message_that_was_stored_before_is_answered_whatever_the_limits(
    user: User, settings: Settings
) -> None:
    settings.USER_TURNS_AT_ONCE = 1
    conversation, message = conversation_of(user), str(uuid.uuid4())
    again = NewMessage(uuid.UUID(message), "hello")
    first = lifecycle.accept(conversation.pk, again, at_once=True)
    assert lifecycle.accept(conversation.pk, again, at_once=True).turn == first.turn


def test_a_refused_message_leaves_nothing_behind(user: User, settings: Settings) -> None:
    settings.USER_TURNS_AT_ONCE = 1
    conversation = conversation_of(user)
    store(conversation)
    with pytest.raises(Throttled):
        store(conversation_of(user, title="second"))
    assert Turn.objects.count() == 1


def test_many_at_the_same_time_get_no_more_than_the_limit(user: User, settings: Settings) -> None:
    settings.USER_TURNS_AT_ONCE = 5
    conversations = [conversation_of(user) for _ in range(16)]

    def is_refused(conversation: Conversation) -> bool:
        try:
            store(conversation)
        except Throttled:
            return True
        return False

    refusals = at_once(*(partial(is_refused, conversation) for conversation in conversations))
    assert (Turn.objects.count(), sum(refusals)) == (5, 11)


def test_a_turn_that_waits_for_a_person_is_not_under_way(user: User, settings: Settings) -> None:
    settings.USER_TURNS_AT_ONCE = 1
    conversation = conversation_of(user)
    Turn.objects.create(conversation=conversation, number=1, user=user, status=Turn.Status.WAITING)
    assert store(conversation_of(user)).status == Turn.Status.RUNNING
