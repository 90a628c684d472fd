"""A turn's life: which status may follow which, and who of those that wait comes next."""

import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from conversations.engine import lifecycle
from conversations.engine.lifecycle import TRANSITIONS, claim
from conversations.errors import InternalError, Refused
from conversations.models import Approval, Conversation, ToolCall, Turn
from tests.lost_turns import Lost
from tests.records import running
from tests.resources import at_once
from tests.turns import conversation_of, decision

pytestmark = pytest.mark.django_db(transaction=True)
Status = Turn.Status
LONG_AGO = timedelta(minutes=1)


# -- the table


class Change(NamedTuple):
    """A change of a turn's status: how it is made, from which statuses, to which."""

    make: Callable[[Turn], object]
    sources: set[Status]
    target: Status


def decide(turn: Turn) -> None:
    lifecycle.decide(turn.conversation, turn.user, [decision("one")])


def end(status: Status) -> Change:
    return Change(partial(lifecycle.end, status=status), {Status.RUNNING}, status)


CHANGES = {
    "claim": Change(lambda turn: claim(9), {Status.QUEUED}, Status.RUNNING),
    "claim of a conversation": Change(
        lambda turn: claim(1, turn.conversation_id), {Status.QUEUED}, Status.RUNNING
    ),
    "take over": Change(lifecycle.take_over, {Status.RUNNING}, Status.RUNNING),
    "wait": Change(lifecycle.wait, {Status.RUNNING}, Status.WAITING),
    "decide": Change(decide, {Status.WAITING}, Status.RUNNING),
    "expire": Change(lambda turn: lifecycle.expire(turn, timezone.now()), {Status.WAITING}, Status.RUNNING),
    "stop a wait": Change(
        partial(lifecycle.stop_waiting, is_requested=True), {Status.WAITING}, Status.RUNNING
    ),
    "complete": end(Status.COMPLETED),
    "stop": end(Status.STOPPED),
    "fail": end(Status.FAILED),
    "interrupt": end(Status.INTERRUPTED),
}
ALLOWED = {(source, target) for source, targets in TRANSITIONS.items() for target in targets}
PAIRS = [(source, target) for source in Status for target in Status]


def turn_that_is(status: Status, conversation: Conversation) -> Turn:
    """A turn in this status, whose lease has run out and whose call should have been decided long ago."""
    lost = Lost(conversation)
    lost.calls_tools(one="requested")
    Approval.objects.create(call=lost.calls[0], expires_at=timezone.now() - LONG_AGO)
    Turn.objects.update(status=status)
    return Turn.objects.get()


def rows() -> list[Any]:
    """All rows that a change may change."""
    return [list(model.objects.order_by("pk").values()) for model in (Turn, ToolCall, Approval)]


def attempt(change: Callable[[Turn], object], turn: Turn) -> None:
    """Makes the change, which may be refused."""
    with suppress(InternalError, Refused), transaction.atomic():
        change(turn)


def test_there_is_a_change_for_each_line_of_the_table_and_no_other() -> None:
    assert {(source, change.target) for change in CHANGES.values() for source in change.sources} == ALLOWED


@pytest.mark.parametrize("source", Status)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_is_made_from_its_own_status_and_refused_from_any_other(
    conversation: Conversation, change: Change, source: Status
) -> None:
    turn = turn_that_is(source, conversation)
    before = rows()
    attempt(change.make, turn)
    if source in change.sources:
        assert Turn.objects.get().status == change.target
        assert rows() != before
    else:
        assert rows() == before


@pytest.mark.parametrize(("source", "target"), [pair for pair in PAIRS if pair not in ALLOWED], ids=str)
def test_what_the_table_does_not_let_follow_is_refused(
    conversation: Conversation, source: Status, target: Status
) -> None:
    turn = turn_that_is(source, conversation)
    before = rows()
    with pytest.raises(InternalError), transaction.atomic():
        lifecycle.end(turn, target)
    assert rows() == before


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_way_to_an_end(status: Status) -> None:
    reached = [status]
    for source in reached:  # grows as it goes
        reached += [target for target in TRANSITIONS.get(source, ()) if target not in reached]
    assert set(reached) - set(TRANSITIONS)
    assert (status in Turn.OPEN) == (status in TRANSITIONS)


# -- claims


def queue(conversation: Conversation, count: int = 1) -> list[Turn]:
    """Further turns of a conversation, which wait."""
    start = conversation.turns.count() + 1
    fields = {"status": "queued", "lease_token": None, "parent": None}
    return [running(conversation, number, **fields) for number in range(start, start + count)]


def test_a_claimed_turn_is_the_claimers_own_and_the_end_of_the_shown_branch(
    conversation: Conversation,
) -> None:
    queue(conversation)
    (turn,) = claim(1)
    stored = Turn.objects.get()
    assert (stored.status, stored.attempts, stored.lease_token) == ("running", 1, turn.lease_token)
    assert stored.lease_until > timezone.now()
    assert stored.started_at is not None
    conversation.refresh_from_db()
    assert conversation.head == stored


@pytest.mark.parametrize("limits", [(1, 1), (2,)], ids=["one by one", "two at once"])
def test_users_take_turns_however_much_one_of_them_has_queued(
    user: User, other_user: User, limits: tuple[int, ...]
) -> None:
    for _ in range(10):
        queue(conversation_of(user))
    queue(conversation_of(other_user))
    claimed = [turn for limit in limits for turn in claim(limit)]
    assert sorted(turn.user.username for turn in claimed) == ["herbert", "jennifer"]


def test_whoever_has_most_running_comes_last(user: User, other_user: User) -> None:
    for _ in range(2):
        running(conversation_of(user))
    for _ in range(3):
        queue(conversation_of(user))
    for _ in range(3):
        queue(conversation_of(other_user))
    assert Counter(turn.user.username for turn in claim(3)) == {"herbert": 2, "jennifer": 1}
    assert Counter(turn.user.username for turn in claim(9)) == {"herbert": 1, "jennifer": 2}


def test_of_those_who_have_as_few_running_the_user_who_was_last_to_begin_waits(
    user: User, other_user: User
) -> None:
    for owner in (user, user, user, other_user, other_user):
        queue(conversation_of(owner))
    begun = []
    while turns := claim(1):
        begun += [turn.user.username for turn in turns]
        Turn.objects.filter(status="running").update(status="completed")
    assert begun == ["jennifer", "herbert", "jennifer", "herbert", "jennifer"]


@pytest.mark.parametrize(("limit", "count"), [(-1, 0), (0, 0), (1, 1), (3, 3), (9, 5)])
def test_no_more_are_claimed_than_there_is_room_for(user: User, limit: int, count: int) -> None:
    for _ in range(5):
        queue(conversation_of(user))
    assert len(claim(limit)) == count
    assert Turn.objects.filter(status="running").count() == count


def test_a_conversations_turns_are_claimed_in_order_and_one_at_a_time(conversation: Conversation) -> None:
    waiting, claimed = queue(conversation, 3), []
    while turns := claim(9):
        assert claim(9) == claim(1, conversation.pk) == []
        claimed += turns
        Turn.objects.filter(status="running").update(status="completed")
    assert claimed == waiting
    ends = [turn.parent for turn in conversation.turns.order_by("number")]
    assert ends == [None, *waiting[:2]]


@pytest.mark.parametrize("status", ["running", "waiting"])
def test_what_waits_behind_an_active_turn_is_not_claimed_and_keeps_nothing_else_waiting(
    conversation: Conversation, status: str
) -> None:
    running(conversation, status=status)
    queue(conversation)
    (free,) = queue(conversation_of(conversation.owner))
    assert claim(9) == [free]
    assert claim(1, conversation.pk) == []


def test_one_conversations_turn_is_claimed_if_it_is_named(user: User) -> None:
    first, second = conversation_of(user), conversation_of(user)
    queue(first)
    (turn,) = queue(second)
    assert claim(1, second.pk) == [turn]
    assert claim(1, second.pk) == []


def claim_all(named: list[uuid.UUID] | None) -> list[Turn]:
    """The turns that one of several claimers gets, who go on until nothing is queued."""
    claimed: list[Turn] = []
    while Turn.objects.filter(status="queued").exists():
        for turn in claim(3) if named is None else [turn for pk in named for turn in claim(1, pk)]:
            claimed.append(turn)
            with transaction.atomic():
                lifecycle.end(turn, Status.COMPLETED)
    return claimed


@pytest.mark.parametrize("is_named", [False, True], ids=["any", "named"])
def test_of_several_that_claim_at_once_each_turn_has_one(user: User, is_named: bool) -> None:
    conversations = [conversation_of(user) for _ in range(6)]
    waiting = [turn for conversation in conversations for turn in queue(conversation, 3)]
    named = [conversation.pk for conversation in conversations] if is_named else None
    claimed = [turn for turns in at_once(*[partial(claim_all, named)] * 4) for turn in turns]
    assert sorted(turn.pk for turn in claimed) == sorted(turn.pk for turn in waiting)
    assert set(Turn.objects.values_list("status", "attempts")) == {("completed", 1)}
    for conversation in conversations:
        turns = list(conversation.turns.order_by("number"))
        assert [turn.parent for turn in turns] == [None, *turns[:2]]
