"""The overview of a conversation's branches: turns, forks, the active branch, the way to another."""

import json
import random
import re
import uuid
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from conversations import engine
from conversations.errors import Refused
from conversations.models import Conversation, Message, Tree, Turn
from conversations.web.branches import Branch, Stem, branches
from conversations.web.excerpts import READ, text_of
from tests.pages import html_of
from tests.turns import ask, conversation_of

pytestmark = pytest.mark.django_db
NOWHERE = "6b95a221-5126-4deb-8a77-a4104e145dab"


def grown(user: User, parents: Sequence[int], head: int = 0, **fields: Any) -> Conversation:
    """A conversation whose turns have parents with these numbers, 0 for none; turn `head` is its head."""
    conversation = conversation_of(user, title="Turkeys")
    rows: dict[int, Turn] = {}
    for number, parent in enumerate(parents, 1):
        values = {"status": "completed", "model": conversation.model} | fields
        rows[number] = Turn(
            conversation=conversation, number=number, user=user, parent=rows.get(parent), **values
        )
    Turn.objects.bulk_create(rows.values())
    Message.objects.bulk_create(
        Message(conversation=conversation, turn=row, role="user", content=[{"text": f"question {number}"}])
        for number, row in rows.items()
    )
    Conversation.objects.filter(pk=conversation.pk).update(head=rows.get(head))
    return conversation


def address(conversation: Conversation) -> str:
    return f"/conversations/{conversation.pk}/tree/"


# -- the layout


def outlined(branch: Branch) -> list[Any]:
    """The numbers of a branch's turns, the branches inside it as lists."""
    outline: list[Any] = []
    for entry in (entry for stretch in branch for entry in stretch.entries):
        outline += [entry.turn.number, *map(outlined, entry.others)]
    return outline


def laid_out(parents: Sequence[int], end: int = 0) -> Branch:
    ids = [uuid.UUID(int=number) for number in range(1, len(parents) + 1)]
    stems = [
        Stem(ids[at], ids[parent - 1] if parent else None, at + 1, "completed", "m", None, "")  # type: ignore[arg-type]
        for at, parent in enumerate(parents)
    ]
    line = set()
    while end:
        line.add(ids[end - 1])
        end = parents[end - 1]
    return branches(stems, line)


def depth(branch: Branch) -> int:
    inside = [other for stretch in branch for entry in stretch.entries for other in entry.others]
    return 1 + max(map(depth, inside), default=0)


@pytest.mark.parametrize(
    ("parents", "end", "outline"),
    [
        ([], 0, []),
        ([0, 1, 2], 3, [1, 2, 3]),
        ([0, 1, 1], 3, [1, 3, [2]]),
        ([0, 1, 1], 2, [1, 2, [3]]),
        ([0, 0, 0], 2, [2, [1], [3]]),
        ([0, 1, 2, 1, 4], 5, [1, 4, [2, 3], 5]),
        ([0, 1, 1, 2, 3, 2, 6], 5, [1, 3, [2, 6, [4], 7], 5]),
    ],
)
def test_a_branch_goes_on_in_its_list_and_others_stand_inside(
    parents: list[int], end: int, outline: list[Any]
) -> None:
    assert outlined(laid_out(parents, end)) == outline


@given(st.lists(st.integers(0, 99), max_size=60), st.integers(0, 59))
def test_every_turn_is_there_once_whatever_the_tree(choices: list[int], end: int) -> None:
    parents = [choice % (at + 1) for at, choice in enumerate(choices)]
    end = min(end, len(parents))
    branch = laid_out(parents, end)
    flat = [int(number) for number in re.findall(r"\d+", str(outlined(branch)))]
    assert sorted(flat) == list(range(1, len(parents) + 1))
    entries = [entry for stretch in branch for entry in stretch.entries]
    line = [entry.turn.number for entry in entries if entry.is_shown]
    assert (line[-1:] or [0]) == [end]
    assert 2 ** max(0, depth(branch) - 2) <= max(1, len(parents))


def test_a_long_stretch_without_a_fork_is_folded_and_its_ends_are_not() -> None:
    stretches = laid_out([0, *range(1, 10)])
    assert [(len(stretch.entries), stretch.is_folded) for stretch in stretches] == [
        (1, False),
        (8, True),
        (1, False),
    ]
    assert not any(stretch.is_folded for stretch in laid_out([0, *range(1, 5)]))


# -- the page


def test_the_page_tells_of_each_turn_and_where_the_shown_branch_ends(client: Client, user: User) -> None:
    conversation = grown(user, [0, 1, 1], head=2)
    page = html_of(client, address(conversation))
    for number in (1, 2, 3):
        assert f'href="/conversations/{conversation.pk}/replay/#turn-{number}">question {number}</a>' in page
    assert page.count(f"{conversation.model} · <time") == page.count("</time> · completed<") == 3
    (current,) = re.findall(r'aria-current="true">\s*<a[^>]*>([^<]+)</a>', page)
    assert current == "question 2"
    third = conversation.turns.get(number=3)
    assert re.findall(r'<button name="turn" value="([^"]+)"', page) == [str(third.pk)]


def test_without_a_head_the_newest_turns_branch_is_the_shown_one(client: Client, user: User) -> None:
    page = html_of(client, address(grown(user, [0, 1, 1])))
    assert re.findall(r'aria-current="true">\s*<a[^>]*>([^<]+)</a>', page) == ["question 3"]


def test_a_message_that_waits_is_not_the_end_of_a_branch_whose_end_nobody_has_noted(user: User) -> None:
    conversation = grown(user, [0, 1, 0])
    conversation.turns.filter(number=3).update(status="queued")
    begun = conversation.turns.filter(number__lt=3).order_by("number").values_list("pk", flat=True)
    assert Tree.of(conversation.pk).active_line() == list(begun)


def test_an_empty_conversation_says_so(client: Client, user: User) -> None:
    assert "There are no turns yet." in html_of(client, address(conversation_of(user)))


def test_words_are_shown_as_they_are_and_no_longer_than_a_line(client: Client, user: User) -> None:
    conversation = grown(user, [0])
    Message.objects.update(content=[{"text": "\n<b>a</b>\u202e " + "word " * 10_000}])
    page = html_of(client, address(conversation))
    assert "&lt;b&gt;a&lt;/b&gt;[U+202E] word" in page
    assert len(page) < 8_000


def queue(conversation: Conversation, beside: Turn | None = None) -> Turn:
    """A turn that waits, on the shown branch or in another's place."""
    number = conversation.turns.count() + 1
    fields = {"status": "queued", "model": conversation.model, "beside": beside}
    turn = Turn.objects.create(conversation=conversation, number=number, user=conversation.owner, **fields)
    content = [{"text": f"question {number}"}]
    Message.objects.create(conversation=conversation, turn=turn, role="user", content=content)
    return turn


def test_a_message_in_the_queue_belongs_to_the_shown_branch(client: Client, user: User) -> None:
    conversation = grown(user, [0, 1], head=2)
    queue(conversation)
    page = html_of(client, address(conversation))
    assert "<button name" not in page
    assert page.count("queued") == 1


def test_turns_that_wait_are_where_they_will_begin(user: User) -> None:
    conversation = grown(user, [0, 1, 1], head=3)
    first, second, third = conversation.turns.order_by("number")
    following, edit = queue(conversation), queue(conversation, beside=second)
    behind = queue(conversation)
    tree = Tree.of(conversation.pk)
    places = [tree.nodes[turn.pk].parent for turn in (following, edit, behind)]
    assert places == [third.pk, first.pk, edit.pk]
    assert tree.active_line() == [first.pk, third.pk]
    assert tree.end(third.pk) == following.pk
    assert tree.versions(third.pk) == [second.pk, third.pk]


def test_what_was_queued_before_an_update_waits_for_its_place_after_it(user: User) -> None:
    conversation = grown(user, [0, 1, 2, 0, 4], head=5)
    turns = conversation.turns.order_by("number")
    turns.filter(number__gt=2).update(status="queued")
    migration = import_module("conversations.migrations.0006_queued_turns_without_a_place")
    migration.take_places_back(apps, None)
    first, second, following, edit, behind = turns
    conversation.refresh_from_db()
    assert conversation.head == second
    assert [turn.parent for turn in turns] == [None, first, None, None, None]
    assert [turn.beside for turn in turns] == [None, None, None, first, None]
    tree = Tree.of(conversation.pk)
    places = [tree.nodes[turn.pk].parent for turn in (following, edit, behind)]
    assert places == [second.pk, None, edit.pk]


def reworded(conversation: Conversation, *questions: str) -> None:
    """Gives the turns these questions."""
    for number, question in enumerate(questions, 1):
        rows = Message.objects.filter(conversation=conversation, turn__number=number, role="user")
        rows.update(content=[{"text": question}])


def test_of_a_changed_question_the_words_that_differ_are_marked(client: Client, user: User) -> None:
    conversation = grown(user, [0, 1, 1, 1], head=2)
    reworded(
        conversation, "Hi", "What is <b>new</b> today?", "What is old today?", "What is <b>new</b> today?"
    )
    page = html_of(client, address(conversation))
    assert (
        "Differs from turn 2: </span>What is <del>&lt;b&gt;new&lt;/b&gt;</del><ins>old</ins> today?" in page
    )
    assert (page.count("<del>"), page.count("Turn 2, asked again")) == (1, 1)
    assert 'aria-label="Other versions of turn 2"' in page


def test_a_difference_far_into_a_long_question_is_shown_with_the_words_around_it(
    client: Client, user: User
) -> None:
    conversation = grown(user, [0, 0], head=1)
    verse = " ".join(f"la{number}" for number in range(2_000))
    reworded(conversation, f"{verse} one {verse}", f"{verse} two {verse}")
    page = html_of(client, address(conversation))
    assert " la1999 <del>one</del><ins>two</ins> la0 " in page
    assert page.count("la1000") == 0


def test_the_beginning_of_the_answer_stands_under_its_question(client: Client, user: User) -> None:
    conversation = grown(user, [0])
    for content in (
        [{"text": "I look it up."}],
        [{"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "It is\nElemental Hotel."}],
        [{"toolUse": {"toolUseId": "t1", "name": "top_song", "input": {}}}],
    ):
        turn = conversation.turns.get()
        Message.objects.create(conversation=conversation, turn=turn, role="assistant", content=content)
    page = html_of(client, address(conversation))
    assert "Answer: </span>It is Elemental Hotel.</p>" in page
    assert "I look it up." not in page


@pytest.mark.parametrize("cut", range(READ - 20, READ))
def test_of_a_long_message_only_the_beginning_is_read_wherever_that_ends(cut: int) -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "Secret"}}}
    text = ("x" * (cut - 107)) + '"\\\N{GRINNING FACE}é' * 100
    stored = json.dumps([thought, {"text": text}], separators=(",", ":"))
    read = text_of(stored[:READ])
    assert text.startswith(read.rstrip("\N{REPLACEMENT CHARACTER}"))
    assert len(read) > READ - 250


def test_choosing_a_branch_shows_it(client: Client, user: User) -> None:
    conversation = grown(user, [0, 1, 1, 3], head=2)
    end = conversation.turns.get(number=4)
    answer = client.post(address(conversation), {"turn": str(end.pk)})
    assert (answer.status_code, answer.get("Location")) == (302, f"/conversations/{conversation.pk}/")
    conversation.refresh_from_db()
    assert conversation.head == end


@pytest.mark.parametrize("status", ["running", "waiting", "queued"])
def test_while_a_turn_is_open_the_branch_stays(client: Client, user: User, status: str) -> None:
    conversation = grown(user, [0, 1, 1], head=3)
    Turn.objects.filter(number=3).update(status=status)
    other = conversation.turns.get(number=2)
    answer = client.post(address(conversation), {"turn": str(other.pk)})
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (409, True)
    conversation.refresh_from_db()
    assert conversation.head != other


def test_why_a_branch_cannot_be_shown_is_told(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object) -> None:
        raise Refused("Not while <it> runs.")

    monkeypatch.setattr(engine, "show_branch", refusing)
    conversation = grown(user, [0])
    answer = client.post(address(conversation), {"turn": str(conversation.turns.get().pk)})
    assert (answer.status_code, "Not while &lt;it&gt; runs." in answer.content.decode()) == (409, True)


@pytest.mark.parametrize("turn", ["", "x", NOWHERE, "theirs"])
def test_a_turn_that_is_not_of_the_conversation_is_not_there(
    client: Client, user: User, other_user: User, turn: str
) -> None:
    theirs = grown(other_user, [0]).turns.get().pk
    conversation = grown(user, [0])
    key = str(theirs) if turn == "theirs" else turn
    assert client.post(address(conversation), {"turn": key}).status_code == 404


def test_the_page_takes_as_many_queries_for_many_turns_as_for_few(client: Client, user: User) -> None:
    counts = []
    for parents in ([0], [0, *(number // 2 for number in range(2, 200))]):
        conversation = grown(user, parents)
        with CaptureQueriesContext(connection) as statements:
            html_of(client, address(conversation))
        counts.append(len(statements))
    assert counts[0] == counts[1] < 12


@pytest.mark.large
@pytest.mark.parametrize("shape", ["deep", "bushy", "wide", "even", "any"])
def test_a_large_tree_is_shown_whole(client: Client, user: User, shape: str) -> None:
    chance = random.Random(7)
    parents = {
        "deep": [0, *range(1, 2_000)],
        "bushy": [0, *(number - number % 2 for number in range(1, 2_000))],
        "wide": [0] * 2_000,
        "even": [0, *(number // 2 for number in range(2, 2_001))],
        "any": [chance.randrange(number) for number in range(1, 2_001)],
    }[shape]
    conversation = grown(user, parents)
    page = html_of(client, address(conversation))
    assert page.count("#turn-") == 2_000


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_real_turn_leads_to_its_playback(client: Client, user: User) -> None:
    conversation = conversation_of(user)
    ask(conversation, "What is the most popular song on WZPZ?")
    page = html_of(client, address(conversation))
    assert "What is the most popular song on WZPZ?" in page
    assert f'href="/conversations/{conversation.pk}/replay/#turn-1"' in page
