"""A conversation is a tree of turns: asking again, editing, taking back, and showing a branch."""

import threading
import uuid
from typing import Any

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import requests
from conversations.errors import Refused
from conversations.exports.whole import document
from conversations.journal import page
from conversations.models import Conversation, Round, Turn
from conversations.protocol.converse import history
from tests.engine.branches import OTHER, branch, edited, ids, message_of, regenerated, versions
from tests.sockets.pages import page_of
from tests.turns import QUESTION, ask, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


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
