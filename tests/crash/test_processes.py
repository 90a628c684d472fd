"""Two servers on one database, of which one dies, sleeps past its leases, or is replaced."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.crash.kills import LEASE
from bench.crash.session import Chat, Session, until
from bench.crash.site import Life, crashing, free_port, short_leases
from tests.crash.chats import (
    LONG,
    STOPS_IN,
    answering,
    events_of,
    interrupted_rounds,
    seconds_to_stop,
    slow_answers,
)


@asynccontextmanager
async def two(variables: dict[str, str]) -> AsyncIterator[tuple[Session, Life, Life]]:
    """A session on a site with two servers."""
    with crashing(variables, pace=0) as site:
        async with Session(site) as session:
            yield session, await session.live(), await session.live(free_port())


async def test_two_processes_show_the_same_and_either_stops_a_turn(database: dict[str, str]) -> None:
    async with two(database) as (session, one, other):
        chat = await session.open(one, other)
        await chat.ask('charge and look_up "order-1"')
        assert await until(lambda: all(reader.ended == 1 for reader in chat.readers))
        with slow_answers(session):
            await chat.ask(LONG)
            await answering(chat)
            await chat.readers[1].stop()
            assert await until(lambda: all(reader.ended == 2 for reader in chat.readers))
        last = events_of(chat.readers[0], "RUN_FINISHED")[-1]
        assert last["outcome"] == {"type": "cancelled"}
        assert max(seconds_to_stop(session)) < STOPS_IN
        outcome = await session.finish(other)
    assert outcome.violations == []


async def test_a_turn_whose_process_was_killed_goes_on_in_the_other_within_15_seconds(
    database: dict[str, str],
) -> None:
    async with two(database) as (session, one, other):
        chat = await session.open(other, one)
        with slow_answers(session):
            await chat.readers[1].ask(LONG)
            await until(lambda: bool(events_of(chat.readers[0], "TEXT_MESSAGE_CONTENT")))
            await answering(Chat([chat.readers[0]]))
            await session.kill(one)
            assert await until(lambda: bool(interrupted_rounds(chat.readers[0])))
        assert interrupted_rounds(chat.readers[0])[0]["timestamp"] / 1000 - session.site.kills[0] < 15
        await chat.readers[1].move(other.url)
        outcome = await session.finish(other)
    assert outcome.violations == []
    assert set(outcome.statuses) == {"completed"}


async def frozen(session: Session, life: Life) -> None:
    """Stops a process where it holds no lock, which would hold the other one up too."""

    def caught() -> bool:
        life.signal(signal.SIGSTOP)
        if session.site.store.is_free():
            return True
        life.signal(signal.SIGCONT)
        return False

    assert await until(caught)


async def test_a_process_that_slept_past_its_lease_writes_nothing_more_and_goes_on_serving(
    database: dict[str, str],
) -> None:
    async with two(short_leases(LEASE) | database) as (session, one, other):
        chat = await session.open(other, one)
        with slow_answers(session):
            await chat.readers[1].ask(LONG)
            await until(lambda: bool(events_of(chat.readers[0], "TEXT_MESSAGE_CONTENT")))
            await frozen(session, one)
        assert await until(lambda: chat.readers[0].ended == 1)
        one.signal(signal.SIGCONT)
        assert await until(lambda: "another process has taken" in session.site.log.read_text())
        assert await until(lambda: chat.readers[1].ended == 1)
        await chat.readers[1].ask("Are you awake?")
        assert await until(lambda: chat.readers[1].ended == 2)
        outcome = await session.finish(one)
    assert outcome.violations == []
    assert set(outcome.statuses) == {"completed"}


async def test_a_deploy_loses_nothing(database: dict[str, str]) -> None:
    async with two(short_leases(LEASE) | database) as (session, old, new):
        chats = [await session.open(old) for _ in range(3)]
        with slow_answers(session):
            for number, chat in enumerate(chats):
                await chat.ask(LONG if number else f'charge "order-{number}"')
            await answering(chats[1])
            old.signal(signal.SIGTERM)
            await chats[2].ask("Does this one wait?")
            assert await asyncio.to_thread(old.wait, 30) == 0
        for chat in chats:
            await chat.readers[0].move(new.url)
        outcome = await session.finish(new)
    assert outcome.violations == []
    assert set(outcome.statuses) == {"completed"}
