"""The kill loop: conversations go on while their server is killed at moments drawn from a seed."""

import asyncio
import time
from collections.abc import Callable

from .session import PATIENCE, Chat, Outcome, Session
from .site import Life, crashing, short_leases

LEASE = 1.6
"""Seconds: a fifth of the product's, so that turns are taken up between two kills too."""

LIVES = (0.05, 1.2)
"""Least and most seconds from a server's greeting to its death, if a turn is under way by then."""

AT_ONCE = 5
"""Conversations that are under way, with two sockets each."""

TURNS = 12
"""Messages after which a conversation is left for a new one."""

QUESTIONS = (
    'charge "{0}a"',
    'charge "{0}a" and "{0}b", please',
    'look_up "{0}a"',
    'look_up "{0}a" and "{0}b"',
    'charge and look_up "{0}a"',
    'charge and look_up "{0}a", please',
    "show markdown, {0}",
    "show reasoning: who is {0}?",
    "show a long answer about {0}",
    "fail unavailable once, {0}",
    "fail cut, {0}",
    "What is {0}?",
)

Tell = Callable[[int], None]


class Killing(Session):
    """A session whose server is killed."""

    async def run(self, kills: int, tell: Tell) -> Outcome:
        """Kills the server that often, and lets everything end."""
        for number in range(kills):
            life = await self._start()
            await self._chat_until(time.monotonic() + self.random.uniform(*LIVES))
            await self.kill(life)
            tell(number + 1)
        return await self.finish(await self.live())

    async def _start(self) -> Life:
        life = await self.live()
        finished = [chat for chat in self.chats if chat.questions >= TURNS]
        for chat in finished[:-AT_ONCE]:
            await chat.leave()
        for _ in range(AT_ONCE + len(finished) - len(self.chats)):
            await self.open(life, life)
        return life

    async def _chat_until(self, moment: float) -> None:
        patience = moment + PATIENCE
        while time.monotonic() < moment or (not self.site.store.busy() and time.monotonic() < patience):
            for number, chat in enumerate(self.chats):
                await self._chat(chat, number)
            await asyncio.sleep(0.05)

    async def _chat(self, chat: Chat, number: int) -> None:
        """Asks, now and then while the answer to the last question is under way; stops, seldom."""
        if chat.questions < TURNS and chat.waiting < self.random.choice((1, 1, 2)):
            await chat.ask(self.random.choice(QUESTIONS).format(f"order-{number}-{chat.questions}"))
        elif self.random.random() < 0.005:
            await chat.readers[-1].stop()


def kill(kills: int, seed: int, tell: Tell = lambda number: None, **variables: str) -> Outcome:
    """Runs the loop on a site of its own, which the variables may give another database."""

    async def run() -> Outcome:
        async with Killing(site, seed) as killing:
            return await killing.run(kills, tell)

    with crashing(short_leases(LEASE) | variables) as site:
        return asyncio.run(run())
