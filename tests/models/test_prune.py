"""Old conversations go whole, and only they; what they have used stays."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from conversations.models import (
    Allowance,
    Approval,
    Conversation,
    Event,
    Message,
    Passage,
    Recording,
    RequestBase,
    Round,
    ToolCall,
    Turn,
    UsageTotal,
    retention,
)
from tests.turns import ask, conversation_of

pytestmark = pytest.mark.django_db
MAY = datetime(2026, 5, 20, 12, tzinfo=UTC)
EVERYTHING = (
    Conversation, Turn, Round, Message, ToolCall, Approval, Event, Recording, RequestBase, Passage,
)  # fmt: skip


def used(user: User, base: str = "a", days: int = 100, **fields: object) -> Conversation:
    """A conversation with two turns of ten tokens each, last active so many days ago."""
    shared, _ = RequestBase.objects.get_or_create(sha256=base * 64, body="{}")
    conversation = conversation_of(user, updated_at=timezone.now() - timedelta(days=days))
    for number in (1, 2):
        turn = Turn.objects.create(
            conversation=conversation, number=number, user=user, total_tokens=10,
            input_tokens=7, output_tokens=3, **{"model": conversation.model, "created_at": MAY, "status": "completed"} | fields,
        )  # fmt: skip
        row = Round.objects.create(turn=turn, number=1, base=shared, status="completed")
        own = {"conversation": conversation, "turn": turn}
        Message.objects.create(**own, role="user", content=[{"text": "Hello"}])
        Event.objects.create(**own, seq=number, data="{}")
        ToolCall.objects.create(**own, round=row, position=0, tool_use_id=f"t{number}", name="top_song")
    return conversation


def pruned(*options: str) -> str:
    out = StringIO()
    call_command("prune", "--older-than", "90d", *options, stdout=out)
    return out.getvalue()


def left() -> set[UUID]:
    return set(Conversation.objects.values_list("pk", flat=True))


def rows() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in EVERYTHING}


def test_nothing_goes_unless_it_is_asked_for(user: User) -> None:
    used(user)
    before = rows()
    output = pruned()
    assert rows() == before
    assert (
        "Would go: 1 conversations, 2 rounds, 2 turns, 2 messages, 2 tool calls, 2 events, 1 request bases."
        in output
    )
    assert "Nothing was deleted" in output
    assert not UsageTotal.objects.exists()


@pytest.mark.parametrize("option", ["--delete", "--yes"])
def test_what_was_said_would_go_goes_whole(user: User, option: str) -> None:
    used(user)
    would = pruned().splitlines()[1].removeprefix("Would go: ")
    assert pruned(option).splitlines()[-1].removeprefix("Gone: ") == would
    assert set(rows().values()) == {0}


def test_only_those_without_activity_since_go(user: User) -> None:
    used(user, days=91)
    young = used(user, days=89)
    pruned("--delete")
    assert left() == {young.pk}
    assert rows()["Turn"] == rows()["ToolCall"] == 2


@pytest.mark.parametrize("status", ["running", "waiting", "queued"])
def test_one_with_an_open_turn_is_never_touched(user: User, status: str) -> None:
    conversation = used(user)
    conversation.turns.filter(number=2).update(status=status)
    assert "Would go: nothing." in pruned()
    pruned("--delete")
    assert left() == {conversation.pk}
    assert rows()["RequestBase"] == 1


def test_one_that_is_taken_up_again_meanwhile_stays(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = used(user, days=200), used(user, days=100)
    monkeypatch.setattr(retention, "BATCH", 1)
    batches = retention.prune(timezone.now() - timedelta(days=90))
    assert next(batches)["conversations"] == 1
    Conversation.objects.filter(pk=second.pk).update(updated_at=timezone.now())
    assert [gone["conversations"] for gone in batches] == [0, 0]
    assert left() == {second.pk} != {first.pk}


def test_a_request_base_goes_with_the_last_round_that_uses_it(user: User) -> None:
    used(user, base="a")
    used(user, base="b")
    used(user, base="b", days=1)
    assert "1 request bases" in pruned()
    pruned("--delete")
    assert list(RequestBase.objects.values_list("sha256", flat=True)) == ["b" * 64]


def test_what_was_used_is_kept_by_user_model_and_month(user: User, other_user: User) -> None:
    used(user)
    used(user)
    used(user, created_at=MAY.replace(month=4))
    used(other_user, model="another")
    pruned("--delete")
    totals = {(row.user, row.model, f"{row.month:%Y-%m}"): row for row in UsageTotal.objects.all()}
    assert {
        key: (row.turns, row.rounds, row.tool_calls, row.total_tokens) for key, row in totals.items()
    } == {
        (user, "cohere.command-r-v1:0", "2026-05"): (4, 4, 4, 40),
        (user, "cohere.command-r-v1:0", "2026-04"): (2, 2, 2, 20),
        (other_user, "another", "2026-05"): (2, 2, 2, 20),
    }
    assert {(row.input_tokens, row.output_tokens) for row in totals.values()} == {(28, 12), (14, 6)}


def test_what_goes_later_is_added_to_what_was_kept(user: User) -> None:
    for _ in range(2):
        used(user)
        pruned("--delete")
    assert UsageTotal.objects.get().total_tokens == 40


def test_approvals_go_with_their_calls_and_permissions_stay(user: User, other_user: User) -> None:
    conversation = used(user)
    allowance = Allowance.objects.create(user=user, tool="top_song", input={}, key="k")
    for call in conversation.tool_calls.all():
        Approval.objects.create(call=call, status="approved", decided_by=other_user, allowance=allowance)
    Conversation.objects.update(head=conversation.turns.get(number=2))
    assert "2 approvals" in pruned()
    pruned("--delete")
    assert set(rows().values()) == {0}
    assert Allowance.objects.get() == allowance
    again = used(user)
    Approval.objects.create(call=again.tool_calls.first(), status="denied")
    Conversation.objects.update(deleted_at=timezone.now())
    retention.remove_deleted(timezone.now())
    assert not Approval.objects.exists()


@pytest.mark.parametrize(
    ("status", "remains"), [("completed", 0), ("queued", 0), ("running", 1), ("waiting", 1)]
)
def test_what_was_deleted_goes_once_no_turn_of_it_has_to_end(user: User, status: str, remains: int) -> None:
    conversation = used(user, status="completed")
    other = used(user)
    conversation.turns.filter(number=2).update(status=status)
    Conversation.objects.filter(pk=conversation.pk).update(deleted_at=timezone.now())
    retention.remove_deleted(timezone.now() - timedelta(minutes=1))
    assert Conversation.with_deleted.count() == 2
    retention.remove_deleted(timezone.now())
    assert Conversation.with_deleted.exclude(pk=other.pk).count() == remains
    assert UsageTotal.objects.exists() == (not remains)
    assert other.turns.count() == 2


def test_old_conversations_go_though_they_are_deleted(user: User) -> None:
    Conversation.objects.filter(pk=used(user).pk).update(deleted_at=timezone.now())
    pruned("--delete")
    assert not Conversation.with_deleted.exists()


@pytest.mark.parametrize("age", ["90", "0d", "-1d", "d", "90 days", "1.5d", "9999y", ""])
def test_an_age_that_is_none_is_refused(user: User, age: str) -> None:
    used(user)
    with pytest.raises(CommandError):
        call_command("prune", f"--older-than={age}", "--delete")
    assert len(left()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_conversation_as_a_turn_leaves_it_goes(user: User) -> None:
    conversation = conversation_of(user)
    turn = ask(conversation, "What is the most popular song on WZPZ?")
    Conversation.objects.update(updated_at=MAY)
    pruned("--delete")
    assert set(rows().values()) == {0}
    assert UsageTotal.objects.get().total_tokens == turn.total_tokens > 0
