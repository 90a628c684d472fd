"""A page may send twice, from two tabs, odd text and a lot of it; no user is to blame for that."""

import asyncio
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from conversations import engine
from conversations.models import Conversation, Message, Turn
from conversations.protocol.converse.content import plain_text
from tests.sockets.pages import Page, page_of
from tests.turns import QUESTION, answer, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
LIMIT = 100_000


async def user_text(conversation: Conversation) -> str:
    """The text of the only stored message of the user; checks that its events add up to it."""
    message = await Message.objects.aget(role="user")
    events = await sync_to_async(record)(conversation)
    deltas = [
        e["delta"]
        for e in of_type(events, "TEXT_MESSAGE_CONTENT")
        if e["messageId"] == str(message.public_id)
    ]
    assert "".join(deltas) == plain_text(message.content)
    return plain_text(message.content)


async def test_one_message_sent_at_the_same_time_by_two_tabs_is_one_turn(
    user: User, conversation: Conversation
) -> None:
    message = str(uuid.uuid4())
    async with (
        page_of(user, conversation, "?after=0") as one,
        page_of(user, conversation, "?after=0") as other,
    ):
        await asyncio.gather(
            *(
                page.ask(QUESTION, message_id)
                for page in (one, other)
                for message_id in (message, message.upper())
            )
        )
        assert await one.until_end() == await other.until_end()
    assert await Turn.objects.acount() == 1
    assert await sync_to_async(engine.WORKER.wait)(20)


async def test_messages_sent_at_the_same_time_by_two_tabs_are_both_answered(
    user: User, conversation: Conversation
) -> None:
    async with (
        page_of(user, conversation, "?after=0") as one,
        page_of(user, conversation, "?after=0") as other,
    ):
        ids = set(await asyncio.gather(one.ask(QUESTION), other.ask(QUESTION)))
        frames = [[*await page.until_end(), *await page.until_end()] for page in (one, other)]
    events = [[e for e in page_frames if "metadata" in e] for page_frames in frames]
    assert events[0] == events[1]
    assert {e["messageId"] for e in of_type(events[0], "TEXT_MESSAGE_START") if e["role"] == "user"} == ids
    assert await sync_to_async(engine.WORKER.wait)(20)


async def test_a_message_that_is_sent_again_after_its_answer_changes_nothing(
    user: User, conversation: Conversation
) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        message = await page.ask(QUESTION)
        events = await page.until_end()
        await page.ask("something else", message)
        await page.ask(" ")
        assert (await page.receive())["name"] == "turntable.refused"
    assert await sync_to_async(record)(conversation) == events


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("\u202egnp.exe\u2066", "\u202egnp.exe\u2066"),
        ("\u200b\u2028\ufeff\x1b[2J", "\u200b\u2028\ufeff\x1b[2J"),
        ("𝔘𝔫𝔦𝔠𝔬𝔡𝔢 é e\u0301", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 é e\u0301"),
        ('{"type": "stop"}', '{"type": "stop"}'),
    ],
)
async def test_odd_text_is_kept_as_far_as_a_database_can_and_answered(
    user: User, conversation: Conversation, text: str, stored: str
) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        await page.ask(text)
        events = await page.until_end()
    assert events[-1]["outcome"] == {"type": "success"}
    assert answer(events)
    assert await user_text(conversation) == stored
    assert await sync_to_async(engine.WORKER.wait)(20)


@pytest.mark.parametrize("character", ["a", "é", "😀", '"', "\n\\"[1]])
async def test_a_message_of_100_000_characters_is_taken_and_one_more_is_refused(
    user: User, conversation: Conversation, character: str
) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        too_long = await page.ask(character * (LIMIT + 1))
        refused = await page.receive()
        assert (refused["value"]["id"], refused["value"]["code"]) == (too_long, "invalid_request")
        await page.ask(character * LIMIT)
        events = await page.until_end()
    assert events[-1]["type"] == "RUN_FINISHED"
    assert await user_text(conversation) == character * LIMIT
    assert max(len(e["delta"].encode()) for e in of_type(events, "TEXT_MESSAGE_CONTENT")) <= 16 * 1024
    assert await sync_to_async(engine.WORKER.wait)(20)


async def test_a_tab_that_comes_and_goes_leaves_nothing_behind(
    user: User, conversation: Conversation
) -> None:
    from conversations.journal.hub import HUB
    from conversations.sockets.sessions import SOCKETS

    before = set(SOCKETS._open)
    for _ in range(20):
        async with page_of(user, conversation) as page:
            await page.receive()
    assert (conversation.pk in HUB.conversations(), SOCKETS._open) == (False, before)


async def test_a_tab_that_goes_in_mid_answer_leaves_the_turn_running(
    user: User, conversation: Conversation
) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        await page.ask("show a long answer")
        await first_text(page)
    assert await sync_to_async(engine.WORKER.wait)(20)
    assert (await Turn.objects.aget()).status == "completed"


async def first_text(page: Page) -> None:
    """Waits until the answer has begun."""
    while "STEP_STARTED" not in [event["type"] for event in page.frames]:
        await page.receive()
