"""A conversation's snapshot: the newest messages that fit, older ones page by page, and the queue."""

import json
import uuid
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from conversations.journal import Page, last_seq, one_snapshot, pack, page, reading
from conversations.journal.hub import unnumbered_frame
from conversations.journal.reading import SNAPSHOT_BYTES, queue
from conversations.journal.recordings import squeeze
from conversations.models import Conversation, Message, Recording, RequestBase, Round, Turn
from conversations.protocol.agui import events
from tests.records import answering, delta, finished, open_record, opening, running
from tests.resources import elsewhere
from tests.sockets.pages import page_of
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1024 * 1024
SLACK = 8 * 1024


def texts(snapshot: Page) -> list[str]:
    return [message.get("content", "") for message in snapshot.messages]


def frame_of(snapshot: Page) -> bytes:
    """The page as a socket is sent it."""
    return unnumbered_frame(snapshot.event()).encode()


def pages(conversation: Conversation) -> list[Page]:
    """The newest page and all that come before it."""
    snapshots = [page(conversation)]
    while snapshots[-1].before:
        snapshots.append(page(conversation, snapshots[-1].before))
    return snapshots


def test_an_empty_conversation_has_an_empty_page(conversation: Conversation) -> None:
    assert page(conversation) == Page(0)


@pytest.mark.parametrize("packed", [(), (1,), (2,), (1, 3), (1, 2, 3)])
def test_a_page_is_whole_whichever_turns_are_packed(
    conversation: Conversation, packed: tuple[int, ...]
) -> None:
    turns = {number: finished(conversation, number, f"ask {number}", f"say {number}") for number in (1, 2, 3)}
    for number in packed:
        pack(turns[number])
    snapshot = page(conversation)
    assert texts(snapshot) == ["ask 1", "say 1", "ask 2", "say 2", "ask 3", "say 3"]
    assert [turn["id"] for turn in snapshot.turns] == [str(turns[number].pk) for number in (1, 2, 3)]
    assert (snapshot.seq, snapshot.before) == (last_seq(conversation.pk), None)


SIZES = [
    [(10, 20)] * 4,
    [(100_000, 200_000)] * 6,
    [(10, 600_000), (10, 10), (300_000, 300_000), (10, 10)],
    [(10, 400_000), (400_000, 10), (10, 400_000)],
    [(250_000, 250_000), (10, SNAPSHOT_BYTES), (10, 10)],
]


@pytest.mark.parametrize("sizes", SIZES)
def test_paging_back_reaches_the_first_message_with_nothing_twice_or_missing(
    conversation: Conversation, sizes: list[tuple[int, int]]
) -> None:
    for number, (question, answer) in enumerate(sizes, 1):
        pack(finished(conversation, number, "é" * (question // 2), "a" * answer))
    snapshots = pages(conversation)
    ids = [message["id"] for snapshot in reversed(snapshots) for message in snapshot.messages]
    turns = Turn.objects.order_by("number").values_list("number", "pk")
    assert ids == [name for number, pk in turns for name in (f"user:{number}", f"{pk}:1:0")]
    for snapshot in snapshots:
        assert {message["metadata"]["turn"] for message in snapshot.messages} == {
            turn["id"] for turn in snapshot.turns
        }
        assert len(frame_of(snapshot)) < SNAPSHOT_BYTES + SLACK


def test_a_page_holds_as_many_messages_as_fit(conversation: Conversation) -> None:
    for number in range(1, 9):
        pack(finished(conversation, number, "q" * 100_000, "a"))
    newest, older = pages(conversation)
    assert [len(text) for text in texts(newest)] == [1, *[100_000, 1] * 5]
    assert [len(text) for text in texts(older)] == [100_000, 1, 100_000, 1, 100_000]
    assert newest.before == newest.messages[0]["id"]
    assert newest.event()["metadata"]["before"] == newest.before


def test_a_page_before_an_unknown_message_is_empty(conversation: Conversation) -> None:
    pack(finished(conversation, 1))
    assert page(conversation, "nobody").messages == page(conversation, "user:1").messages == []


@pytest.mark.parametrize("letter", ["a", "\N{GRINNING FACE}", "\x01", '"'])
def test_a_message_too_large_for_any_page_is_cut_at_its_front_and_marked(
    conversation: Conversation, letter: str
) -> None:
    text = "front" + letter * SNAPSHOT_BYTES + "end"
    pack(finished(conversation, 1, "hi", text))
    snapshot = page(conversation)
    (message,) = snapshot.messages
    assert message["metadata"]["cut"] is True
    assert text.endswith(message["content"])
    assert len(message["content"]) > 10_000
    assert len(frame_of(snapshot)) <= SNAPSHOT_BYTES + SLACK
    assert texts(page(conversation, snapshot.before)) == ["hi"]


def test_a_tool_calls_arguments_too_large_for_any_page_are_cut_too(conversation: Conversation) -> None:
    turn = running(conversation)
    call = {"toolCallId": "one"}
    arguments = [{"type": "TOOL_CALL_ARGS", **call, "delta": piece} for piece in events.chunks("x" * MIB)]
    start = {"type": "TOOL_CALL_START", **call, "toolCallName": "top_song"}
    turn_events = [*opening(conversation, turn), start, *arguments, {"type": "TOOL_CALL_END", **call}]
    open_record(turn).commit(*turn_events)
    snapshot = page(conversation)
    assert snapshot.messages[0]["metadata"]["cut"] is True
    assert snapshot.messages[0]["toolCalls"][0]["function"]["name"] == "top_song"
    assert len(frame_of(snapshot)) <= SNAPSHOT_BYTES


def test_the_snapshot_of_very_many_short_turns_fits_into_a_frame(conversation: Conversation) -> None:
    count = 1300
    turns = [
        Turn(conversation=conversation, user=conversation.owner, number=n, status="completed")
        for n in range(count)
    ]
    for before, turn in pairwise(turns):
        turn.parent = before
    Turn.objects.bulk_create(turns)
    Recording.objects.bulk_create([short_recording(turn) for turn in turns])
    snapshot = page(conversation)
    assert snapshot.seq == count
    assert snapshot.before
    assert len(frame_of(snapshot)) <= SNAPSHOT_BYTES + SLACK


def short_recording(turn: Turn) -> Recording:
    """A recording whose turn says "ok" in one event."""
    message = {
        "id": f"user:{turn.number}",
        "role": "user",
        "content": "ok",
        "metadata": {"turn": str(turn.pk)},
    }
    error = {"code": "gateway_failed", "message": "m" * 700}
    state = {"id": str(turn.pk), "status": "failed", "error": error, "stopReason": None, "steps": 1}
    seq = turn.number + 1
    return Recording(
        turn=turn, conversation_id=turn.conversation_id, first_seq=seq, last_seq=seq, body=squeeze(""),
        snapshot=squeeze(json.dumps({"messages": [message], "state": state})),
    )  # fmt: skip


def test_a_half_finished_message_is_open_and_goes_on_in_the_events_that_follow(
    conversation: Conversation,
) -> None:
    pack(finished(conversation, 1))
    turn = running(conversation, 2)
    opened = open_record(turn)
    *begun, _, _ = answering(turn, "half")
    opened.commit(*opening(conversation, turn), *begun)
    snapshot = page(conversation)
    assert (texts(snapshot)[-1], snapshot.messages[-1]["metadata"]["open"]) == ("half", True)
    assert [message["metadata"].get("open") for message in snapshot.messages[:-1]] == [None] * 3
    assert snapshot.turns[-1]["status"] == "running"
    opened.commit(delta(" and half", f"{turn.pk}:1:0"))
    assert texts(page(conversation))[-1] == "half and half"
    assert page(conversation).seq == snapshot.seq + 1


def waiting(conversation: Conversation, number: int, text: str) -> dict[str, Any]:
    """A queued message, as the queue tells of it."""
    before = conversation.turns.filter(number__lt=number).order_by("number").last()
    turn = Turn.objects.create(
        conversation=conversation, number=number, user=conversation.owner, parent=before
    )
    message = Message.objects.create(
        conversation=conversation, turn=turn, role="user", content=[{"text": text}]
    )
    return {"id": str(message.public_id), "text": text}


def test_the_queue_is_what_waits_in_the_order_of_its_turns(conversation: Conversation, user: User) -> None:
    finished(conversation, 1)
    later, sooner = waiting(conversation, 3, "later"), waiting(conversation, 2, "sooner")
    waiting(conversation_of(user), 1, "elsewhere")
    assert queue(conversation.pk) == [sooner, later]
    assert page(conversation).event()["metadata"]["queue"] == [sooner, later]


def test_a_message_is_on_the_page_before_its_turn_has_begun(conversation: Conversation) -> None:
    first, second = waiting(conversation, 1, "first"), waiting(conversation, 2, "second")
    turn = Turn.objects.get(number=1)
    turn.status, turn.lease_token = Turn.Status.RUNNING, uuid.uuid4()
    turn.save()
    assert page(conversation).queue == [first, second]
    assert queue(conversation.pk) == [second]
    open_record(turn).commit(*opening(conversation, turn, "first"))
    assert (page(conversation).queue, texts(page(conversation))) == ([second], ["first"])


def test_a_queue_of_long_messages_fits_into_a_frame_beside_a_full_page(conversation: Conversation) -> None:
    pack(finished(conversation, 1, "q", "a" * SNAPSHOT_BYTES))
    texts = ["\x01" * 100_000, *["\N{GRINNING FACE}" * 100_000] * 18]
    messages = [waiting(conversation, number, text) for number, text in enumerate(texts, 2)]
    items = queue(conversation.pk)
    assert [item["id"] for item in items] == [item["id"] for item in messages]
    assert all(
        text.startswith(item["text"]) and item["text"] for text, item in zip(texts, items, strict=True)
    )
    assert len(frame_of(page(conversation))) < MIB


# -- read at one moment


@pytest.fixture
def before(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The page of a turn whose round ends, elsewhere, while the page is read again."""
    turn = running(conversation)
    waiting(conversation, 2, "next")
    opened = open_record(turn)
    *begun, end = answering(turn, "hello")
    opened.commit(*opening(conversation, turn), *begun)
    base = RequestBase.objects.create(sha256="0" * 64, body="{}")
    row = Round.objects.create(turn=turn, number=1, model=turn.model, base=base)
    snapshot, ending = page(conversation), iter([True])

    def end_round() -> None:
        Round.objects.filter(pk=row.pk).update(status="completed", input_tokens=7)
        Message.objects.filter(turn__number=2).delete()
        opened.commit(end)

    def hooked(name: str) -> None:
        read = getattr(reading, name)
        monkeypatch.setattr(
            reading, name, lambda *args: (next(ending, False) and elsewhere(end_round), read(*args))[1]
        )

    for name in ("queue", "totals"):
        hooked(name)
    return snapshot


def test_a_page_is_true_at_one_moment_though_a_round_ends_while_it_is_read(
    conversation: Conversation, before: Page
) -> None:
    with one_snapshot():
        assert page(conversation) == before
    after = page(conversation)
    assert (after.seq, after.queue) == (before.seq + 1, [])
    assert after.totals[conversation.model]["inputTokens"] == 7


async def test_so_is_the_snapshot_of_a_socket(conversation: Conversation, user: User, before: Page) -> None:
    async with page_of(user, conversation) as opened:
        snapshot = await opened.receive()
    assert snapshot["metadata"] == json.loads(json.dumps(before.event()["metadata"]))


async def test_so_are_the_notices_of_a_socket_that_comes_back(
    conversation: Conversation, user: User, before: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.sockets.consumer.queue", reading.queue)
    async with page_of(user, conversation, f"?after={before.seq}") as opened:
        queued = await opened.receive()
    assert (queued["name"], queued["value"]) == ("turntable.queued", before.queue)


def test_so_is_the_page_as_the_server_makes_it(conversation: Conversation, user: User, before: Page) -> None:
    client = Client()
    client.force_login(user)
    context = client.get(f"/conversations/{conversation.pk}/").context
    assert context["page"] == before


def test_whoever_reads_at_one_moment_holds_up_no_writer(conversation: Conversation) -> None:
    with one_snapshot():
        assert page(conversation) == Page(0)
        elsewhere(lambda: finished(conversation, 1))
        assert page(conversation) == Page(0)
    assert len(page(conversation).messages) == 2


def test_a_reading_that_fails_leaves_nothing_open(conversation: Conversation) -> None:
    with pytest.raises(Conversation.DoesNotExist), one_snapshot():
        Conversation.objects.get(title="none")
    elsewhere(lambda: Conversation.objects.update(title="written"))
    assert Conversation.objects.get().title == "written"


def test_a_reading_inside_a_transaction_is_part_of_it(conversation: Conversation) -> None:
    with transaction.atomic(), one_snapshot():
        Conversation.objects.update(title="written")
    assert Conversation.objects.get().title == "written"
    assert not connection.in_atomic_block
