"""A model titles a conversation after its first answer, if the site wants it and no person has."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine.titles import title_in
from conversations.errors import Throttled
from conversations.models import Conversation, Titling, UsageTotal, retention, title_usage
from tests.conditions import until
from tests.gateway.wire import Answer, Request, WireServer, answer_frames
from tests.turns import ask

pytestmark = pytest.mark.django_db(transaction=True)
SONG = "What is the most popular song on WZPZ?"


@pytest.fixture(autouse=True)
def title_model(settings: Settings) -> None:
    settings.TITLE_MODEL = "small.model-v1"


def titled(conversation: Conversation) -> Titling:
    until(Titling.objects.filter(conversation=conversation).exists)
    conversation.refresh_from_db()
    return Titling.objects.get(conversation=conversation)


@pytest.mark.usefixtures("gateway")
def test_the_model_of_the_setting_titles_a_conversation_once_and_its_usage_is_kept(
    conversation: Conversation, settings: Settings
) -> None:
    ask(conversation, SONG)
    row = titled(conversation)
    assert conversation.title == row.title == "Popular song WZPZ"
    assert row.model == "small.model-v1"
    assert row.total_tokens == row.usage["totalTokens"] > 0
    assert title_usage(conversation.pk)["small.model-v1"]["outputTokens"] == row.output_tokens
    ask(conversation, "hello")
    conversation.refresh_from_db()
    assert conversation.title == "Popular song WZPZ"


@pytest.mark.usefixtures("gateway")
def test_its_tokens_count_for_the_day_and_stay_when_the_conversation_goes(
    conversation: Conversation, settings: Settings
) -> None:
    turn = ask(conversation, SONG)
    tokens = titled(conversation).total_tokens
    settings.MAX_TOKENS = 1000
    settings.USER_TOKENS_PER_DAY = turn.total_tokens + tokens + 999
    with pytest.raises(Throttled):
        engine.start(conversation.pk, str(conversation.pk), "hello")
    settings.USER_TOKENS_PER_DAY += 1
    ask(conversation, "hello")
    list(retention.prune(timezone.now() + timedelta(minutes=1)))
    assert UsageTotal.objects.get(model="small.model-v1").total_tokens == tokens


def test_the_request_is_small_and_holds_the_beginning_of_both_sides(
    conversation: Conversation, settings: Settings
) -> None:
    settings.TITLE_PROMPT = "Name it."
    requests: list[Request] = []

    def answer(request: Request) -> Answer:
        requests.append(request)
        return Answer.stream(*answer_frames("The answer." if len(requests) == 1 else "**A title.**"))

    with WireServer([answer]) as server:
        settings.GATEWAY_URL = server.url
        ask(conversation, "a" * 5_000)
        assert titled(conversation).title == "A title"
    body = json.loads(requests[1].body)
    assert body["system"] == [{"text": "Name it."}]
    assert body["inferenceConfig"]["maxTokens"] <= 300
    assert "toolConfig" not in body
    text = body["messages"][0]["content"][0]["text"]
    assert text.count("a" * 2_000) == 1
    assert "a" * 2_001 not in text
    assert text.endswith("\n\nAssistant: The answer.\n</conversation>")


@pytest.mark.parametrize("own", [{"title": "Mine"}, {"title": "", "has_own_title": True}])
@pytest.mark.usefixtures("gateway")
def test_a_title_that_a_person_gave_stays_and_no_model_is_asked(
    conversation: Conversation, own: dict[str, object]
) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(**own)
    before = ask(conversation, SONG)
    assert engine.WORKER.wait_for(before.pk, 20)
    ask(conversation, "hello")
    conversation.refresh_from_db()
    assert conversation.title == (own["title"] or SONG)
    assert not Titling.objects.exists()


def test_a_title_that_a_person_gives_while_the_model_is_asked_stays(
    conversation: Conversation, settings: Settings
) -> None:
    requests: list[Request] = []

    def answer(request: Request) -> Answer:
        requests.append(request)
        if len(requests) == 2:
            Conversation.objects.filter(pk=conversation.pk).update(title="Mine", has_own_title=True)
        return Answer.stream(*answer_frames("Another"))

    with WireServer([answer]) as server:
        settings.GATEWAY_URL = server.url
        ask(conversation, SONG)
        assert titled(conversation).title == "Another"
    assert conversation.title == "Mine"


def test_a_gateway_that_fails_leaves_the_first_words_and_the_turn_as_it_was(
    conversation: Conversation, settings: Settings
) -> None:
    requests: list[Request] = []

    def answer(request: Request) -> Answer:
        requests.append(request)
        return (
            Answer.stream(*answer_frames("Hello."))
            if len(requests) == 1
            else Answer.error(503, {"message": "busy"})
        )

    with WireServer([answer]) as server:
        settings.GATEWAY_URL = server.url
        assert ask(conversation, SONG).status == "completed"
        assert titled(conversation).error_code == "gateway_failed"
    assert conversation.title == SONG
    assert len(requests) == 2


@pytest.mark.usefixtures("gateway")
def test_without_the_setting_no_model_is_asked(
    conversation: Conversation, settings: Settings, user: User
) -> None:
    settings.TITLE_MODEL = ""
    ask(conversation, SONG)
    ask(conversation, "hello")
    assert not Titling.objects.exists()


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Popular songs", "Popular songs"),
        ("\n\n# Title: Popular songs.\n\nIt names the topic.", "Popular songs"),
        ("**“Popular songs”**", "Popular songs"),
        ("<think>Six words at most.</think>\n\nPopular songs", "Popular songs"),
        ("“Flight” and others", "“Flight” and others"),
        ("word " * 40, "word " * 11 + "word…"),
        ("\ud800", "\ufffd"),
        ("", ""),
        ("** **", ""),
    ],
)
def test_of_an_answer_the_title_alone_is_taken(answer: str, title: str) -> None:
    assert title_in(answer) == title
