"""A tool that needs a permission is there for those who have it, at any moment."""

import json
import uuid
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER
from conversations.errors import Refused
from conversations.models import Approval, Conversation, ToolCall, Turn
from conversations.tools import registry, tool
from tests.gateway.wire import Answer, WireServer, answer_frames
from tests.lost_turns import Lost, recover
from tests.reruns import tool_frames
from tests.turns import QUESTION, ask, conversation_of, decision

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
PERMISSION = "auth.change_group"
PLAYED: list[str] = []
SECRET = "Plays what no guest may hear."


@pytest.fixture(autouse=True)
def guarded() -> Iterator[None]:
    """The station's tool, which needs a permission."""
    PLAYED.clear()
    with registry.override():

        @tool(permission=PERMISSION, idempotent=True)
        def top_song(sign: str) -> str:
            """Plays what no guest may hear."""
            PLAYED.append(sign)
            return "Sung"

        yield


def played(sign: str) -> None:
    PLAYED.append(sign)


def grant(user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="change_group"))


def described(turn: Turn) -> list[list[str]]:
    """The descriptions of the tools that each of the turn's requests offers."""
    bodies = [json.loads(row.base.body) for row in turn.rounds.select_related("base").order_by("number")]
    configurations = [body.get("toolConfig", {}).get("tools", ()) for body in bodies]
    return [[spec["toolSpec"].get("description", "") for spec in specs] for specs in configurations]


def outcome() -> tuple[str, str]:
    call = ToolCall.objects.get()
    return call.status, call.error


REFUSED = ("error", "not_permitted")


def test_without_the_permission_it_is_not_offered(conversation: Conversation) -> None:
    assert not any(described(ask(conversation, QUESTION)))


def test_with_the_permission_it_is_offered_and_runs(user: User, conversation: Conversation) -> None:
    grant(user)
    assert described(ask(conversation, QUESTION))[0] == [SECRET]
    assert (outcome(), PLAYED) == (("success", ""), ["WZPZ"])


def test_a_superuser_has_every_permission(conversation: Conversation) -> None:
    boss = User.objects.create_superuser("carlson", password="flycatcher")
    ask(conversation_of(boss), QUESTION)
    assert PLAYED == ["WZPZ"]


@pytest.mark.parametrize("approval", [False, True])
def test_a_call_of_it_is_refused_and_nobody_is_asked_for_an_approval(
    conversation: Conversation, settings: Settings, approval: bool
) -> None:
    call = Answer.stream(*tool_frames("one", "top_song", '{"sign": "WZPZ"}'))
    with registry.override(), WireServer([call, Answer.stream(*answer_frames("Done."))]) as server:
        settings.GATEWAY_URL = server.url
        tool(permission=PERMISSION, approval=approval, name="top_song")(played)
        assert ask(conversation, QUESTION).status == Turn.Status.COMPLETED
    assert (outcome(), PLAYED) == (REFUSED, [])
    assert not Approval.objects.exists()


def test_what_is_taken_away_within_a_turn_is_not_offered_in_its_next_round(
    user: User, conversation: Conversation
) -> None:
    grant(user)
    with registry.override():

        @tool(permission=PERMISSION)
        def top_song(sign: str) -> str:
            """Plays what no guest may hear."""
            user.user_permissions.clear()
            return "Sung"

        first, second = described(ask(conversation, QUESTION))
    assert first == [SECRET]
    assert SECRET not in second


def test_an_approval_does_not_let_through_what_is_not_permitted(
    user: User, conversation: Conversation
) -> None:
    grant(user)
    with registry.override():
        tool(permission=PERMISSION, approval=True, name="top_song")(played)
        ask(conversation, QUESTION)
        user.user_permissions.clear()
        call = Approval.objects.get().call
        engine.resume(conversation, user, [decision(call.tool_use_id)])
        assert WORKER.wait(20)
    assert (outcome(), PLAYED) == (REFUSED, [])
    assert Turn.objects.get().status == Turn.Status.COMPLETED


def test_a_lost_call_is_not_made_again_without_the_permission(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running")
    recover(lost)
    assert (outcome(), PLAYED) == (REFUSED, [])


def test_a_past_call_is_not_run_again_without_the_permission(user: User, conversation: Conversation) -> None:
    grant(user)
    ask(conversation, QUESTION)
    user.user_permissions.clear()
    call = ToolCall.objects.get().tool_use_id
    with pytest.raises(Refused, match="permission"):
        engine.run_again(conversation, call, str(uuid.uuid4()))
    grant(user)
    engine.run_again(conversation, call, str(uuid.uuid4()))
    assert WORKER.wait(20)
    assert PLAYED == ["WZPZ", "WZPZ"]
