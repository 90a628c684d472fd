"""Web processes that run no turns, and workers beside them that do."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any
from uuid import uuid4

from bench.crash.kills import LEASE
from bench.crash.reader import Reader
from bench.crash.session import Chat, Session, until
from bench.crash.site import MODEL, Life, crashing, free_port, short_leases
from tests.crash.chats import (
    LONG,
    STOPS_IN,
    answering,
    events_of,
    interrupted_rounds,
    seconds_to_stop,
    slow_answers,
)
from tests.servers import manage

SOON = 3.0
"""Seconds that suffice for the news of another process, and that a lease outlives by far."""


@asynccontextmanager
async def web_alone(variables: dict[str, str], pace: float = 0) -> AsyncIterator[tuple[Session, Life]]:
    """A session on a site with a web process, which leaves turns to others."""
    with crashing(variables, pace) as site:
        async with Session(site) as session:
            yield session, await session.live(None, "--no-turns")


def statuses(session: Session) -> list[str]:
    return [turn.status for turn in sorted(session.site.store.turns(), key=lambda turn: turn.created)]


def outcomes(reader: Reader) -> list[str]:
    return [event["outcome"]["type"] for event in events_of(reader, "RUN_FINISHED")]


async def outcome(chat: Chat, kind: str) -> bool:
    """Whether all of a conversation's readers are told that its run has ended so, as the latest one."""
    return await until(lambda: all(outcomes(reader)[-1:] == [kind] for reader in chat.readers))


def last_notice(reader: Reader, name: str) -> Any:
    return next((value for kind, value in reversed(reader.notices) if kind == name), None)


async def decide(reader: Reader, *calls: str) -> float:
    """Lets calls run; when."""
    answer = {"status": "resolved", "payload": {"approved": True}}
    await reader.send({"type": "resume", "resume": [{"interruptId": call} | answer for call in calls]})
    return time.time()


def interrupts(reader: Reader) -> list[str]:
    """The calls that the latest run waits for."""
    return [interrupt["id"] for interrupt in events_of(reader, "RUN_FINISHED")[-1]["outcome"]["interrupts"]]


async def test_what_a_web_process_takes_waits_for_a_worker_and_arrives_whole(
    looking: dict[str, str],
) -> None:
    async with web_alone(looking) as (session, web):
        chat = await session.open(web)
        message = await chat.readers[0].ask('charge "order-1"')
        assert await until(lambda: bool(last_notice(chat.readers[0], "queued")))
        assert [row["id"] for row in last_notice(chat.readers[0], "queued")] == [message]
        assert statuses(session) == ["queued"]
        worker = await session.work()
        assert await outcome(chat, "success")
        await chat.ask(LONG)
        assert await until(lambda: chat.readers[0].ended == 2)
        assert await until(lambda: last_notice(chat.readers[0], "queued") == [])
        worker.signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 20) == 0
        await session.work()
        result = await session.finish(web)
    assert result.violations == []
    assert set(result.statuses) == {"completed"}


async def test_a_stop_and_a_decision_reach_the_worker_from_the_web_process(joined: dict[str, str]) -> None:
    async with web_alone(joined) as (session, web):
        await session.work()
        chat = await session.open(web)
        with slow_answers(session):
            await chat.ask(LONG)
            await answering(chat)
            await chat.readers[0].stop()
            assert await until(lambda: session.site.gateway.connections == 0)
            assert await outcome(chat, "cancelled")
        await chat.ask('refund "order-1"')
        assert await outcome(chat, "interrupt")
        decided = await decide(chat.readers[0], *interrupts(chat.readers[0]))
        assert await outcome(chat, "success")
        assert events_of(chat.readers[0], "RUN_STARTED")[-1]["timestamp"] / 1000 - decided < SOON
        assert [trace[:2] for trace in session.site.traces()] == [("refund", "order-1")]
        await chat.ask('ship "order-1"')
        assert await outcome(chat, "interrupt")
        await chat.readers[0].stop()
        assert await outcome(chat, "cancelled")
        assert max(seconds_to_stop(session)) < STOPS_IN
        turns = session.site.store.turns()
        assert (statuses(session), {turn.attempts for turn in turns}) == (
            ["stopped", "completed", "stopped"],
            {1},
        )


async def test_notices_of_a_web_process_reach_the_pages_of_another(joined: dict[str, str]) -> None:
    async with web_alone(joined) as (session, one):
        other = await session.live(free_port(), "--no-turns")
        chat = await session.open(one, other)
        here, elsewhere = chat.readers
        message = await here.ask('refund and ship "order-1"')
        assert await until(lambda: bool(last_notice(elsewhere, "queued")))
        assert [row["id"] for row in last_notice(elsewhere, "queued")] == [message]
        await here.send({"type": "draft", "text": "half a"})
        assert await until(lambda: last_notice(elsewhere, "draft") == {"text": "half a"})
        await session.work()
        assert await outcome(chat, "interrupt")
        assert await until(lambda: last_notice(elsewhere, "queued") == [])
        first, second = interrupts(here)
        await decide(here, first)
        assert await until(lambda: last_notice(elsewhere, "decided") == {"interrupts": [first]})
        await decide(elsewhere, second)
        assert await outcome(chat, "success")
        run = events_of(here, "RUN_STARTED")[0]["runId"]
        await here.send({"type": "edit", "message": message, "id": str(uuid4()), "text": "help"})
        assert await until(lambda: elsewhere.ended == 3)
        await here.send({"type": "branch", "turn": run})
        assert await until(lambda: last_notice(elsewhere, "branch") == {"turn": run})


async def test_a_conversation_is_asked_again_from_the_page_of_a_web_process(
    listening: dict[str, str],
) -> None:
    async with web_alone(listening) as (session, web):
        await session.work()
        chat = await session.open(web)
        for number in (1, 2):
            await chat.ask("help")
            assert await until(lambda count=number: chat.readers[0].ended == count)  # type: ignore[misc]
        await asyncio.to_thread(session.site.ask_again, chat.id)
        assert await until(lambda: statuses(session) == ["completed"] * 4)
        assert len({turn.conversation for turn in session.site.store.turns()}) == 2


async def test_a_worker_that_ends_or_dies_leaves_its_turn_to_another(layer: dict[str, str]) -> None:
    async with web_alone(short_leases(LEASE) | layer) as (session, web):
        chat = await session.open(web)
        old = await session.work()
        with slow_answers(session):
            await chat.ask(LONG)
            await answering(chat)
            old.signal(signal.SIGTERM)
            assert await asyncio.to_thread(old.wait, 20) == 0
        other = await session.work()
        assert await outcome(chat, "success")
        assert len(interrupted_rounds(chat.readers[0])) == 1
        with slow_answers(session):
            await chat.ask(LONG)
            await answering(chat, cuts=1)
            await session.kill(other)
        await session.work()
        assert await until(lambda: chat.readers[0].ended == 2)
        assert len(interrupted_rounds(chat.readers[0])) == 2
        result = await session.finish(web)
    assert result.violations == []
    assert set(result.statuses) == {"completed"}


OF_ANOTHER_USER = f"""
import uuid
from django.contrib.auth.models import User
from conversations import engine
from conversations.models import Conversation
engine.WORKER.takes_turns = False
user = User.objects.create_user("herbert")
for _ in range(2):
    conversation = Conversation.objects.create(owner=user, model={MODEL!r})
    engine.start(conversation.pk, str(uuid.uuid4()), "help")
"""


async def test_a_worker_of_one_turn_runs_one_at_a_time_and_takes_users_in_turn(
    looking: dict[str, str],
) -> None:
    async with web_alone(looking, pace=0.05) as (session, web):
        chats = [await session.open(web) for _ in range(3)]
        for chat in chats:
            await chat.ask("help")
            assert await until(lambda reader=chat.readers[0]: bool(last_notice(reader, "queued")))  # type: ignore[misc]
        shell = await asyncio.to_thread(
            manage, session.site.environment, "shell", "--no-imports", "-c", OF_ANOTHER_USER
        )
        assert shell.returncode == 0, shell.stderr
        await session.work("--turns", "1")
        assert await until(lambda: statuses(session) == ["completed"] * 5)
        record = session.site.store.record()
    runs = sorted(run_of(conversation, frames) for conversation, frames in record.items())
    assert all(end <= begin for (_, end, _), (begin, _, _) in pairwise(runs))
    own = {chat.id for chat in chats}
    assert [conversation in own for _, _, conversation in runs] == [True, False, True, False, True]


def run_of(conversation: str, frames: list[tuple[int, str]]) -> tuple[int, int, str]:
    """When the only run of a conversation began and ended."""
    begin, *_, end = (json.loads(text) for _, text in frames)
    return begin["timestamp"], end["timestamp"], conversation
