"""Conversations on a site that dies and comes back, and the checks once all of them are at rest."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Self

from . import checker
from .reader import Reader
from .site import Crashing, Life
from .store import Turn

PATIENCE = 60.0
"""Seconds for something that has to happen."""

LAST_QUESTION = "What is left?"


@dataclass
class Outcome:
    """The outcome of a run of crashes."""

    kills: int
    statuses: Counter[str]
    frames: int
    violations: list[str]
    seconds: list[float] = field(default_factory=list)
    """From the last kill that a turn lived through to its end."""

    @property
    def median(self) -> float:
        """The median of `seconds`."""
        return median(self.seconds) if self.seconds else 0.0

    @property
    def longest(self) -> float:
        """The longest of `seconds`."""
        return max(self.seconds, default=0.0)


@dataclass
class Chat:
    """A conversation and its readers, the first of which asks."""

    readers: list[Reader]
    questions: int = 0

    @property
    def id(self) -> str:
        """The conversation's."""
        return self.readers[0].conversation

    def come(self) -> None:
        """Lets the readers connect."""
        for reader in self.readers:
            reader.come()

    async def leave(self) -> None:
        """Lets the readers go, who may come back."""
        for reader in self.readers:
            await reader.leave()

    @property
    def waiting(self) -> int:
        """How many answers the first reader still waits for."""
        return len(self.readers[0].sent) - self.readers[0].ended

    async def ask(self, text: str) -> None:
        """Sends a message."""
        self.questions += 1
        await self.readers[0].ask(text)


class Session:
    """Conversations on a site, all of which are left at the end."""

    def __init__(self, site: Crashing, seed: int = 0) -> None:
        self.site, self.random = site, Random(seed)  # noqa: S311 (chance, not secrecy)
        self.chats: list[Chat] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for chat in self.chats:
            await chat.leave()

    async def live(self, port: int | None = None, *options: str) -> Life:
        """Starts a server."""
        return await asyncio.to_thread(self.site.live, port, *options)

    async def work(self, *options: str) -> Life:
        """Starts a worker."""
        return await asyncio.to_thread(self.site.work, *options)

    async def kill(self, life: Life) -> None:
        """Kills it."""
        await asyncio.to_thread(self.site.kill, life)

    async def open(self, *lives: Life) -> Chat:
        """A new conversation, with a reader at every server, each of which has seen that it is empty."""
        conversation = await asyncio.to_thread(self.site.conversation)
        begins = [self.random.choice((0, None)) for _ in lives]
        pairs = zip(lives, begins, strict=True)
        chat = Chat([self.reader(conversation, life.url, begin) for life, begin in pairs])
        self.chats.append(chat)
        await until(lambda: all(reader.begun for reader in chat.readers))
        return chat

    def reader(self, conversation: str, url: str, begin: int | None = 0) -> Reader:
        """A reader at the server with this URL; it begins with a snapshot where `begin` is None."""
        chance = Random(self.random.random())  # noqa: S311 (likewise)
        reader = Reader(url, conversation, self.site.cookie, chance, begin)
        reader.come()
        return reader

    async def rest(self, chat: Chat) -> None:
        """Lets a conversation go until the end, once all that was sent to it is stored."""
        await until(lambda: not chat.readers[0].unsure, patience=5)
        await chat.leave()

    async def settle(self) -> None:
        """Waits until all that was sent is stored and has ended, or the patience is over."""

        def settled() -> bool:
            return not any(chat.readers[0].unsure for chat in self.chats) and not self.site.store.busy()

        await until(settled)

    async def finish(self, life: Life) -> Outcome:
        """Lets all end, asks every conversation once more, opens its page once more, and checks everything.

        Nothing fails any more, and the gateway sends at once what is left of its answers.
        """
        self.site.gateway.pace = 0
        for chat in self.chats:
            chat.come()
        await self.settle()
        for chat in self.chats:
            await chat.ask(LAST_QUESTION)
        await self.settle()
        record = await asyncio.to_thread(self.site.store.record)
        for chat in self.chats:
            chat.readers.append(self.reader(chat.id, life.url, None))
        await until(lambda: not list(self._behind(record)))
        return self._outcome()

    def _behind(self, record: checker.Record) -> Iterator[str]:
        for chat in self.chats:
            last = len(record.get(chat.id, ()))
            for reader in chat.readers:
                if reader.last < last:
                    yield f"{chat.id}: a reader got to {reader.last} of {last}"

    def _outcome(self) -> Outcome:
        turns = sorted(self.site.store.turns(), key=lambda turn: turn.number)
        record = self.site.store.record()
        violations = [*self._behind(record), *self._check(turns, record)]
        frames = sum(map(len, record.values()))
        statuses = Counter(turn.status for turn in turns)
        seconds = list(after_the_last_kill(turns, self.site.kills))
        return Outcome(len(self.site.kills), statuses, frames, violations, seconds)

    def _check(self, turns: list[Turn], record: checker.Record) -> Iterator[str]:
        messages = self.site.store.messages()
        yield from checker.check_turns(turns)
        yield from checker.check_effects(self.site.traces(), self.site.store.calls())
        last = {turn.conversation: turn.status for turn in turns}
        for chat in self.chats:
            frames = record.get(chat.id, [])
            yield from checker.check_record(chat.id, frames)
            yield from checker.check_messages(chat.readers[0], messages[chat.id])
            if last.get(chat.id) != "completed":
                yield f"{chat.id}: the next message ended {last.get(chat.id)}"
            for reader in chat.readers:
                yield from checker.check_reader(reader, frames)


def after_the_last_kill(turns: Iterable[Turn], kills: Iterable[float]) -> Iterator[float]:
    """The seconds from the last kill to the end, for turns that lived through one."""
    moments = list(kills)
    for turn in turns:
        if turn.finished is not None:
            during = [moment for moment in moments if turn.created < moment < turn.finished]
            if during:
                yield turn.finished - max(during)


async def until(condition: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Waits until a condition holds, checked in a thread; returns whether it does."""
    end = time.monotonic() + patience
    while not await asyncio.to_thread(condition):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.05)
    return True
