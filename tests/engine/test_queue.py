"""Messages before they are asked: drafts and those that wait behind a turn, edits among them."""

import threading
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from conversations import engine
from conversations.errors import Refused
from conversations.journal import page
from conversations.journal.hub import HUB
from conversations.models import Conversation, Tree, Turn
from tests.engine.branches import branch, ids, message_of, slow_turn, turn_of, versions
from tests.listeners import At
from tests.turns import QUESTION, ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


# -- the draft


def test_a_draft_is_kept_until_it_is_sent(conversation: Conversation) -> None:
    engine.keep_draft(conversation, QUESTION + " ")
    conversation.refresh_from_db()
    assert conversation.draft == QUESTION + " "
    ask(conversation, QUESTION)
    conversation.refresh_from_db()
    assert conversation.draft == ""


def test_another_draft_stays_when_a_message_is_sent(conversation: Conversation) -> None:
    engine.keep_draft(conversation, "something else")
    ask(conversation, QUESTION)
    conversation.refresh_from_db()
    assert conversation.draft == "something else"


@pytest.mark.parametrize("draft", [None, 7, "x" * 100_001], ids=["none", "number", "long"])
def test_a_draft_that_is_none_is_refused(conversation: Conversation, draft: object) -> None:
    with pytest.raises(Refused):
        engine.keep_draft(conversation, draft)


# -- messages that wait


@pytest.fixture
def queued(conversation: Conversation, slow: threading.Event) -> list[str]:
    """The ids of three messages that wait."""
    waiting = [str(uuid.uuid4()) for _ in range(3)]
    for number, message_id in enumerate(waiting):
        engine.start(conversation.pk, message_id, f"waiting {number}")
    return waiting


def test_a_queued_message_is_taken_back_without_a_trace(
    conversation: Conversation, queued: list[str], slow: threading.Event
) -> None:
    engine.withdraw(conversation, queued[1])
    assert list(conversation.turns.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
    slow.set()
    assert engine.WORKER.wait(20)
    texts = [message_of(turn).content[0]["text"] for turn in conversation.turns.order_by("number")]
    assert texts == [QUESTION, "waiting 0", "waiting 2"]
    last = conversation.turns.get(number=3)
    assert last.parent.number == 2
    assert len(branch(conversation)) == 3


def test_the_last_one_that_waits_may_be_taken_back(conversation: Conversation, queued: list[str]) -> None:
    for message_id in reversed(queued):
        engine.withdraw(conversation, message_id)
    assert (conversation.turns.count(), Tree.of(conversation.pk).head) == (1, conversation.turns.get().pk)


def test_a_queued_message_is_changed_where_it_is(
    conversation: Conversation, queued: list[str], slow: threading.Event
) -> None:
    new = str(uuid.uuid4())
    engine.edit(conversation, queued[0], new, "changed")
    engine.edit(conversation, queued[0], new, "changed")
    slow.set()
    assert engine.WORKER.wait(20)
    assert conversation.turns.count() == 4
    assert message_of(conversation.turns.get(number=2)).content == [{"text": "changed"}]


def test_what_has_begun_is_not_taken_back(two: list[Turn]) -> None:
    with pytest.raises(Refused):
        engine.withdraw(two[0].conversation, str(message_of(two[1]).public_id))


# -- edits that wait


def test_an_edit_while_a_turn_runs_waits_its_turn(conversation: Conversation, slow: threading.Event) -> None:
    running = Turn.objects.get()
    message_id = str(uuid.uuid4())
    engine.edit(conversation, str(message_of(running).public_id), message_id, "help")
    assert Turn.objects.get(number=2).status == "queued"
    slow.set()
    assert engine.WORKER.wait(20)
    new = Turn.objects.get(number=2)
    assert (new.status, new.parent, branch(conversation)) == ("completed", None, ids(new))


class Line(NamedTuple):
    """Three turns, one on the other, the last of which runs until it is released."""

    conversation: Conversation
    turns: list[Turn]
    release: threading.Event

    def edit(self, place: int, text: str = "help") -> str:
        """Edits the message of the turn there; the new message's id."""
        message_id = str(uuid.uuid4())
        engine.edit(self.conversation, str(message_of(self.turns[place]).public_id), message_id, text)
        return message_id

    def ask(self, text: str = "help") -> str:
        """Sends a message; its id."""
        return str(message_of(engine.start(self.conversation.pk, str(uuid.uuid4()), text).turn).public_id)

    def end(self) -> None:
        """Lets the running turn end, and what waits behind it."""
        self.release.set()
        assert engine.WORKER.wait(20)


@pytest.fixture
def line(two: list[Turn]) -> Iterator[Line]:
    conversation = two[0].conversation
    with slow_turn(conversation) as release:
        yield Line(conversation, [*two, conversation.turns.get(number=3)], release)


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "second", "running"])
def test_a_page_loaded_while_an_edit_waits_shows_the_running_turn(line: Line, place: int) -> None:
    edit = line.edit(place)
    assert branch(line.conversation) == ids(*line.turns)
    fresh = page(line.conversation)
    assert str(line.turns[2].pk) in {message["metadata"]["turn"] for message in fresh.messages}
    assert (fresh.turns[-1]["status"], fresh.queue) == ("running", [{"id": edit, "text": "help"}])


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "second", "running"])
def test_an_edit_that_is_taken_back_leaves_the_shown_branch_as_it_was(line: Line, place: int) -> None:
    engine.withdraw(line.conversation, line.edit(place))
    assert branch(line.conversation) == ids(*line.turns)
    line.end()
    assert branch(line.conversation) == ids(*line.turns)
    assert ask(line.conversation, "help").parent == line.turns[2]


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "second", "running"])
def test_an_edit_is_shown_once_it_has_begun(line: Line, place: int) -> None:
    edit, heads = line.edit(place), []
    begins = At("RUN_STARTED", lambda: heads.append(Tree.of(line.conversation.pk).head))
    HUB.attach(None)
    HUB.subscribe(line.conversation.pk, begins)
    line.end()
    HUB.unsubscribe(line.conversation.pk, begins)
    new = turn_of(edit)
    assert new.parent == line.turns[place].parent
    assert branch(line.conversation) == ids(*line.turns[:place], new)
    assert heads == [new.pk]


def test_a_message_behind_a_waiting_edit_follows_on_the_edit(line: Line) -> None:
    edit, following = line.edit(1), line.ask()
    assert branch(line.conversation) == ids(*line.turns)
    line.end()
    assert turn_of(following).parent == turn_of(edit)
    assert branch(line.conversation) == ids(line.turns[0], turn_of(edit), turn_of(following))


def test_a_message_before_a_waiting_edit_follows_on_the_running_turn(line: Line) -> None:
    following, edit = line.ask(), line.edit(1)
    line.end()
    assert turn_of(following).parent == line.turns[2]
    assert branch(line.conversation) == ids(line.turns[0], turn_of(edit))


def test_two_edits_that_wait_are_asked_each_in_its_place(line: Line) -> None:
    first, second = line.edit(0), line.edit(1)
    line.end()
    assert (turn_of(first).parent, turn_of(second).parent) == (None, line.turns[0])
    assert branch(line.conversation) == ids(line.turns[0], turn_of(second))
    assert versions(line.conversation) == [
        ids(line.turns[0], turn_of(first)),
        ids(line.turns[1], turn_of(second)),
    ]


def test_of_several_that_wait_the_first_may_be_taken_back(line: Line) -> None:
    first, second, following = line.edit(0), line.edit(1), line.ask()
    engine.withdraw(line.conversation, first)
    assert branch(line.conversation) == ids(*line.turns)
    line.end()
    assert turn_of(second).parent == line.turns[0]
    assert branch(line.conversation) == ids(line.turns[0], turn_of(second), turn_of(following))
    assert [turn.number for turn in line.conversation.turns.order_by("number")] == [1, 2, 3, 4, 5]


def test_what_waits_behind_an_edit_that_is_taken_back_follows_on_the_running_turn(line: Line) -> None:
    edit, following = line.edit(0), line.ask()
    engine.withdraw(line.conversation, edit)
    line.end()
    assert branch(line.conversation) == ids(*line.turns, turn_of(following))


def test_an_edit_that_waits_may_be_edited_where_it_is(line: Line) -> None:
    edit, again = line.edit(1), str(uuid.uuid4())
    engine.edit(line.conversation, edit, again, "Good morning")
    line.end()
    assert message_of(turn_of(again)).content == [{"text": "Good morning"}]
    assert branch(line.conversation) == ids(line.turns[0], turn_of(again))


def test_no_other_branch_is_shown_while_a_message_waits(line: Line) -> None:
    edit = line.edit(1)
    with pytest.raises(Refused):
        engine.show_branch(line.conversation, str(line.turns[0].pk))
    line.end()
    engine.show_branch(line.conversation, str(line.turns[1].pk))
    assert branch(line.conversation) == ids(*line.turns)
    assert turn_of(edit).status == "completed"
