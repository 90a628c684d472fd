"""What a turn has used at least where no gateway reported it: it is stopped, or breaks off."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import limits
from conversations.gateway.frames import encode
from conversations.journal.hub import HUB
from conversations.models import Conversation, Round, Turn, prices, totals
from tests.gateway.wire import Answer, End, WireServer, answer_frames
from tests.listeners import At
from tests.pages import address_of, html_of, list_address
from tests.turns import ask, of_type, record

pytestmark = pytest.mark.django_db(transaction=True)


def stopped_at(kind: str, conversation: Conversation, settings: Settings, *frames: bytes) -> Turn:
    """A turn that is stopped at an event of its, behind which no frame comes."""
    HUB.attach(None)
    stopping = At(kind, lambda: engine.stop(conversation.pk))
    HUB.subscribe(conversation.pk, stopping)
    with WireServer([Answer.stream(*frames, terminated=False, end=End.STALL)]) as server:
        settings.GATEWAY_URL = server.url
        turn = ask(conversation, "hello")
    HUB.unsubscribe(conversation.pk, stopping)
    assert turn.status == Turn.Status.STOPPED
    return turn


def test_a_turn_whose_usage_is_not_reported_counts_with_its_text(
    conversation: Conversation, settings: Settings
) -> None:
    settings.GATEWAY_PRICES = {
        conversation.model: dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), 10**6)
    }
    settings.USER_TOKENS_PER_DAY = 10**6
    with WireServer([Answer.stream(*answer_frames("12345678", usage=False))]) as server:
        settings.GATEWAY_URL = server.url
        turn = ask(conversation, "hello")
    row = turn.rounds.get()
    assert (row.usage, row.input_tokens, row.output_tokens, row.total_tokens) == ({}, 0, 2, 2)
    assert (turn.usage, turn.output_tokens, turn.total_tokens) == ({}, 2, 2)
    (finished,) = of_type(record(conversation), "STEP_FINISHED")
    assert finished["metadata"]["usage"] == {}
    used = totals(conversation.pk)
    assert (used[turn.model]["unreported"], prices.cost_of_all(used)) == (1, (2, []))
    assert limits.facts(conversation, turn.pk).tokens_in_a_day == 2


def test_the_admin_says_that_a_stopped_turn_has_used_at_least_so_much(
    conversation: Conversation, settings: Settings, admin_client: Client
) -> None:
    delta = {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "a" * 4_936}}}
    begun = encode("contentBlockDelta", delta)
    turn = stopped_at("REASONING_MESSAGE_CONTENT", conversation, settings, begun)
    assert (turn.usage, turn.total_tokens) == ({}, 1_234)
    for url in (list_address(Turn), list_address(Round), address_of(conversation)):
        assert "at least 1,234<" in html_of(admin_client, url)


def test_the_admin_has_a_dash_where_nothing_came(
    conversation: Conversation, settings: Settings, admin_client: Client
) -> None:
    stopped_at("STEP_STARTED", conversation, settings)
    for url in (list_address(Turn), list_address(Round)):
        assert '<td class="field-tokens">-</td>' in html_of(admin_client, url)
