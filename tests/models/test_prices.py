"""What tokens cost: exact sums, by model, and what the chat page is given to count on from."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from conversations.models import Conversation, Model, Round, prices, totals
from tests.pages import full_conversation

pytestmark = pytest.mark.django_db
SONNET = {
    "input": Decimal(3),
    "output": Decimal(15),
    "cacheRead": Decimal("0.3"),
    "cacheWrite": Decimal("3.75"),
}
HOSTILE = "</div><script>alert(1)</script>&amp;\"'"


@pytest.fixture(autouse=True)
def priced() -> Iterator[None]:
    with override_settings(GATEWAY_PRICES={"sonnet": SONNET}, PRICE_CURRENCY="EUR"):
        yield


@pytest.fixture
def conversation(user: User) -> Conversation:
    """Three rounds: two with a model that has a price, one with one that has none."""
    row = full_conversation(user)
    for _ in range(2):
        full_conversation(user, within=row)
    used(row, 1, "sonnet", input_tokens=1_000, output_tokens=200, cache_read_tokens=50_000)
    used(row, 2, "sonnet", input_tokens=1, output_tokens=1, cache_write_tokens=10)
    used(row, 3, "other", input_tokens=7)
    return row


def used(conversation: Conversation, turn: int, model: str, **tokens: int) -> None:
    Round.objects.filter(turn__conversation=conversation, turn__number=turn).update(model=model, **tokens)


def test_a_cost_is_exact() -> None:
    assert prices.cost("sonnet", {"inputTokens": 1, "outputTokens": 1}) == Decimal("0.000018")
    all_kinds = {
        "inputTokens": 10**6, "outputTokens": 10**6, "cacheReadInputTokens": 10**6, "cacheWriteInputTokens": 10**6,
    }  # fmt: skip
    assert prices.cost("sonnet", all_kinds) == Decimal("22.05")
    assert prices.cost("sonnet", {"inputTokens": 10**15}) == 3 * 10**9


def test_a_model_without_a_price_has_no_cost() -> None:
    assert prices.cost("other", {"inputTokens": 1}) is None


def test_a_cost_is_by_the_price_that_staff_have_set() -> None:
    Model.objects.create(model_id="sonnet", output_price=20)
    Model.objects.create(model_id="no-longer-offered", input_price=1, output_price=2)
    assert prices.cost("sonnet", {"inputTokens": 1, "outputTokens": 1}) == Decimal("0.000023")
    assert set(prices.as_json()) == {"sonnet", "no-longer-offered"}


def test_totals_are_those_of_all_rounds_by_model(conversation: Conversation, user: User) -> None:
    full_conversation(user)
    assert totals(conversation.pk) == {
        "other": {"inputTokens": 7, "outputTokens": 0, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0, "rounds": 1},
        "sonnet": {
            "inputTokens": 1_001, "outputTokens": 201, "cacheReadInputTokens": 50_000, "cacheWriteInputTokens": 10,
            "rounds": 2,
        },
    }  # fmt: skip


def test_a_round_under_way_is_not_counted_yet(conversation: Conversation) -> None:
    Round.objects.filter(turn__number=3).update(status="running")
    assert set(totals(conversation.pk)) == {"sonnet"}


def test_a_conversation_costs_what_its_models_cost_and_says_which_have_no_price(
    conversation: Conversation,
) -> None:
    cost = prices.cost_of_all(totals(conversation.pk))
    assert cost == (Decimal("0.0210555"), ["other"])


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00 EUR"), ("12.3456", "12.35 EUR"), ("1234567.891", "1,234,567.89 EUR"), ("0.5", "0.50 EUR"),
        ("0.0210555", "0.021 EUR"), ("0.000018", "0.000018 EUR"), ("1", "1.00 EUR"),
    ],
)  # fmt: skip
def test_an_amount_is_as_long_as_it_needs_to_be(amount: str, text: str) -> None:
    assert prices.as_text(Decimal(amount)) == text


def test_the_page_is_given_what_its_script_counts_on_from(
    client: Client, user: User, conversation: Conversation
) -> None:
    Conversation.objects.update(draft=HOSTILE)
    client.force_login(user)
    answer = client.get(f"/conversations/{conversation.pk}/")
    assert answer.status_code == 200
    context = answer.context
    assert json.loads(context["prices"]) == {
        "sonnet": {"input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75}
    }
    assert json.loads(context["totals"])["other"]["inputTokens"] == 7
    assert json.loads(context["models"]) == ["cohere.command-r-v1:0"]
    assert (context["currency"], context["draft"]) == ("EUR", HOSTILE)
    assert "<script>alert" not in answer.content.decode()
