"""The failpoints, armed one after the other and reached by scenes in conversations of their own."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from . import failpoints
from .failpoints import Mode, Point
from .kills import LEASE
from .session import Chat, Outcome, Session, until
from .site import Life, crashing, short_leases

REACHED_IN = 20.0
"""Seconds for a scene to reach its point."""

UNDER_WAY = ("stop", "lost", "drain")
"""Scenes of something that happens in the middle of an answer."""

SLOW, QUICK = 0.3, 0.1
"""The gateway's pace in these, and in the others."""

Scene = Callable[["Failing", Chat, Point], Awaitable[None]]


class Failing(Session):
    """A session whose server fails at armed points, by dying or by an exception."""

    mode: Mode
    life: Life

    async def run(self, points: Iterable[Point], mode: Mode) -> Outcome:
        """Lets every point fail once, and everything end."""
        self.mode, self.life = mode, await self.live()
        missed = [point.name for point in points if not await self._fails(point)]
        failpoints.disarm(self.site.folder)
        outcome = await self.finish(self.life)
        outcome.violations += [f"never reached: {name}" for name in missed]
        return outcome

    async def _fails(self, point: Point) -> bool:
        """Plays the scene until the point has failed; returns whether it did."""
        self.site.gateway.pace = SLOW if point.scene in UNDER_WAY else QUICK
        chat = await self.open(self.life)
        await SCENES[point.scene](self, chat, point)
        reached = await until(lambda: failpoints.has_fired(self.site.folder), REACHED_IN)
        if self.mode == "kill" and reached:
            await until(lambda: not self.life.alive)
        if not self.life.alive or point.scene == "drain":
            await self.again()
        await self.rest(chat)
        return reached

    def arm(self, point: Point) -> None:
        """Lets the point fail from now on, once."""
        failpoints.arm(self.site.folder, point, self.mode)

    async def again(self) -> None:
        """Replaces the server, which is killed if it still lives."""
        await self.kill(self.life)
        self.life = await self.live()

    def order(self) -> str:
        """A new order's name."""
        return f"order-{len(self.chats)}"


async def _tool(session: Failing, chat: Chat, point: Point) -> None:
    session.arm(point)
    await chat.ask(f'charge and look_up "{session.order()}", please')


async def _queue(session: Failing, chat: Chat, point: Point) -> None:
    await chat.ask("What comes first?")
    session.arm(point)
    await chat.ask("What comes second?")


async def _stop(session: Failing, chat: Chat, point: Point) -> None:
    session.arm(point)
    await chat.ask("show a long answer")
    await until(lambda: _is_answering(chat))
    await chat.readers[0].stop()


async def _lost(session: Failing, chat: Chat, point: Point) -> None:
    await chat.ask("show a long answer")
    await until(lambda: _is_answering(chat))
    await session.kill(session.life)
    session.arm(point)
    session.life = await session.live()


async def _lost_call(session: Failing, chat: Chat, point: Point) -> None:
    order = session.order()
    await chat.ask(f'charge "{order}"')
    await until(lambda: any(trace[1] == order for trace in session.site.traces()))
    await session.kill(session.life)
    session.arm(point)
    session.life = await session.live()


async def _drain(session: Failing, chat: Chat, point: Point) -> None:
    await chat.ask("show slow")
    await until(lambda: _is_answering(chat))
    session.arm(point)
    session.life.signal(signal.SIGTERM)


async def _page(session: Failing, chat: Chat, point: Point) -> None:
    await chat.ask("What is on the page?")
    await until(lambda: not chat.waiting)
    session.arm(point)
    for begin in (None, 0):
        chat.readers.append(session.reader(chat.id, session.life.url, begin=begin))


SCENES: dict[str, Scene] = {
    "tool": _tool,
    "queue": _queue,
    "stop": _stop,
    "lost": _lost,
    "lost call": _lost_call,
    "drain": _drain,
    "page": _page,
}


def _is_answering(chat: Chat) -> bool:
    connections: list[Any] = chat.readers[0].connections
    return any('"role":"assistant"' in text for connection in connections for _, text in connection.frames)


def fail(points: Iterable[Point], mode: Mode, **variables: str) -> Outcome:
    """Lets the points fail on a site of its own, which the variables may give another database."""

    async def run() -> Outcome:
        async with Failing(site) as failing:
            return await failing.run(points, mode)

    with crashing(short_leases(LEASE) | variables) as site:
        return asyncio.run(run())
