"""Turns on sockets, answered by the load gateway, and what they cost the processes under test."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from .machine import Cores, Meter, Usage
from .plan import WARM_UP, Plan
from .sample import Sample, window_sample
from .sockets import Socket

PATIENCE = 30.0
"""Seconds of grace for a connection, and for a turn after its last delta was due."""

REST = 0.1
"""Seconds between two turns at rest, in which the server puts the first one's recording away."""


class Target(Protocol):
    """Processes under test, with a way to open a socket on a new conversation with a model."""

    @property
    def pids(self) -> Sequence[int]:
        """Its processes."""
        ...

    async def open(self, model: str) -> Socket:
        """A socket that is connected; ConnectionError where it is refused."""
        ...


class ShortTurn(NamedTuple):
    """The moments of a turn of one delta, in microseconds: question, gateway's send, client's receipt."""

    asked_at: int
    sent_at: int
    arrived_at: int

    @property
    def first(self) -> int:
        """From asking to the first delta."""
        return self.arrived_at - self.asked_at


async def measure(target: Target, plan: Plan, cores: Cores) -> Sample:
    """Runs the plan's streams, a conversation and a socket each."""
    meter = Meter(target.pids, cores)
    firsts = [turn.first for turn in await at_rest(target, plan.warm_up_model, WARM_UP)]
    warm_up = meter.read()
    sockets = [await target.open(plan.model) for _ in range(plan.streams)]
    start = asyncio.get_running_loop().time() + 0.5
    turns = [
        asyncio.create_task(_turn(socket, plan, start + begin))
        for socket, begin in zip(sockets, plan.begins, strict=True)
    ]
    usage = await _window(target, plan, cores, start)
    await asyncio.gather(*turns)
    close(sockets)
    return window_sample(usage, [socket.tally for socket in sockets], warm_up, firsts)


async def at_rest(target: Target, model: str, turns: int) -> list[ShortTurn]:
    """Turns of one delta, one after the other, with nothing else under way."""
    socket = await target.open(model)
    short = []
    for _ in range(turns):
        await asyncio.sleep(REST)
        at = socket.ask(1)
        if not await asyncio.wait_for(socket.ended, PATIENCE):
            raise RuntimeError("a turn failed while nothing else was under way")
        arrived = socket.tally.arrivals[0]
        short.append(ShortTurn(at, arrived - socket.tally.lags[0], arrived))
    await asyncio.sleep(REST)
    close([socket])
    return short


async def finish(socket: Socket, seconds: float) -> None:
    """Waits for a turn's end; a turn that ends in an error or not in time has failed."""
    await asyncio.wait([socket.ended], timeout=seconds)
    socket.tally.failed = not (socket.ended.done() and socket.ended.result())


def close(sockets: Iterable[Socket]) -> None:
    """Closes the connections."""
    for socket in sockets:
        socket.transport.close()


async def _turn(socket: Socket, plan: Plan, begin: float) -> None:
    await _until(begin)
    socket.ask(plan.count)
    await finish(socket, plan.count / plan.rate + PATIENCE)


async def _window(target: Target, plan: Plan, cores: Cores, start: float) -> Usage:
    opens, closes = plan.window
    await _until(start + opens)
    meter = Meter(target.pids, cores)
    await _until(start + closes)
    return meter.read()


async def _until(moment: float) -> None:
    await asyncio.sleep(moment - asyncio.get_running_loop().time())
