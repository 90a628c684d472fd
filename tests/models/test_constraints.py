"""The rows: constraints that hold whatever the code does, and JSON that comes back as it was."""

import json
import math
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Conversation, Event, Message, Recording, RequestBase, Round, ToolCall, Turn
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def turn(conversation: Conversation) -> Turn:
    return turn_of(conversation, 1)


@pytest.fixture
def row(turn: Turn) -> Round:
    base = RequestBase.objects.create(sha256="0" * 64, body="{}")
    return Round.objects.create(turn=turn, number=1, base=base)


def turn_of(conversation: Conversation, number: int, **fields: Any) -> Turn:
    return Turn.objects.create(conversation=conversation, number=number, user=conversation.owner, **fields)


def call_of(row: Round, tool_use_id: str, position: int = 0, **fields: Any) -> ToolCall:
    own = {"conversation": row.turn.conversation, "turn": row.turn, "round": row, "position": position}
    return ToolCall.objects.create(**own, tool_use_id=tool_use_id, name="top_song", **fields)


class Refusal:
    """What a constraint refuses, by the constraint's name or its columns."""

    def __init__(self, *columns: str) -> None:
        self._columns = columns
        self._atomic = transaction.atomic()

    def __enter__(self) -> None:
        self._atomic.__enter__()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self._atomic.__exit__(kind, error, trace)
        assert isinstance(error, IntegrityError), "it was not refused"
        assert all(column in str(error) for column in self._columns), error
        return True


ACTIVE = ("running", "waiting")


@pytest.mark.parametrize("first", ACTIVE)
@pytest.mark.parametrize("second", ACTIVE)
def test_a_conversation_has_one_running_turn(conversation: Conversation, first: str, second: str) -> None:
    turn_of(conversation, 1, status=first)
    with Refusal("conversation"):
        turn_of(conversation, 2, status=second)
    waiting = turn_of(conversation, 3, status="queued")
    with Refusal("conversation"):
        Turn.objects.filter(pk=waiting.pk).update(status=second)
    Turn.objects.filter(number=1).update(status="completed")
    Turn.objects.filter(pk=waiting.pk).update(status=second)


def test_any_number_of_turns_may_wait_or_have_ended_and_other_conversations_run(
    conversation: Conversation, user: User
) -> None:
    for number, status in enumerate(Turn.Status.values, 1):
        if status not in ACTIVE:
            turn_of(conversation, 2 * number, status=status)
            turn_of(conversation, 2 * number + 1, status=status)
    turn_of(conversation, 1, status="running")
    turn_of(conversation_of(user), 1, status="running")


def test_a_conversation_has_one_turn_a_number(turn: Turn) -> None:
    with Refusal("number"):
        turn_of(turn.conversation, 1)


def test_a_conversation_has_one_event_a_seq(turn: Turn, user: User) -> None:
    other = turn_of(conversation_of(user), 1)
    for owner in (turn, other):
        Event.objects.create(conversation=owner.conversation, turn=owner, seq=1, data="{}")
    with Refusal("seq"):
        Event.objects.create(conversation=turn.conversation, turn=turn, seq=1, data="{}")


def test_a_turn_has_one_recording_and_a_conversation_one_that_ends_at_a_seq(turn: Turn) -> None:
    second = turn_of(turn.conversation, 2)
    own = {"conversation": turn.conversation, "first_seq": 1, "body": b"", "snapshot": b""}
    Recording.objects.create(turn=turn, last_seq=5, **own)
    with Refusal("turn"):
        Recording.objects.create(turn=turn, last_seq=6, **own)
    with Refusal("last_seq"):
        Recording.objects.create(turn=second, last_seq=5, **own)


def test_a_conversation_has_one_call_a_tool_use_id(row: Round, user: User) -> None:
    call_of(row, "tooluse_1")
    other = turn_of(conversation_of(user), 1)
    call_of(Round.objects.create(turn=other, number=1, base=row.base), "tooluse_1")
    later = Round.objects.create(turn=row.turn, number=2, base=row.base)
    with Refusal("tool_use_id"):
        call_of(later, "tooluse_1")
    with Refusal("position"):
        call_of(row, "tooluse_2", position=0)


def test_a_conversation_has_one_message_an_id_and_a_turn_one_user_message(turn: Turn, user: User) -> None:
    own = {"conversation": turn.conversation, "turn": turn}
    message = Message.objects.create(**own, role="user")
    with Refusal("public_id"):
        Message.objects.create(**own, role="assistant", public_id=message.public_id)
    with Refusal("turn"):
        Message.objects.create(**own, role="user")
    for _ in range(2):
        Message.objects.create(**own, role="assistant")
    elsewhere = turn_of(conversation_of(user), 1)
    Message.objects.create(
        conversation=elsewhere.conversation, turn=elsewhere, role="user", public_id=message.public_id
    )


def test_a_round_is_one_a_number_and_attempt_and_has_one_message(row: Round) -> None:
    Round.objects.create(turn=row.turn, number=1, attempt=2, base=row.base)
    with Refusal("attempt"):
        Round.objects.create(turn=row.turn, number=1, attempt=1, base=row.base)
    own = {"conversation": row.turn.conversation, "turn": row.turn, "round": row, "role": "assistant"}
    Message.objects.create(**own)
    with Refusal("round"):
        Message.objects.create(**own)


def test_whoever_has_conversations_and_what_a_round_was_sent_with_cannot_be_deleted(
    row: Round, user: User
) -> None:
    for referenced in (user, row.base):
        with pytest.raises(ProtectedError):
            referenced.delete()


NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
ATOMS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.text(), st.text(st.characters(categories=["Cs"]), max_size=3)
)
VALUES = st.recursive(
    ATOMS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4))
)


def exact(value: Any) -> str:
    """A value as JSON text tells it: with the order of keys, the kind of numbers, the sign of zero."""
    return json.dumps(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(VALUES.filter(lambda value: value is not None))
def test_json_comes_back_as_it_was_and_is_stored_as_ascii(row: Round, value: Any) -> None:
    Round.objects.filter(pk=row.pk).update(metadata=value)
    row.refresh_from_db()
    assert exact(row.metadata) == exact(value)
    with connection.cursor() as cursor:
        cursor.execute("SELECT metadata FROM conversations_round WHERE id = %s", [row.pk])
        (text,) = cursor.fetchone()
    assert text.isascii()
    assert "\0" not in text


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}])
def test_what_is_no_json_is_refused_before_it_is_stored(row: Round, value: object) -> None:
    row.metadata = value
    with pytest.raises(ValueError, match="JSON compliant"):
        row.save()


def test_no_value_is_null_and_json_null_is_not_stored_for_it(row: Round) -> None:
    call = call_of(row, "tooluse_1")
    assert (call.input, call.result) == (None, None)
    assert ToolCall.objects.filter(result__isnull=True, input__isnull=True).count() == 1
    ToolCall.objects.update(result=[])
    assert ToolCall.objects.filter(result__isnull=False).get().result == []


def test_defaults_are_no_ones_to_share(conversation: Conversation, turn: Turn) -> None:
    turn.inference["temperature"] = 0
    assert conversation.inference == Turn().inference == {}
    assert Message().content is not Message().content


def test_djangos_own_serialisers_give_the_value_back(row: Round) -> None:
    row.metadata = {"b": 1.0, "a": ["\ud800", "\0", "é"]}
    (copy,) = serializers.deserialize("json", serializers.serialize("json", [row]))
    assert copy.object.get_deferred_fields() == set()
    copy.save()
    row.refresh_from_db()
    assert exact(row.metadata) == exact({"b": 1.0, "a": ["\ud800", "\0", "é"]})


def test_a_turns_figures_are_the_sum_of_its_rounds(row: Round) -> None:
    row.set_usage({"inputTokens": 10, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 3})
    row.first_token_ms = 40
    row.save()
    again = Round(turn=row.turn, number=2, base=row.base, first_token_ms=7)
    again.set_usage({"inputTokens": 1, "outputTokens": -5, "totalTokens": "many", "strange": {"more": 1}})
    again.save()
    assert (again.output_tokens, again.total_tokens, again.usage["strange"]) == (0, 0, {"more": 1})
    row.turn.set_figures(
        [(round_.usage, round_.first_token_ms) for round_ in row.turn.rounds.order_by("number", "attempt")]
    )
    assert (row.turn.input_tokens, row.turn.output_tokens, row.turn.total_tokens) == (11, 5, 15)
    assert (row.turn.cache_read_tokens, row.turn.first_token_ms) == (3, 40)


def test_conversations_are_found_by_their_owner_alone(conversation: Conversation, other_user: User) -> None:
    assert list(Conversation.objects.owned_by(conversation.owner)) == [conversation]
    assert not Conversation.objects.owned_by(other_user).exists()
    assert str(conversation) == "Untitled"
    assert conversation.pk != uuid.UUID(int=0)
