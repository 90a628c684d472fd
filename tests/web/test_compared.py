"""A rerun beside its original: the words, calls and figures that differ, side by side."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from conversations.models import Conversation, ToolCall
from conversations.web import measures
from conversations.web.compared import FOLDED, Call, call_pairs, stretches
from tests.pages import html_of
from tests.reruns import conversation_with, rerun_of
from tests.turns import QUESTION

TEXTS = st.lists(st.sampled_from(["la ", "lum ", "\n", "Señora ", "天", "la " * FOLDED]), max_size=12).map(
    "".join
)


def call(name: str = "top_song", **changed: str) -> Call:
    """A call, but for what is changed."""
    return Call(name, "{}", "success", "found", "d")._replace(**changed)


@given(TEXTS, TEXTS)
def test_the_stretches_add_up_to_both_texts_and_only_what_is_the_same_is_folded(old: str, new: str) -> None:
    parts = stretches(old, new)
    for side, text in (("old", old), ("new", new)):
        sides = (part.folded or "".join(getattr(change, side) for change in part.changes) for part in parts)
        assert "".join("".join(sides).split()) == "".join(text.split())
    assert all(part.words >= FOLDED for part in parts if part.folded)


def test_lines_that_differ_stand_apart_from_those_that_do_not() -> None:
    parts = stretches("One\nTwo\nThree and four\n", "One\nTwo\nThree or four\n")
    assert [part.same for part in parts] == [True, False]
    assert [change.old for change in parts[0].changes] == ["One\n", "Two\n"]


def test_calls_of_one_tool_stand_beside_each_other_and_say_what_differs() -> None:
    old = [call("a"), call("b"), call("c")]
    new = [call("a", arguments='{"x": 1}', digest="e"), call("c", status="error"), call("d")]
    pairs = [(pair.name, pair.differs) for pair in call_pairs(old, new)]
    assert pairs == [
        ("a", "differs in arguments, result"), ("b", "only in the original"),
        ("c", "differs in outcome"), ("d", "only asked again"),
    ]  # fmt: skip
    assert next(call_pairs(old, old)).differs == ""


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        ({"Tokens in": 1_000}, {"Tokens in": 1_200}, ("1,000", "1,200", "+200")),
        ({"Tokens in": 5}, {"Tokens in": 5}, ("5", "5", "")),
        ({"Time": 65_000}, {"Time": 900}, ("1 min 5 s", "900 ms", "\N{MINUS SIGN}1 min 4 s")),
        ({"Time": None}, {"Time": 1_400}, ("\N{EN DASH}", "1.4 s", "\N{EN DASH}")),
        (
            {"Cost": Decimal("0.5")},
            {"Cost": Decimal("0.25")},
            ("0.50 USD", "0.25 USD", "\N{MINUS SIGN}0.25 USD"),
        ),
    ],
)
def test_a_row_of_figures_has_both_and_their_difference(
    old: dict[str, Any], new: dict[str, Any], row: tuple[str, ...]
) -> None:
    nothing = dict.fromkeys(measures.KINDS)
    [figures] = measures.table(nothing | old, nothing | new)
    assert (figures.old, figures.new, figures.difference) == row


def test_a_sum_with_something_unknown_is_unknown() -> None:
    one = dict.fromkeys(measures.KINDS, 1)
    assert measures.total([one, one])["Time"] == 2
    assert measures.total([one, one | {"Time": None}])["Time"] is None


def changed(rerun: Conversation) -> None:
    """Changes the first answer and the result of the first call."""
    message = rerun.messages.filter(role="assistant").order_by("pk")[1]
    message.content = [{"text": "The most popular song on WZPZ is <b>Blue Moon</b>."}]
    message.save()
    ToolCall.objects.filter(conversation=rerun).update(result=[{"json": {"song": "Blue Moon"}}])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_the_page_marks_what_differs_in_two_columns_and_sums_up(
    client: Client, user: User, settings: Settings
) -> None:
    settings.USER_TURNS_PER_MINUTE = 0
    conversation = conversation_with(user, QUESTION, "show a long answer")
    model = conversation.model
    settings.GATEWAY_PRICES = {
        model: dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), Decimal(10))
    }
    rerun_of(conversation)
    rerun = conversation.reruns.get()
    changed(rerun)
    page = html_of(client, f"/conversations/{rerun.pk}/compare/")
    old, new = page.split("<del>", 1)[1].split("<ins>", 1)
    assert "Elemental" in old
    assert "&lt;b&gt;Blue Moon&lt;/b&gt;.</ins>" in new
    assert "<code>top_song</code> differs in result" in page
    assert page.count('<details class="call" open>') == 1
    assert " words the same in both</summary>" in page
    assert page.count("<caption>Tokens, time and cost</caption>") == 2
    assert page.count('<th scope="row">Cost</th>') == 3
