"""A rerun beside the recorded conversation: many turns take as many queries as few."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine.synthetic import NOT_RECORDED
from conversations.models import Conversation
from conversations.rerun.answers import answer, answers
from conversations.rerun.comparing import comparison
from tests.pages import html_of, query_count
from tests.reruns import conversation_with, rerun_of
from tests.turns import QUESTION, ask, conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


@pytest.fixture(autouse=True)
def no_limit(settings: Settings) -> None:
    settings.USER_TURNS_PER_MINUTE = 0


def page_of_a_rerun(user: User, *texts: str) -> str:
    """The address of the comparison of a rerun whose first call was not in the record."""
    conversation = conversation_with(user, *texts)
    rerun_of(conversation)
    rerun = conversation.reruns.get()
    call = rerun.tool_calls.earliest("created_at")
    rerun.tool_calls.filter(turn=call.turn).update(error=NOT_RECORDED)
    return f"/conversations/{rerun.pk}/compare/"


def test_the_page_takes_as_many_queries_for_many_turns_as_for_few(client: Client, user: User) -> None:
    client.force_login(user)
    few, many = (page_of_a_rerun(user, *(QUESTION, "show parallel calls") * half) for half in (1, 6))
    assert html_of(client, many).count("not in the record: top_song") == 1
    assert "Turn 12: show parallel calls" in html_of(client, many)
    assert query_count(client, few) == query_count(client, many)


def test_turns_of_all_branches_are_read_as_each_alone(user: User) -> None:
    conversation = conversation_with(user, QUESTION, "show parallel calls", "show reused id")
    second = conversation.turns.get(number=2)
    engine.edit(conversation, str(second.messages.get(role="user").public_id), str(uuid.uuid4()), QUESTION)
    ask(conversation, "show the conversation")
    rows = list(conversation.turns.all())
    assert len({row.parent_id for row in rows}) < len(rows)
    assert answers(rows) == {row.pk: answer(row) for row in rows}


def test_thoughts_that_a_model_wrote_into_its_text_are_not_compared(user: User) -> None:
    turn = conversation_with(user, "help").turns.get()
    message = turn.messages.get(role="assistant")
    message.content = [{"text": "<thinking>They need help.</thinking>\n\nHere it is."}]
    message.save()
    assert answer(turn).text == "Here it is."


def test_what_has_not_been_asked_again_is_counted(user: User) -> None:
    conversation = conversation_with(user, "help", QUESTION, "help")
    rerun_of(conversation, numbers=range(1, 3))
    pairs, unasked = comparison(conversation.reruns.get())
    assert [pair.question.number for pair in pairs] == [1, 2]
    assert unasked == 1


def test_a_conversation_that_is_no_rerun_has_nothing_beside_it(user: User) -> None:
    assert comparison(conversation_of(user)) == ([], 0)


def test_a_rerun_of_a_conversation_without_turns_has_nothing_to_show(user: User) -> None:
    first = conversation_of(user)
    rerun = Conversation.objects.create(owner=user, model=first.model, rerun_of=first)
    assert comparison(rerun) == ([], 0)
