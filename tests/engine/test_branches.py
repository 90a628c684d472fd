"""A conversation is a tree of turns: asking again, editing, taking back, and showing a branch."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import requests
from conversations.errors import Refused
from conversations.exports.whole import document
from conversations.journal import page
from conversations.journal.hub import HUB
from conversations.models import Approval, Conversation, Message, Round, ToolCall, Tree, Turn
from conversations.protocol.converse import history
from conversations.tools import ToolError
from tests.engine.station import top_song_as
from tests.listeners import At
from tests.sockets.pages import page_of
from tests.turns import ask, conversation_of, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
QUESTION = "What is the most popular song on WZPZ?"
OTHER = "What is the most popular song on WKRP?"


@pytest.fixture
def two(conversation: Conversation) -> list[Turn]:
    """Two turns, one on the other."""
    return [ask(conversation, "Hello"), ask(conversation, QUESTION)]


@contextmanager
def slow_turn(conversation: Conversation) -> Iterator[threading.Event]:
    """A turn that runs until the event is set."""
    begun, release = threading.Event(), threading.Event()

    def play(sign: str) -> str:
        begun.set()
        release.wait(10)
        return sign

    with top_song_as(play):
        engine.start(conversation.pk, str(uuid.uuid4()), QUESTION)
        assert begun.wait(10)
        yield release
        release.set()
        assert engine.WORKER.wait(20)


@pytest.fixture
def slow(conversation: Conversation) -> Iterator[threading.Event]:
    with slow_turn(conversation) as release:
        yield release


def message_of(turn: Turn) -> Message:
    return Message.objects.get(turn=turn, role="user")


def edited(turn: Turn, text: str) -> Turn:
    message_id = str(uuid.uuid4())
    engine.edit(turn.conversation, str(message_of(turn).public_id), message_id, text)
    assert engine.WORKER.wait(20)
    return Turn.objects.get(messages__public_id=message_id)


def regenerated(conversation: Conversation, **options: Any) -> Turn:
    started = engine.regenerate(conversation, **options)
    assert engine.WORKER.wait(20)
    return Turn.objects.get(pk=started.turn.pk)


def branch(conversation: Conversation) -> list[str]:
    """The ids of the turns of the shown branch, as a new page gets them."""
    conversation.refresh_from_db()
    return [turn["id"] for turn in page(conversation).turns]


def ids(*turns_: Turn) -> list[str]:
    return [str(turn.pk) for turn in turns_]


def versions(conversation: Conversation) -> list[Any]:
    return [turn.get("versions") for turn in page(conversation).turns]


def runs(conversation: Conversation) -> list[dict[str, Any]]:
    return of_type(record(conversation), "RUN_STARTED")


# -- the tree


def test_turns_that_follow_on_one_another_have_one_version_each(two: list[Turn]) -> None:
    conversation = two[0].conversation
    assert branch(conversation) == ids(*two)
    assert versions(conversation) == [None, None]
    assert [run.get("parentRunId") for run in runs(conversation)] == [None, str(two[0].pk)]


def test_regenerating_asks_the_newest_question_again_beside_the_first_answer(two: list[Turn]) -> None:
    first, second = two
    again = regenerated(first.conversation)
    assert again.parent == first
    assert message_of(again).content == message_of(second).content
    assert message_of(again).public_id != message_of(second).public_id
    assert branch(first.conversation) == ids(first, again)
    assert versions(first.conversation) == [None, ids(second, again)]
    assert runs(first.conversation)[-1]["parentRunId"] == str(first.pk)
    assert_valid_agui(record(first.conversation))


def test_the_first_question_may_be_asked_again_too(conversation: Conversation) -> None:
    first = ask(conversation, "Hello")
    again = regenerated(conversation)
    assert again.parent is None
    assert branch(conversation) == ids(again)
    assert versions(conversation) == [ids(first, again)]
    run = runs(conversation)[-1]
    assert "parentRunId" not in run
    assert run["metadata"]["parent"] is None


def test_the_model_hears_nothing_of_the_other_branch(two: list[Turn]) -> None:
    again = edited(two[1], OTHER)
    texts = [
        block["text"]
        for message in history.messages(requests.past_turns(again), again.model)
        for block in message["content"]
        if "text" in block
    ]
    assert OTHER in texts
    assert QUESTION not in texts


def test_another_model_may_answer(two: list[Turn], settings: Settings) -> None:
    settings.GATEWAY_MODELS = ["cohere.command-r-v1:0", "other.model-v1"]
    again = regenerated(two[0].conversation, model="other.model-v1")
    assert (again.model, Round.objects.filter(turn=again).first().model) == ("other.model-v1",) * 2


def test_a_model_that_is_not_offered_is_refused(two: list[Turn]) -> None:
    with pytest.raises(Refused):
        engine.regenerate(two[0].conversation, model="nobody.v1")


def test_the_same_id_regenerates_once(two: list[Turn]) -> None:
    conversation, message_id = two[0].conversation, str(uuid.uuid4())
    regenerated(conversation, message_id=message_id)
    assert not engine.regenerate(conversation, message_id).is_new
    assert conversation.turns.count() == 3


def test_an_earlier_message_is_changed_on_a_branch_of_its_own(two: list[Turn]) -> None:
    first, second = two
    new = edited(first, "Good morning")
    assert (new.parent, message_of(new).content) == (None, [{"text": "Good morning"}])
    assert branch(first.conversation) == ids(new)
    following = ask(first.conversation, "help")
    assert following.parent == new
    assert Turn.objects.get(pk=second.pk).parent == first


def test_nothing_is_regenerated_while_a_turn_runs(conversation: Conversation, slow: threading.Event) -> None:
    with pytest.raises(Refused):
        engine.regenerate(conversation)


def test_an_edit_while_a_turn_runs_waits_its_turn(conversation: Conversation, slow: threading.Event) -> None:
    running = Turn.objects.get()
    message_id = str(uuid.uuid4())
    engine.edit(conversation, str(message_of(running).public_id), message_id, "help")
    assert Turn.objects.get(number=2).status == "queued"
    slow.set()
    assert engine.WORKER.wait(20)
    new = Turn.objects.get(number=2)
    assert (new.status, new.parent, branch(conversation)) == ("completed", None, ids(new))


# -- an edit while a turn runs


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


def turn_of(message_id: str) -> Turn:
    return Turn.objects.get(messages__public_id=message_id)


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


def test_the_first_message_of_several_may_be_asked_again(two: list[Turn]) -> None:
    conversation = two[0].conversation
    again = regenerated(conversation, message=str(message_of(two[0]).public_id))
    assert (again.parent, branch(conversation)) == (None, ids(again))
    engine.show_branch(conversation, str(two[0].pk))
    assert branch(conversation) == ids(*two)


# -- showing


def test_another_branch_is_shown_to_its_newest_end(two: list[Turn]) -> None:
    first, second = two
    conversation = first.conversation
    new = edited(first, "Good morning")
    engine.show_branch(conversation, str(first.pk))
    assert branch(conversation) == ids(first, second)
    assert ask(conversation, "help").parent == second
    engine.show_branch(conversation, str(new.pk))
    assert branch(conversation) == ids(new)


def test_what_is_shown_is_what_is_exported_and_asked_again(two: list[Turn]) -> None:
    conversation = two[0].conversation
    edited(two[1], OTHER)
    engine.show_branch(conversation, str(two[1].pk))
    conversation.refresh_from_db()
    texts = [
        block["text"]
        for message in document(conversation)["messages"]
        for block in message["content"]
        if "text" in block
    ]
    assert QUESTION in texts
    assert OTHER not in texts


def test_no_branch_is_shown_while_a_turn_runs(conversation: Conversation, slow: threading.Event) -> None:
    with pytest.raises(Refused):
        engine.show_branch(conversation, str(Turn.objects.get().pk))


@pytest.mark.parametrize("turn", ["", "x", None, 7, ["a"], str(uuid.UUID(int=7))], ids=str)
def test_a_turn_that_is_not_there_is_refused(two: list[Turn], turn: object) -> None:
    with pytest.raises(Refused):
        engine.show_branch(two[0].conversation, turn)


def test_a_page_that_reads_on_is_told_the_draft_and_which_branch_is_shown(two: list[Turn]) -> None:
    conversation = two[0].conversation
    assert aside(conversation, 7) == {}
    conversation.draft = "half a th"
    draft = {"turntable.draft": {"text": "half a th"}}
    assert aside(conversation, 7) == draft
    edited(two[1], OTHER)
    engine.show_branch(conversation, str(two[1].pk))
    assert aside(conversation, 7) == draft | {"turntable.branch": {"turn": str(two[1].pk)}}


@pytest.mark.parametrize("after", [None, 0])
def test_a_new_page_and_whoever_wants_the_record_alone_are_not(two: list[Turn], after: int | None) -> None:
    edited(two[1], OTHER)
    assert aside(two[0].conversation, after) == {}


def test_a_page_on_which_nothing_has_begun_is_told_the_draft_that_was_stored_since(
    conversation: Conversation,
) -> None:
    engine.keep_draft(conversation, "half a thou")
    assert aside(conversation, 0) == {"turntable.draft": {"text": "half a thou"}}
    assert aside(conversation, None) == {}


def aside(conversation: Conversation, after: int | None) -> dict[str, Any]:
    return {event["name"]: event["value"] for event in engine.first_notices(conversation, after, [])}


def test_older_messages_are_those_of_the_shown_branch(two: list[Turn]) -> None:
    conversation = two[0].conversation
    new = edited(two[1], OTHER)
    (newest, *_) = [m for m in page(conversation).messages if m["metadata"]["turn"] == str(new.pk)]
    assert {m["metadata"]["turn"] for m in page(conversation, newest["id"]).messages} == {str(two[0].pk)}


# -- the queue


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


# -- a call, once more


def test_a_call_is_run_again_without_a_model(two: list[Turn]) -> None:
    conversation, call = two[0].conversation, ToolCall.objects.get()
    started = engine.run_again(conversation, call.tool_use_id, str(uuid.uuid4()))
    assert engine.WORKER.wait(20)
    turn = Turn.objects.get(pk=started.turn.pk)
    again = turn.tool_calls.get()
    assert (turn.status, turn.rounds.count(), turn.total_tokens) == ("completed", 1, 0)
    assert (again.input, again.status, again.result) == (call.input, "success", call.result)
    assert again.tool_use_id != call.tool_use_id
    assert message_of(turn).content == [{"text": "Run top_song again."}]
    assert_valid_agui(record(conversation))
    assert ask(conversation, "help").status == "completed"


def test_with_other_arguments_it_is_said_which(two: list[Turn]) -> None:
    conversation, call = two[0].conversation, ToolCall.objects.get()
    engine.run_again(conversation, call.tool_use_id, str(uuid.uuid4()), {"sign": "WKRP"})
    assert engine.WORKER.wait(20)
    again = ToolCall.objects.order_by("created_at").last()
    assert (again.input, again.error) == ({"sign": "WKRP"}, "tool_error")
    assert message_of(again.turn).content == [{"text": 'Run top_song again with {"sign": "WKRP"}.'}]


@pytest.mark.parametrize("arguments", [["WKRP"], "WKRP", {}, {"station": "WKRP"}], ids=str)
def test_arguments_that_the_tool_does_not_take_are_refused(two: list[Turn], arguments: object) -> None:
    call = ToolCall.objects.get()
    with pytest.raises(Refused):
        engine.run_again(two[0].conversation, call.tool_use_id, str(uuid.uuid4()), arguments)
    assert two[0].conversation.turns.count() == 2


def test_a_call_of_another_conversation_is_not_there(two: list[Turn], other_user: User) -> None:
    call = ToolCall.objects.get()
    with pytest.raises(Refused):
        engine.run_again(conversation_of(other_user), call.tool_use_id, str(uuid.uuid4()))


def test_whoever_runs_a_call_again_lets_it_through(two: list[Turn]) -> None:
    call, ran = ToolCall.objects.get(), []

    def play(sign: str) -> None:
        ran.append(sign)
        raise ToolError("No.")

    with top_song_as(play, approval=True):
        engine.run_again(two[0].conversation, call.tool_use_id, str(uuid.uuid4()))
        assert engine.WORKER.wait(20)
    approval = Approval.objects.get()
    assert (ran, approval.status, approval.decided_by) == (["WZPZ"], "approved", two[0].user)


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


# -- through the socket


async def test_a_page_asks_edits_and_shows_through_its_socket(conversation: Conversation, user: User) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        question = await page.ask("Hello")
        first = (await page.until_end())[0]["runId"]
        await page.send({"type": "regenerate", "id": str(uuid.uuid4())})
        await page.until_end()
        await page.send(
            {"type": "edit", "message": question, "id": str(uuid.uuid4()), "text": "Good morning"}
        )
        assert (await page.until_end())[0]["metadata"]["parent"] is None
        await page.send({"type": "branch", "turn": first})
        notice = (await page.until("CUSTOM"))[-1]
        assert (notice["name"], notice["value"]) == ("turntable.branch", {"turn": first})
        await page.send({"type": "draft", "text": "half a th"})
        notice = (await page.until("CUSTOM"))[-1]
        assert (notice["name"], notice["value"]) == ("turntable.draft", {"text": "half a th"})
    async with page_of(user, conversation) as page:
        snapshot = await page.receive()
        assert [turn["id"] for turn in snapshot["metadata"]["turns"]] == [first]
        assert len(snapshot["metadata"]["turns"][0]["versions"]) == 3
        assert snapshot["metadata"]["totals"]["cohere.command-r-v1:0"]["rounds"] == 3
