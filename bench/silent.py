"""Turns that wait for a silent gateway: what they cost the process, and how all of them end."""

import argparse
import asyncio
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from . import load
from .floor import load_gateway
from .machine import cores, pin, resident, run, threads
from .plan import model
from .report import Figure, Report, Tell, figures_report
from .services import Missing, postgres
from .site import DAPHNE, Site, gateway_variables, server_options, serving
from .sockets import Socket

DELTAS = 5
MODEL = model(DELTAS, 50, is_silent=True)
WARM_UP_MODEL = model(1, 50)
STARTS_A_SECOND = 25.0
PATIENCE = 120.0
"""Seconds in which all turns have to get to the gateway, and, once it answers, to their ends."""

POLL = 0.2
CONNECTED = """
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
THREADS, MEMORY, CONNECTIONS = 40, 30, 12


@dataclass(frozen=True)
class State:
    """The process at a moment: how many of its turns wait, and what they take; memory in MB."""

    waiting: int
    threads: int
    memory: float
    connections: int

    def peak(self, other: "State") -> "State":
        """The larger values of both."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return State(*(max(pair) for pair in pairs))


@dataclass(frozen=True)
class Outcome:
    """The outcome of a measurement.

    States are those without sockets, with idle ones, at most while turns begin, and while all wait. `seconds` is the time from
    release to the last turn's end.
    """

    empty: State
    idle: State
    peak: State
    silent: State
    seconds: float
    failed: int
    lost: int
    disordered: int


class Watch:
    """Looks at a site, its gateway and its database, if that is PostgreSQL."""

    def __init__(self, site: Site, gateway: str, count: Callable[[], int]) -> None:
        self._pid, self._gateway, self._connections = site.pids[0], gateway, count

    def state(self) -> State:
        """The state now."""
        waiting = int(self._get("/silent"))
        return State(waiting, threads(self._pid), resident(self._pid), self._connections())

    def release(self) -> None:
        """Lets the gateway speak."""
        self._get("/release")

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self._gateway + path) as answer:  # noqa: S310 (our own server)
            body: bytes = answer.read()
            return body


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--turns", type=int, default=500, help="that wait at a time (500)")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, even where there is a PostgreSQL")
    parser.add_argument("--server", default=DAPHNE, help="the web server, daphne or uvicorn (daphne)")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures on PostgreSQL where it can be had, else on SQLite."""
    spread = cores()
    pin(spread.load)
    if options.server not in server_options():
        raise Missing(f"there is no {options.server} here")
    with load_gateway(spread.load) as gateway, _database(options, tell) as database:
        variables = gateway_variables(gateway, MODEL, WARM_UP_MODEL) | (
            {"DATABASE_URL": database} if database else {}
        )
        arguments = server_options()[options.server]
        with _connections(database) as count, serving(variables, spread.tested, *arguments) as site:
            outcome = run(_measure(site, Watch(site, gateway, count), options.turns, tell))
    kind = "PostgreSQL" if database else "SQLite"
    notes = f"{options.turns} turns on {options.server}, {kind}. {spread.note}"
    notes += "" if outcome.seconds < PATIENCE else f"\nSome turns had not ended after {PATIENCE:.0f} s."
    figures = figures_of(outcome, options.turns, has_connections=database is not None)
    return figures_report(figures, notes, turns=options.turns, server=options.server, postgres=bool(database))


def figures_of(outcome: Outcome, turns: int, *, has_connections: bool) -> list[Figure]:
    """The costs of turns to a process that has a socket for each of them."""
    empty, idle, peak, silent = outcome.empty, outcome.idle, outcome.peak, outcome.silent
    connections = [
        Figure("database connections, all waiting", silent.connections, goal=CONNECTIONS),
        Figure("database connections, at most", peak.connections, goal=CONNECTIONS),
    ]
    return [
        Figure("turns that did not get to the gateway", turns - silent.waiting, goal=0),
        Figure("threads before", idle.threads),
        Figure("threads, all waiting", silent.threads, goal=THREADS),
        Figure("threads, at most", peak.threads, goal=THREADS),
        Figure("memory before", empty.memory, "MB"),
        Figure("memory for the sockets", idle.memory - empty.memory, "MB"),
        Figure("memory for the turns", silent.memory - idle.memory, "MB", MEMORY),
        *(connections if has_connections else []),
        Figure("from release to the last turn's end", outcome.seconds, "s"),
        Figure("turns that failed", outcome.failed, goal=0),
        Figure("deltas lost", outcome.lost, goal=0),
        Figure("deltas repeated or out of order", outcome.disordered, goal=0),
    ]


@contextmanager
def _database(options: argparse.Namespace, tell: Tell) -> Iterator[str | None]:
    with ExitStack() as stack:
        url = None
        try:
            url = None if options.sqlite else stack.enter_context(postgres())
        except Missing as missing:
            tell(f"on SQLite: {missing}")
        yield url


@contextmanager
def _connections(database: str | None) -> Iterator[Callable[[], int]]:
    """Counts the database connections of others, over one that is opened before they may have taken all."""
    if database is None:
        yield lambda: 0
        return
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:

        def count() -> int:
            row = connection.execute(CONNECTED).fetchone()
            return int(row[0]) if row else 0

        yield count


async def _measure(site: Site, watch: Watch, turns: int, tell: Tell) -> Outcome:
    await load.at_rest(site, WARM_UP_MODEL, 20)
    empty = await asyncio.to_thread(watch.state)
    tell(f"opening {turns} sockets")
    sockets = [await site.open(MODEL) for _ in range(turns)]
    await asyncio.sleep(1.0)
    idle = await asyncio.to_thread(watch.state)
    tell("beginning the turns")
    silent, peak = await _begin(sockets, watch)
    tell(f"{silent.waiting} turns wait; releasing them")
    seconds = await _release(sockets, watch)
    load.close(sockets)
    tallies = [socket.tally for socket in sockets]
    return Outcome(
        empty,
        idle,
        peak,
        silent,
        seconds,
        sum(tally.failed for tally in tallies),
        sum(tally.lost for tally in tallies),
        sum(tally.repeated + tally.unordered for tally in tallies),
    )


async def _begin(sockets: Sequence[Socket], watch: Watch) -> tuple[State, State]:
    """Begins all turns and waits until they are silent; the state then, and the largest until then."""
    beginning = asyncio.create_task(_ask(sockets))
    peak = state = await asyncio.to_thread(watch.state)
    until = time.monotonic() + len(sockets) / STARTS_A_SECOND + PATIENCE
    while state.waiting < len(sockets) and time.monotonic() < until:
        await asyncio.sleep(POLL)
        state = await asyncio.to_thread(watch.state)
        peak = peak.peak(state)
    await beginning
    await asyncio.sleep(2.0)  # what is idle is given back
    return await asyncio.to_thread(watch.state), peak


async def _ask(sockets: Sequence[Socket]) -> None:
    for socket in sockets:
        socket.ask(DELTAS)
        await asyncio.sleep(1 / STARTS_A_SECOND)


async def _release(sockets: Sequence[Socket], watch: Watch) -> float:
    """Lets the gateway speak and waits for the turns' ends; how long that took."""
    begun = time.monotonic()
    ends = [asyncio.create_task(load.finish(socket, PATIENCE)) for socket in sockets]
    await asyncio.to_thread(watch.release)
    await asyncio.gather(*ends)
    return time.monotonic() - begun
