"""Two worker processes against one: deltas delivered under overload, and their cost."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from . import load
from .floor import NOTES, Way, levels_report, load_gateway, measure
from .machine import cores, run
from .plan import Plan
from .processes import running
from .report import Figure, Report, Tell, figures_table
from .sample import Sample
from .services import postgres, valkey
from .site import Site, gateway_variables, serving

ONE, TWO = "1 worker", "2 workers"
NOTE = """\
Nothing is pinned: web process, workers, PostgreSQL, Valkey, gateway and clients share all cores; CPU is that of web and workers.
So the columns others and load say nothing here."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--streams", type=int, default=400, help="at a time, more than can be carried (400)")
    parser.add_argument("--seconds", type=float, default=10.0, help="measured in each run (10)")
    parser.add_argument("--rate", type=float, default=50.0, help="deltas a second of each stream (50)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, whose medians are printed (3)")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures both, in turn; late deltas are expected, lost ones are not."""
    plan = Plan(options.streams, options.rate, options.seconds)
    with load_gateway(None) as gateway:
        ways = {ONE: _way(gateway, 1), TWO: _way(gateway, 2)}
        (level,) = levels = measure([plan], options.repeat, ways, tell)
    one, two = level.median(ONE), level.median(TWO)
    figures = [
        Figure("deltas/s, two workers to one", two.rate / max(1.0, one.rate)),
        Figure("CPU a delta, two workers to one", two.cpu_us / max(0.1, one.cpu_us)),
    ]
    data = {figure.name: round(figure.value, 2) for figure in figures}
    return levels_report(levels, [plan], [figures_table(figures), "", NOTE, NOTES], ratios=data)


def _way(gateway: str, workers: int) -> Way:
    def sample(plan: Plan) -> Sample:
        variables = gateway_variables(gateway, plan.model, plan.warm_up_model)
        with postgres() as database, valkey() as layer:
            services = {"DATABASE_URL": database, "REDIS_URL": layer}
            with _working(variables | services, workers, plan.streams) as site:
                return run(load.measure(site, plan, cores()))

    return sample


@contextmanager
def _working(variables: Mapping[str, str], workers: int, turns: int) -> Iterator[Site]:
    """A site whose turns run in worker processes, each of which takes as many as there are."""
    with serving(variables, None, "--no-turns") as site, ExitStack() as stack:
        for _ in range(workers):
            work = ("manage.py", "work", "--turns", str(turns))
            process = stack.enter_context(running(*work, core=None, environment=site.environment))
            site.pids = [*site.pids, process.pid]
        yield site
