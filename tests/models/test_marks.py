"""What a list says of a conversation follows from its turns, and from what its reader has seen."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, marks
from conversations.models.marks import Mark
from tests.records import running
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db


def with_turns(conversation: Conversation, statuses: str, seen: int = 0) -> Conversation:
    """The conversation with turns of these statuses, of which so many are seen."""
    for number, status in enumerate(statuses.split(), 1):
        running(conversation, number, status=status)
    conversation.seen = seen
    conversation.save()
    return conversation


@pytest.mark.parametrize(
    ("statuses", "seen", "mark"),
    [
        ("", 0, None),
        ("completed", 0, Mark.UNREAD),
        ("completed", 1, None),
        ("completed completed", 1, Mark.UNREAD),
        ("completed stopped", 0, Mark.UNREAD),
        ("stopped", 0, None),
        ("failed", 0, Mark.FAILED),
        ("interrupted", 0, Mark.FAILED),
        ("failed", 1, None),
        ("failed completed", 0, Mark.UNREAD),
        ("completed failed", 0, Mark.FAILED),
        ("failed running", 0, Mark.RUNNING),
        ("completed queued", 0, Mark.RUNNING),
        ("completed waiting queued", 1, Mark.WAITING),
    ],
)
def test_a_mark_says_what_matters_most(
    conversation: Conversation, statuses: str, seen: int, mark: Mark | None
) -> None:
    with_turns(conversation, statuses, seen)
    assert marks.marks([conversation.pk]).get(conversation.pk) == mark


@pytest.mark.parametrize(("statuses", "seen"), [("completed failed running", 2), ("running", 0), ("", 0)])
def test_what_has_ended_is_seen_and_an_open_turn_is_not(
    conversation: Conversation, statuses: str, seen: int
) -> None:
    with_turns(conversation, statuses)
    assert [marks.mark_seen(conversation.pk, conversation.owner_id) for _ in range(2)] == [seen > 0, False]
    conversation.refresh_from_db()
    assert conversation.seen == seen


def test_the_marks_of_a_whole_list_are_one_query(user: User) -> None:
    rows = [with_turns(conversation_of(user), "completed failed completed") for _ in range(20)]
    with CaptureQueriesContext(connection) as queries:
        assert len(marks.marks(row.pk for row in rows)) == 20
    assert len(queries) == 1
