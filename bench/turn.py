"""A turn of one delta at rest: time to the first delta, CPU time, and database statements."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from .floor import load_gateway
from .load import REST, ShortTurn, at_rest
from .machine import Cores, Meter, Usage, cores, pin, run
from .plan import WARM_UP, model
from .report import Figure, Report, Tell, figures_report
from .sample import milliseconds
from .services import postgres
from .site import Site, gateway_variables, server_options, serving
from .statements import log
from .statements.apps import LOG

MODEL = model(1, 50)
NOTES = f"""\
First: from asking to the first delta; the load gateway sends it at once. CPU: that of the process in a turn and {REST} s of rest.
Statements: without BEGIN, COMMIT and savepoints, up to the next turn. Transactions: commits, and what is written without one."""

Serve = Callable[..., AbstractContextManager[Site]]


class TimedTurns(NamedTuple):
    """Turns at rest, and the server's usage for them."""

    turns: Sequence[ShortTurn]
    usage: Usage


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--turns", type=int, default=100, help="that are timed (100)")
    parser.add_argument("--counted", type=int, default=20, help="turns whose statements are counted (20)")
    parser.add_argument("--statements", action="store_true", help="print the statements of one turn")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own, not on SQLite")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures with every web server: first the times, then the statements, whose logging takes time."""
    spread = cores()
    pin(spread.load)
    figures: list[Figure] = []
    lines: list[str] = []
    with load_gateway(spread.load) as gateway:
        for server, arguments in server_options().items():
            variables = gateway_variables(gateway, MODEL)
            serve = partial(_serving, options, variables, spread.tested, arguments)
            tell(f"{server}: {options.turns} turns")
            with serve() as site:
                figures += times(server, run(_timed_turns(site, options.turns, spread)))
            tell(f"{server}: the statements of {options.counted} turns")
            statements, turns = _logged_turns(serve, options.counted)
            figures += count_figures(server, log.counts(statements, turns))
            lines += ["", server, *log.listing(statements, turns)] if options.statements else []
    notes = "\n".join([NOTES, spread.note, *lines])
    return figures_report(figures, notes, postgres=options.postgres, statements=lines)


def times(server: str, measurement: TimedTurns) -> list[Figure]:
    """The time to the first delta, and the CPU time of a turn."""
    firsts, usage = sorted(turn.first for turn in measurement.turns), measurement.usage
    return [
        Figure(f"{server}: first delta, p50", milliseconds(firsts, 50), "ms", 6),
        Figure(f"{server}: first delta, p99", milliseconds(firsts, 99), "ms", 15),
        Figure(f"{server}: CPU", usage.cpu / len(measurement.turns) * 1000, "ms", 10),
        Figure(f"{server}: what others took of the core", usage.others / usage.seconds * 100, "%"),
    ]


def count_figures(server: str, counts: log.Counts) -> list[Figure]:
    """The statements of a turn, in all and by thread."""
    return [
        Figure(f"{server}: statements", counts.statements, goal=22),
        Figure(f"{server}: statements before the gateway is asked", counts.before, goal=8),
        Figure(f"{server}: transactions", counts.transactions),
        *(Figure(f"{server}: statements by {name}", number) for name, number in counts.threads.items()),
    ]


async def _timed_turns(site: Site, turns: int, spread: Cores) -> TimedTurns:
    await at_rest(site, MODEL, WARM_UP)
    meter = Meter(site.pids, spread)
    return TimedTurns(await at_rest(site, MODEL, turns), meter.read())


@contextmanager
def _serving(
    options: argparse.Namespace, variables: Mapping[str, str], core: int, arguments: Sequence[str], **own: str
) -> Iterator[Site]:
    """A site with a database of its own."""
    with ExitStack() as stack:
        database = {"DATABASE_URL": stack.enter_context(postgres())} if options.postgres else {}
        yield stack.enter_context(serving({**variables, **database, **own}, core, *arguments))


def _logged_turns(serve: Serve, number: int) -> tuple[list[log.Statement], list[ShortTurn]]:
    with TemporaryDirectory(prefix="turntable-statements-") as folder:
        path = Path(folder, "statements")
        own = {"DJANGO_SETTINGS_MODULE": "bench.statements.settings", LOG: str(path)}
        with serve(**own) as site:
            turns = run(at_rest(site, MODEL, number))
        return log.read(path), turns
