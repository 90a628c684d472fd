"""Bedrock's own streams, recorded, played back and asked again from their fixture."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations.models import Conversation, Message
from conversations.protocol.thoughts import parts_of
from conversations.rerun.testing import assert_same
from conversations.tools import registry
from tests.commands import command
from tests.gateway.wire import Answer, WireServer, answer_frames
from tests.protocol.recorded import SETS, Stream, params
from tests.recorded_streams import SEVERAL_ROUNDS, questions, recorded_tools, response_of
from tests.reruns import fixture_of, rerun_of
from tests.turns import ask, conversation_of

SINGLE = [rounds[0] for rounds in SETS.values() if len(rounds) == 1]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


def check(conversation: Conversation, folder: Path, settings: Settings) -> None:
    """Checks that it is played back whole and that nothing differs from its fixture, without a gateway."""
    settings.GATEWAY_URL = "http://127.0.0.1:9"
    code, out, err = command("replay", str(conversation.pk), "--speed", "0")
    assert (code, err) == (0, "")
    texts = [block["text"] for row in Message.objects.all() for block in row.content if "text" in block]
    parts = [part.text for text in texts for part in parts_of(text)]
    assert all("".join(part.split()) in "".join(out.split()) for part in parts)
    assert "<thinking>" not in out
    assert_same(fixture_of(conversation, folder))


@pytest.mark.parametrize("stream", params(SINGLE))
def test_a_recorded_stream_is_played_back_and_asked_again(
    user: User, settings: Settings, stream: Stream, tmp_path: Path
) -> None:
    settings.GATEWAY_RETRIES = 1
    conversation = conversation_of(user, model=stream.model)
    last_answer = Answer.stream(*answer_frames("Done."))
    with registry.override():
        with WireServer([response_of(stream), last_answer]) as server:
            settings.GATEWAY_URL = server.url
            ask(conversation, "Go on.")
        check(conversation, tmp_path, settings)


@pytest.mark.parametrize("rounds", params(SEVERAL_ROUNDS))
def test_a_recorded_set_is_played_back_and_asked_again(
    user: User, settings: Settings, rounds: list[Stream], tmp_path: Path
) -> None:
    conversation = conversation_of(user, model=rounds[0].model)
    with recorded_tools(rounds):
        with WireServer([response_of(stream) for stream in rounds]) as server:
            settings.GATEWAY_URL = server.url
            for question in questions(rounds[-1].request["messages"]):
                ask(conversation, question)
            server.play(*(response_of(stream) for stream in rounds))
            assert [pair.differs for pair in rerun_of(conversation)] == [[]] * conversation.turns.count()
        check(conversation, tmp_path, settings)
