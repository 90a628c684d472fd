"""Permissions that stand: a call, or a whole tool, that is let through unasked from then on."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone

from conversations import engine
from conversations.errors import Refused
from conversations.models import Allowance, Approval, Conversation, Turn
from tests.engine.approvals import PLAYED, decide, decisions, entry
from tests.engine.station import top_song_as
from tests.turns import QUESTION, ask, conversation_of, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway", "guarded")]


def test_always_lets_the_same_call_run_unasked_from_then_on(waiting: Turn) -> None:
    decide(waiting, entry(True, always=True))
    again = ask(waiting.conversation, QUESTION)
    assert (again.status, PLAYED) == ("completed", ["WZPZ", "WZPZ"])
    allowance = Allowance.objects.get()
    assert (allowance.tool, allowance.input) == ("top_song", {"sign": "WZPZ"})
    assert [approval.always for approval in Approval.objects.order_by("requested_at")] == ["arguments", ""]
    assert allowance.approvals.get().call.turn == again
    assert decisions(waiting.conversation)[-1]["standing"] is True
    assert ask(waiting.conversation, "What is the most popular song on WKRP?").status == "waiting"


def test_a_revoked_permission_lets_nothing_through(waiting: Turn) -> None:
    decide(waiting, entry(True, always=True))
    Allowance.objects.update(revoked_at=timezone.now())
    assert ask(waiting.conversation, QUESTION).status == "waiting"


def test_a_permission_is_its_users_alone(waiting: Turn, other_user: User) -> None:
    decide(waiting, entry(True, always=True))
    assert ask(conversation_of(other_user), QUESTION).status == "waiting"


def test_staff_who_decide_for_others_make_no_standing_permission(waiting: Turn, other_user: User) -> None:
    decide(waiting, entry(True, always=True), user=other_user)
    assert not Allowance.objects.exists()


@pytest.fixture
def whole(guarded: None) -> Iterator[None]:
    """The station's tool, which may be let through with any arguments."""
    with top_song_as(lambda sign: PLAYED.append(sign) or {"song": sign}, approval=True, always="tool"):
        yield


@pytest.mark.usefixtures("whole")
def test_a_whole_tool_is_let_through_with_any_arguments_until_it_is_revoked(
    conversation: Conversation,
) -> None:
    turn = ask(conversation, QUESTION)
    [interrupt] = of_type(record(conversation), "RUN_FINISHED")[-1]["outcome"]["interrupts"]
    assert interrupt["metadata"] == {"always": "tool"}
    assert interrupt["responseSchema"]["properties"]["always"]["enum"] == [True, False, "tool"]
    decide(turn, entry(True, always="tool", editedArgs={"sign": "WABC"}))
    approval = Approval.objects.get()
    assert (approval.always, approval.allowance) == ("tool", None)
    other = ask(conversation, "What is the most popular song on WKRP?")
    assert (other.status, PLAYED) == ("completed", ["WABC", "WKRP"])
    allowance = Allowance.objects.get()
    assert (allowance.tool, allowance.input) == ("top_song", None)
    assert allowance.approvals.get().call.turn == other
    assert decisions(conversation)[-1]["standing"] is True
    Allowance.objects.update(revoked_at=timezone.now())
    assert ask(conversation, QUESTION).status == "waiting"


@pytest.mark.usefixtures("whole")
def test_a_permission_for_a_whole_tool_ends_where_its_declaration_allows_it_no_more(
    conversation: Conversation,
) -> None:
    decide(ask(conversation, QUESTION), entry(True, always="tool"))
    with top_song_as(lambda sign: {"song": sign}, approval=True):
        assert ask(conversation, QUESTION).status == "waiting"


def test_a_tool_that_does_not_allow_it_is_not_let_through_whole(waiting: Turn) -> None:
    with pytest.raises(Refused, match="with the same arguments alone"):
        engine.resume(waiting.conversation, waiting.user, [entry(True, always="tool")])
    assert (Approval.objects.get().status, Allowance.objects.count(), PLAYED) == ("pending", 0, [])
    decide(waiting, entry(True, always=False))
    assert (Approval.objects.get().always, Allowance.objects.count()) == ("", 0)


def test_the_same_permission_stands_once(user: User) -> None:
    fields = {"user": user, "tool": "t", "input": {}, "key": Allowance.key_of("t", {})}
    Allowance.objects.create(**fields, revoked_at=timezone.now())
    Allowance.objects.create(**fields)
    with pytest.raises(IntegrityError):
        Allowance.objects.create(**fields)
